"""Texts as numbers of SentencePiece pieces; two numbers are equal if and only if sacreBLEU sees equal strings."""

import unicodedata
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sentencepiece import SentencePieceProcessor

from llamax_cli.errors import FileError

try:
    from llamax_cli.scoring.word_tokens import WordTokens as WordTokens
except ImportError:  # llamax was installed without a C compiler
    WordTokens = None  # type: ignore[assignment,misc]

# Characters per word above which a text is taken for a script without spaces, whose words do not occur again.
LONG_WORD = 16
CACHE_SIZE = 1 << 20  # words, about 100 MB
SPACE = "\u2581"
BPE = 2
AGAIN = "download it again or name another with --spm"
# Normalisations none of whose rules spans a space.
LOCAL_RULES = {"", "identity", "nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf"}


class PythonWordTokens:
    """What WordTokens is, without compiled code."""

    def __init__(self) -> None:
        self._tokens: dict[str, bytes | None] = {}

    def add(self, word: str, tokens: bytes | None) -> None:
        """Remember the tokens of a word that is new."""
        self._tokens.setdefault(word, tokens)

    def join(self, texts: list[str]) -> tuple[list[bytes | None], list[str]]:
        """Return the tokens of each text, and the words that are new."""
        joined: list[bytes | None] = []
        new_words: list[str] = []
        for text in texts:
            words = text.split(" ")
            try:
                joined.append(b"".join(map(self._tokens.get, words)))  # type: ignore[arg-type]
            except TypeError:  # None among the tokens
                joined.append(None)
                new_words += (word for word in words if word not in self._tokens)
        return joined, new_words

    def clear(self) -> None:
        """Forget all words."""
        self._tokens.clear()

    def __len__(self) -> int:
        return len(self._tokens)


