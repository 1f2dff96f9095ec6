"""Texts as numbers of SentencePiece pieces, such that two numbers are equal where sacreBLEU sees equal strings."""

import unicodedata
from array import array
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from sentencepiece import SentencePieceProcessor

from llamax_cli.errors import FileError

LONG = 16  # characters a word, beyond which a text is in a script without spaces, whose words do not come again
KNOWN = 1 << 20  # words remembered, about 150 MB
SPACE = "\u2581"
BPE = 2
LOCAL = {"", "identity", "nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf"}  # normalisations without a rule over a space

_Words: TypeAlias = dict[str, bytes | None]


class Pieces:
    """A SentencePiece model.

    sacreBLEU joins the pieces of a text with spaces and splits it again at white space of any kind, so its tokens are
    not quite the pieces, and by number all unknown pieces would be one.

    Where the model is BPE and no piece has a space within it, a text is the words between its spaces, each by itself;
    words come again and again, so each is cut into pieces once. All other texts are cut whole.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._model = SentencePieceProcessor(model_file=str(path))
        except (OSError, RuntimeError) as error:
            raise FileError(f"{path} is no SentencePiece model; remove it or name another with --spm") from error
        strings = self._model.id_to_piece(list(range(self._model.vocab_size())))
        unknown = self._model.unk_id()
        self._odd = frozenset({unknown, *(n for n, piece in enumerate(strings) if piece.split() != [piece])})
        self._unknown = unknown
        self._others: dict[str, int] = {}
        self._words: _Words | None = {} if _is_by_word(path, strings) else None

    @property
    def is_full(self) -> bool:
        """Whether so much is remembered that it is time for `forget`."""
        return len(self._words or ()) + len(self._others) > KNOWN

    def forget(self) -> None:
        """Forget all words; numbers from before mean nothing afterwards."""
        self._others.clear()
        if self._words is not None:
            self._words.clear()

    def numbers(self, texts: Sequence[str]) -> list[bytes]:
        """Return each text as the numbers of its tokens; see `ngrams` for the form."""
        texts = [text.rstrip() for text in texts]
        if self._words is None:
            return self._whole(texts)
        split = [text.split(" ") for text in texts]
        made = [b""] * len(texts)
        spaced = [n for n, words in enumerate(split) if len(texts[n]) <= LONG * len(words)]
        if unknown := self._join(self._words, split, spaced, made):
            self._learn(self._words, set().union(*(split[n] for n in unknown)))
            unknown = self._join(self._words, split, unknown, made)
        whole = [*unknown, *({*range(len(texts))} - {*spaced})]
        for n, numbers in zip(whole, self._whole([texts[n] for n in whole]), strict=True):
            made[n] = numbers
        return made

    def _join(self, known: _Words, split: list[list[str]], places: list[int], made: list[bytes]) -> list[int]:
        """Put the texts at `places` together from their words; return those that have a word without a cut."""
        failed = []
        for n in places:
            try:
                made[n] = b"".join(map(known.get, split[n]))  # type: ignore[arg-type]
            except TypeError:  # None among the words
                failed.append(n)
        return failed

    def _learn(self, known: _Words, words: Collection[str]) -> None:
        """Cut the words that are new; None for one that hangs on what stands before it."""
        new = [word for word in words if word not in known]
        for word, cut in zip(new, self._whole(new), strict=True):
            known[word] = None if unicodedata.category(word[:1] or " ").startswith("M") else cut

    def _whole(self, texts: Sequence[str]) -> list[bytes]:
        # One thread: processes are for --workers to say.
        ids = self._model.encode(list(texts), out_type=int, num_threads=1) if texts else []
        odd = self._odd
        return [
            array("i", pieces).tobytes() if odd.isdisjoint(pieces) else self._by_string(text)
            for text, pieces in zip(texts, ids, strict=True)
        ]

    def _by_string(self, text: str) -> bytes:
        tokens = " ".join(self._model.encode(text, out_type=str)).split()
        return array("i", map(self._number, tokens)).tobytes()

    def _number(self, token: str) -> int:
        number: int = self._model.piece_to_id(token)
        if number != self._unknown:
            return number
        return self._others.setdefault(token, self._model.vocab_size() + len(self._others))


def _is_by_word(path: Path, strings: list[str]) -> bool:
    training, normalisation = _specifications(path.read_bytes())
    as_usual = {"trainer": training.get(3) == BPE, "suffix": not training.get(24, 0)}
    as_usual["normalisation"] = normalisation.get(1, b"").decode() in LOCAL
    as_usual["spaces"] = all(normalisation.get(field, 1) for field in (3, 4, 5))  # prefix, extra spaces, escape
    return all(as_usual.values()) and not any(SPACE in piece[1:] for piece in strings)


class _Field(NamedTuple):
    number: int
    value: Any


def _specifications(model: bytes) -> tuple[dict[int, Any], dict[int, Any]]:
    """Return the fields of the trainer's and of the normaliser's specification, by their numbers in the format."""
    start = 0
    while model[start : start + 1] == b"\n" and model[start + 1] < 128:  # pieces: field 1, short
        start += 2 + model[start + 1]
    found: dict[int, Any] = dict(_fields(model, start))
    return dict(_fields(found.get(2, b""))), dict(_fields(found.get(3, b"")))


def _fields(data: bytes, at: int = 0) -> Iterator[_Field]:
    """Yield the fields of a protocol buffer."""
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            value, at = _varint(data, at)
            yield _Field(tag >> 3, value)
        else:
            size, at = _varint(data, at) if tag & 7 == 2 else (8 if tag & 7 == 1 else 4, at)
            yield _Field(tag >> 3, data[at : at + size])
            at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at
