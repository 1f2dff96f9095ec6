"""Special tokens by their text: what a template writes is the token, what the data say is text.

A tokenizer takes `</s>` or `<|im_end|>` anywhere for the special token. In data, a web page about HTML or a forged turn
of a chat, it stands for itself: there it would end a document that goes on, or a prompt that somebody else has written.
Training and translating both ask here, so that a model is asked as it was trained.
"""

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

Span: TypeAlias = tuple[int, int]  # start and end in characters, the end excluded

PRIVATE_USE = (0xF0000, 0xFFFFE)
# What stands for the first character of a special token in the texts that a chat template gets: noncharacters first,
# then characters for private use.
MARKS = tuple(map(chr, chain(range(0xFDD0, 0xFDF0), range(*PRIVATE_USE, 64))))


class LiteralText(NamedTuple):
    """A text with the spans in it that read like special tokens and are none."""

    text: str
    literals: tuple[Span, ...] = ()


class SpecialText:
    """Finds the texts of a tokenizer's special tokens, and encodes those that are text in the middle of a prompt."""

    def __init__(self, tokenizer: Any) -> None:
        # User-defined pieces of SentencePiece are listed as special tokens, too, but are text that stays whole.
        added = getattr(tokenizer, "added_tokens_decoder", {}).values()
        special, whole = ({str(token) for token in added if token.special is wanted} for wanted in (True, False))
        names = special | (set(map(str, tokenizer.all_special_tokens)) - whole)
        self._tokenizer = tokenizer
        self.names = sorted(filter(None, names), key=lambda name: (-len(name), name))  # the longest match wins
        self._find = re.compile("|".join(map(re.escape, self.names)) or r"(?!)").finditer

    def find(self, text: str) -> tuple[Span, ...]:
        """Return where a text has what reads like a special token: `find("a</s>") -> ((1, 5),)`."""
        return tuple(match.span() for match in self._find(text))

    def literals(self, text: str, data: Sequence[Span]) -> tuple[Span, ...]:
        """Return those of `find` that the data have a share in, which are the spans `data` of the text."""
        if not any(start < end for start, end in data):
            return ()
        return tuple((s, e) for s, e in self.find(text) if any(s < end and start < e for start, end in data))

    def encode(self, text: str, literals: Sequence[Span]) -> Any:
        """Return a text as a fast tokenizer encodes it, without what it adds: special tokens in `literals` are text.

        The offsets are those in the text.
        """
        encoding = self._renamed.encode(self._rename(text, literals), add_special_tokens=False)
        return self._tokenizer.backend_tokenizer.post_process(encoding, None, False)

    def encode_prompt(self, prompt: LiteralText, *, add_special_tokens: bool) -> list[int]:
        """Return a prompt as tokens of a fast or a slow tokenizer, with what it adds to a text or without."""
        backend = getattr(self._tokenizer, "backend_tokenizer", None)
        if backend is None:
            ids = [token for piece in self._pieces(prompt) for token in self._piece_tokens(piece)]
            return list(self._tokenizer.build_inputs_with_special_tokens(ids)) if add_special_tokens else ids
        encoding = self._renamed.encode(self._rename(*prompt), add_special_tokens=False)
        return list(backend.post_process(encoding, None, add_special_tokens).ids)

    def _pieces(self, prompt: LiteralText) -> Iterator[LiteralText]:
        """Yield the special tokens of a prompt, whose only literal is none, and the texts between them, all literal."""
        last = 0
        for start, end in [*self._written(*prompt), (len(prompt.text), len(prompt.text))]:
            if last < start:
                yield LiteralText(prompt.text[last:start], ((0, start - last),))
            if start < end:
                yield LiteralText(prompt.text[start:end])
            last = end

    def _piece_tokens(self, piece: LiteralText) -> list[int]:
        tokens = self._tokenizer.tokenize(piece.text, split_special_tokens=True) if piece.literals else [piece.text]
        ids: list[int] = self._tokenizer.convert_tokens_to_ids(tokens)
        return ids

    def _written(self, text: str, literals: Sequence[Span]) -> list[Span]:
        return [span for span in self.find(text) if span not in literals]

    def _rename(self, text: str, literals: Sequence[Span]) -> str:
        parts, last = [], 0
        for start, end in self._written(text, literals):
            parts += [text[last:start], self._new_names[text[start:end]]]
            last = end
        return "".join([*parts, text[last:]])

    @cached_property
    def _new_names(self) -> dict[str, str]:
        """Another name for each special token, as long as its own, which no data can know: it differs in each process.

        The characters for private use are in no text and no vocabulary, and no normalization changes them.
        """
        draw = random.SystemRandom()
        return {name: "".join(chr(draw.randrange(*PRIVATE_USE)) for _ in name) for name in self.names}

    @cached_property
    def _renamed(self) -> Any:
        """The fast tokenizer, with special tokens under their new names: it takes the old ones for text.

        They are renamed in its model as well, which would find some of them by its merges or as a likely piece.
        """
        from tokenizers import Tokenizer

        facts = json.loads(self._tokenizer.backend_tokenizer.to_str())
        names = self._new_names
        for token in facts["added_tokens"]:
            token["content"] = names.get(token["content"], token["content"])
        model = facts["model"]
        vocabulary = model["vocab"]
        if isinstance(vocabulary, dict):
            model["vocab"] = {names.get(token, token): number for token, number in vocabulary.items()}
        else:
            model["vocab"] = [[names.get(token, token), score] for token, score in vocabulary]
        if "merges" in model:
            pairs = [merge if isinstance(merge, list) else merge.split(" ") for merge in model["merges"]]
            model["merges"] = [pair for pair in pairs if not {*pair, "".join(pair)} & names.keys()]
        if model.get("unk_token") in names:
            model["unk_token"] = names[model["unk_token"]]
        return Tokenizer.from_str(json.dumps({**facts, "post_processor": None, "truncation": None, "padding": None}))

    def mark(self, value: Any) -> tuple[Any, "Marks"]:
        """Return what a chat template gets in place of a value, and what turns its text into the right one."""
        is_hostile = any(self.find(text) for text in _strings(value))
        marks = Marks(self.names if is_hostile else (), value)
        return (marks.apply(value, self.find) if is_hostile else value), marks


class Marks:
    """Characters that mark the special tokens of data while a chat template works on them.

    Each takes the place of a token's first character, so that no place in the text moves.
    """

    def __init__(self, names: Sequence[str], value: Any) -> None:
        used = set(chain.from_iterable(_strings(value))) if names else set()
        free = (mark for mark in MARKS if mark not in used)
        self._marks = dict(zip(sorted({name[0] for name in names}), free, strict=False))
        self._names = names

    def apply(self, value: Any, find: Callable[[str], Sequence[Span]]) -> Any:
        """Return a value with all special tokens in its texts marked."""
        if isinstance(value, str):
            letters = list(value)
            for start, _ in find(value):
                letters[start] = self._marks[letters[start]]
            return "".join(letters)
        if isinstance(value, dict):
            return {key: self.apply(each, find) for key, each in value.items()}
        return [self.apply(each, find) for each in value] if isinstance(value, list) else value

    def resolve(self, text: str) -> LiteralText:
        """Return a rendered text without the marks, and where the special tokens of the data are in it."""
        if not self._names:
            return LiteralText(text)
        marked = "|".join(re.escape(self._marks[name[0]] + name[1:]) for name in self._names)
        spans = tuple(match.span() for match in re.finditer(marked, text))
        letters = str.maketrans({mark: letter for letter, mark in self._marks.items()})
        return LiteralText(text.translate(letters), spans)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)