class SpmTokenizer:
    """A SentencePiece model as a tokenizer with sacreBLEU's tokens.

    sacreBLEU joins the pieces of a text with spaces and splits the result at white space of any kind. So its tokens are
    not always the pieces; and all unknown pieces, which have one number, are different tokens.

    With a BPE model none of whose pieces contains a space, the pieces of a text are those of its words. Words occur
    again and again, so each is encoded once. Any other text is encoded whole.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._model = SentencePieceProcessor(model_file=str(path))
        except (OSError, RuntimeError) as error:
            raise FileError(f"{path} is not a SentencePiece model; delete it or name another with --spm") from error
        numbers = list(range(self._model.vocab_size()))
        try:
            strings = self._model.id_to_piece(numbers)
            encodes_by_word = _encodes_by_word(path, strings)
        except (UnicodeDecodeError, IndexError) as error:
            raise FileError(f"{path} is a damaged SentencePiece model; {AGAIN}") from error
        if _has_odd_score(self._model.get_score(numbers)):
            raise FileError(f"{path} is a damaged SentencePiece model, in which a score is out of order; {AGAIN}")
        self._unknown = self._model.unk_id()
        # The pieces that are not a token of sacreBLEU by themselves.
        self._odd = frozenset({self._unknown, *(n for n, piece in enumerate(strings) if piece.split() != [piece])})
        self._other_tokens: dict[str, int] = {}
        self._pieces: dict[str, int] = {}  # of the tokens that texts with an odd piece have had, those that are pieces
        kind = PythonWordTokens if WordTokens is None else WordTokens
        self._words = kind() if encodes_by_word else None

    @property
    def is_full(self) -> bool:
        """Whether the cache is so large that it is time for `clear`."""
        return len(self._words or ()) + len(self._other_tokens) + len(self._pieces) > CACHE_SIZE

    def clear(self) -> None:
        """Clear the cache; numbers from before mean nothing afterwards."""
        self._other_tokens.clear()
        if self._words is not None:
            self._words.clear()

    def encode(self, texts: Sequence[str]) -> list[bytes]:
        """Return each text as the numbers of its tokens, in the form that `ngrams` takes."""
        texts = [text.rstrip() for text in texts]
        if self._words is None:
            return self._encode_whole(texts)
        spaced = [n for n, text in enumerate(texts) if len(text) <= LONG_WORD * (text.count(" ") + 1)]
        found, new_words = self._words.join([texts[n] for n in spaced])
        encoded = dict(zip(spaced, found, strict=True))
        if new_words:
            self._add_words(self._words, list(dict.fromkeys(new_words)))
            failed = [n for n in spaced if encoded[n] is None]
            found, _ = self._words.join([texts[n] for n in failed])
            encoded.update(zip(failed, found, strict=True))
        whole = [n for n in range(len(texts)) if encoded.get(n) is None]
        encoded.update(zip(whole, self._encode_whole([texts[n] for n in whole]), strict=True))
        return [encoded[n] or b"" for n in range(len(texts))]

    def _add_words(self, known: "WordTokens | PythonWordTokens", words: list[str]) -> None:
        """Add new words to the cache; None for one whose pieces depend on the text before it."""
        for word, numbers in zip(words, self._encode_whole(words), strict=True):
            known.add(word, None if unicodedata.category(word[:1] or " ").startswith("M") else numbers)

    def _encode_whole(self, texts: Sequence[str]) -> list[bytes]:
        # One thread: --workers decides how many processors are used.
        ids = self._model.encode(list(texts), out_type=int, num_threads=1) if texts else []
        odd = self._odd
        return [
            array("i", pieces).tobytes() if odd.isdisjoint(pieces) else self._encode_strings(text)
            for text, pieces in zip(texts, ids, strict=True)
        ]

    def _encode_strings(self, text: str) -> bytes:
        tokens = " ".join(self._model.encode(text, out_type=str)).split()
        return array("i", [self._pieces.get(token) or self._number(token) for token in tokens]).tobytes()

    def _number(self, token: str) -> int:
        number: int = self._model.piece_to_id(token)
        if number != self._unknown:
            self._pieces[token] = number
            return number
        return self._other_tokens.setdefault(token, self._model.vocab_size() + len(self._other_tokens))


def _has_odd_score(scores: Sequence[float]) -> bool:
    """Return whether a score is not finite, or does not fit between its neighbours.

    A BPE model has the scores 0, -1, -2, ... in the order of its merges; in an extended model, some of the pieces do.
    Some models have a score far below all others for pieces that they shall not use.
    """
    row = np.array(scores)
    if not np.isfinite(row).all():
        return True
    is_gap = row[2:] == row[:-2] - 2
    return bool((is_gap & (row[1:-1] != row[:-2] - 1) & (row[1:-1] > -len(row))).any())


def _encodes_by_word(path: Path, pieces: list[str]) -> bool:
    """Return whether the pieces of a text are those of its words, each encoded by itself."""
    trainer, normalizer = _read_specs(path.read_bytes())
    return (
        trainer.get(3) == BPE
        and not trainer.get(24, 0)  # white space as a suffix
        and normalizer.get(1, b"").decode() in LOCAL_RULES
        and all(normalizer.get(field, 1) for field in (3, 4, 5))  # dummy prefix, extra white space, escaped white space
        and not any(SPACE in piece[1:] for piece in pieces)
    )


class _Field(NamedTuple):
    number: int
    value: Any


def _read_specs(model: bytes) -> tuple[dict[int, Any], dict[int, Any]]:
    """Return the fields of TrainerSpec and NormalizerSpec by their numbers in the protocol buffer."""
    start = 0
    while model[start : start + 1] == b"\n" and model[start + 1] < 128:  # pieces: field 1, short
        start += 2 + model[start + 1]
    fields: dict[int, Any] = dict(_fields(model, start))
    return dict(_fields(fields.get(2, b""))), dict(_fields(fields.get(3, b"")))


def _fields(data: bytes, offset: int = 0) -> Iterator[_Field]:
    """Yield the fields of a protocol buffer."""
    while offset < len(data):
        tag, offset = _varint(data, offset)
        if tag & 7 == 0:
            value, offset = _varint(data, offset)
            yield _Field(tag >> 3, value)
        else:
            size, offset = _varint(data, offset) if tag & 7 == 2 else (8 if tag & 7 == 1 else 4, offset)
            yield _Field(tag >> 3, data[offset : offset + size])
            offset += size


def _varint(data: bytes, offset: int) -> tuple[int, int]:
    """Return the number at an offset and the offset after it."""
    value = shift = 0
    while True:
        value |= (data[offset] & 127) << shift
        shift += 7
        offset += 1
        if data[offset - 1] < 128:
            return value, offset
