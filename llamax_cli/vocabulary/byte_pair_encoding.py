"""A byte-pair encoding of Hugging Face, and what it becomes with more pieces.

The merges of new pieces come after all merges that were there. So a text is first segmented as before, and then some of
its neighbouring tokens are joined: what was one token is never cut, and the new tokens stand for the same text.

A piece is called as the vocabulary writes it: `▁house` with LLaMA-2's mark for a space, `Ġhouse` with the letters that
stand for bytes in LLaMA-3's.
"""

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from llamax_cli.errors import ModelError
from llamax_cli.tokenization import byte_letters

SPACE = "▁"
BYTE = re.compile(r"<0x[0-9A-F]{2}>")  # what stands for a byte of a character that the vocabulary lacks
KINDS = ("BPE", "Unigram", "WordPiece", "WordLevel")


class BytePairEncoding:
    """The byte-pair encoding of a tokenizer, given the JSON of the library; ModelError for another kind of tokenizer.

    `name` is that of the model, for messages.
    """

    def __init__(self, data: Mapping[str, Any], name: str) -> None:
        check_kind(data, name)
        self.data = data
        self.name = name
        self.added = {token["content"]: token["id"] for token in data.get("added_tokens") or ()}
        self.vocabulary: dict[str, int] = {**data["model"]["vocab"], **self.added}
        self._specials = {*self.added, data["model"].get("unk_token")}
        self.has_bytes = bool(data["model"].get("byte_fallback"))

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        return Tokenizer.from_str(json.dumps(_bare(self.data)))

    @cached_property
    def _model(self) -> Any:
        return self._tokenizer.model

    @cached_property
    def is_byte_level(self) -> bool:
        """Whether letters stand for bytes, as in LLaMA-3."""
        return any(part["type"] == "ByteLevel" for part in self._parts("pre_tokenizer", "normalizer"))

    @cached_property
    def marks_spaces(self) -> bool:
        """Whether `▁` stands for a space, as in LLaMA-2."""
        return not self.is_byte_level and any(
            part["type"] == "Metaspace" or (part["type"] == "Replace" and part["content"] == SPACE)
            for part in self._parts("pre_tokenizer", "normalizer")
        )

    def _parts(self, *names: str) -> Iterator[Mapping[str, Any]]:
        for name in names:
            yield from parts(self.data.get(name))

    @property
    def next_id(self) -> int:
        """The first id that no token has."""
        return max(self.vocabulary.values()) + 1

    def is_ordinary(self, token: str) -> bool:
        """Return whether a token stands for its own text: it is neither added, nor a byte, nor for the unknown."""
        return token not in self._specials and not (self.has_bytes and BYTE.fullmatch(token))

    def piece(self, text: str) -> str:
        """Return a piece as the vocabulary writes it; in the text, a space may be written as `▁`."""
        if self.is_byte_level:
            return "".join(map(byte_letters().__getitem__, text.replace(SPACE, " ").encode()))
        return text.replace(" ", SPACE) if self.marks_spaces else text.replace(SPACE, " ")

    def normalize(self, text: str) -> str:
        """Return a text as the normalizer leaves it, without a space that it begins every text with."""
        normalizer = self._tokenizer.normalizer
        normalized: str = text if normalizer is None else normalizer.normalize_str(text)
        return normalized

    def pre_tokenize(self, text: str) -> list[str]:
        """Return the parts of a normalized text that merges never join."""
        pre_tokenizer = self._tokenizer.pre_tokenizer
        return [text] if pre_tokenizer is None else [part for part, _ in pre_tokenizer.pre_tokenize_str(text)]

    def segment(self, word: str) -> list[str]:
        """Return the tokens of a part of a text that merges may join: `segment("▁houses") -> ["▁house", "s"]`."""
        return [token.value for token in self._model.tokenize(word)]

    def ids(self, word: str) -> list[int]:
        """Return the ids of the tokens of a part of a text."""
        return [token.id for token in self._model.tokenize(word)]

    def extended(self, pieces: Sequence[str]) -> "BytePairEncoding":
        """Return the encoding with more pieces, in the order of their ids and merges."""
        new = {piece: self.next_id + place for place, piece in enumerate(pieces)}
        return BytePairEncoding(self.extended_data(new), self.name)

    def extended_data(self, pieces: Mapping[str, int]) -> dict[str, Any]:
        """Return the JSON of the tokenizer with more pieces and their ids, in the order of their merges.

        Added tokens become part of the vocabulary as well: the library gives those that are not in it the ids that
        follow it when it reads the file.
        """
        model = self.data["model"]
        vocabulary = dict(sorted({**self.vocabulary, **pieces}.items(), key=lambda item: item[1]))
        merges = list(model.get("merges") or ())
        are_texts = bool(merges) and isinstance(merges[0], str)  # as the library wrote them before version 0.20
        merges += (" ".join(merge) if are_texts else list(merge) for merge in self.merges(pieces))
        return {**self.data, "model": {**model, "vocab": vocabulary, "merges": merges}}

    def merges(self, pieces: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield all merges of two pieces, old or new, into a new one, in the order of the new ones.

        These are the merges of SentencePiece, which joins any two pieces whose text is a piece.
        """
        new = list(pieces)
        known = {*filter(self.is_ordinary, self.vocabulary), *new}
        for piece in new:
            for cut in range(1, len(piece)):
                if piece[:cut] in known and piece[cut:] in known:
                    yield piece[:cut], piece[cut:]

    def unreached(self, pieces: Sequence[str]) -> dict[str, list[str]]:
        """Return the tokens of each piece that the encoding does not make of its text."""
        found = ((piece, self.segment(piece)) for piece in pieces)
        return {piece: tokens for piece, tokens in found if tokens != [piece]}


def check_kind(data: Mapping[str, Any], name: str) -> None:
    """Raise ModelError for a tokenizer that is no byte-pair encoding of the usual kind."""
    model = data.get("model")
    kind = model.get("type", "BPE") if isinstance(model, dict) else None
    if kind != "BPE":
        told = f"a {kind} model" if kind in KINDS else "of an unknown kind"
        raise ModelError(
            f"{name}: its tokenizer is {told}; only byte-pair encodings (BPE) can be extended, since their merges can "
            "come after the old ones"
        )
    for key in ("continuing_subword_prefix", "end_of_word_suffix"):
        if model and model.get(key):
            raise ModelError(f"{name}: its tokenizer marks parts of words ({key}), and cannot be extended")


def parts(component: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the components of a normalizer or a pre-tokenizer, one by one."""
    if isinstance(component, dict):
        inner = component.get("normalizers") or component.get("pretokenizers")
        if component.get("type") == "Sequence":
            for each in inner or ():
                yield from parts(each)
        else:
            yield component


def _bare(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON of a tokenizer that adds nothing to a text: neither a space at its start, nor special tokens."""
    bare = {**data, "normalizer": _without_prefix(data.get("normalizer")), "added_tokens": []}
    bare |= {"post_processor": None, "truncation": None, "padding": None}
    bare["model"] = {**data["model"], "dropout": None}
    bare["pre_tokenizer"] = copy.deepcopy(data.get("pre_tokenizer"))
    for part in parts(bare["pre_tokenizer"]):
        if part["type"] == "ByteLevel":
            part["add_prefix_space"] = False  # type: ignore[index]
        elif part["type"] == "Metaspace":
            part["prepend_scheme"] = "never"  # type: ignore[index]
    return bare


def _without_prefix(normalizer: Any) -> Any:
    kept = [part for part in parts(normalizer) if part["type"] != "Prepend"]
    return {"type": "Sequence", "normalizers": kept} if kept else None
