"""Encoding a Sample: its tokens, and which of them are learned."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from xxhash import xxh3_128_hexdigest

from llamax_cli.config import AUTO_BOS, COMPLETION
from llamax_cli.errors import ModelError
from llamax_cli.models import pretrained
from llamax_cli.models.bos import adds_bos, set_bos
from llamax_cli.models.loss_rules import LOSS_RULES
from llamax_cli.models.samples import Sample
from llamax_cli.models.special_text import Span, SpecialText


class Encoded(NamedTuple):
    """The tokens of one document, and for each whether it is learned; the last learned one is an end of text."""

    tokens: list[int]
    learned: list[bool]

    @property
    def supervised(self) -> int:
        """Return how many tokens are learned besides the end of text; -1 if none is learned.

        The first token is never learned, since nothing predicts it.
        """
        return sum(self.learned[1:]) - 1


class Encoder:
    """Encodes prompt and completion as one text between bos and eos; eos and what `rule` selects are learned.

    Only a chat template writes special tokens into a text; elsewhere their names are text.

    `bos` is None if the tokenizer begins texts with none; `rule` is a name in LOSS_RULES. A
    conversation has its own bos and eos. `tokenizer_json` is the tokenizer as it was loaded.
    """

    def __init__(self, tokenizer: Any, bos: int | None, eos: int, rule: str, tokenizer_json: str) -> None:
        self._backend = backend = tokenizer.backend_tokenizer
        self._special = SpecialText(tokenizer)
        self._bos = [] if bos is None else [bos]
        self._eos = [eos]
        self._learned = LOSS_RULES[rule]
        self.size: int = backend.get_vocab_size()
        # Part of what a checkpoint depends on: the digest of the default is that of versions without rules.
        name = "" if rule == COMPLETION else rule
        self.digest = xxh3_128_hexdigest(f"{tokenizer_json}{bos}:{eos}{name}".encode())

    def encode(self, samples: Sequence[Sample]) -> list[Encoded]:
        """Return the tokens of each sample."""
        texts = [sample.prompt + sample.completion for sample in samples]
        encodings = self._backend.encode_batch(texts, add_special_tokens=False)
        return [self._encoded(*columns) for columns in zip(samples, texts, encodings, strict=True)]

    def encode_prompt(self, text: str, data: Sequence[Span]) -> list[int]:
        """Return a prompt as tokens, which a template wrote around the spans `data` of the text."""
        literals = self._special.literals(text, data)
        encoding = self._special.encode(text, literals) if literals else None
        encoding = encoding or self._backend.encode(text, add_special_tokens=False)
        ids: list[int] = encoding.ids
        return ids if ids[:1] == self._bos else [*self._bos, *ids]

    def _encoded(self, sample: Sample, text: str, encoding: Any) -> Encoded:
        if literals := self._literals(sample, text):
            encoding = self._special.encode(text, literals)
        learned = self._learned(sample, encoding.offsets)
        if sample.assistant_spans is not None:
            return Encoded(encoding.ids, learned)
        return Encoded([*self._bos, *encoding.ids, *self._eos], [False] * len(self._bos) + learned + [True])

    def _literals(self, sample: Sample, text: str) -> Sequence[Span]:
        return self._special.find(text) if sample.assistant_spans is None else sample.literal_spans

    def measure(self, samples: Sequence[Sample]) -> list[tuple[int, int, int]]:
        """Return the number of tokens and of supervised tokens of each sample, and of special tokens spelled out."""
        return [
            (len(encoded.tokens), encoded.supervised, len(self._literals(sample, sample.prompt + sample.completion)))
            for sample, encoded in zip(samples, self.encode(samples), strict=True)
        ]


def encoder_of(tokenizer: Any, model: str, rule: str = COMPLETION, *, add_bos: bool | str = AUTO_BOS) -> Encoder:
    """Return the encoder of a tokenizer, which is changed as `add_bos` says.

    ModelError for a tokenizer without an end-of-text token or without offsets.
    """
    if tokenizer.eos_token_id is None:
        raise ModelError(
            f"the tokenizer of {model} has no end-of-text token, so the model would never learn to stop; "
            "set eos_token in tokenizer_config.json"
        )
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(f"the tokenizer of {model} has no fast version (tokenizer.json), so it gives no token offsets")
    backend.no_truncation()
    backend.no_padding()
    tokenizer_json = backend.to_str()
    set_bos(tokenizer, add_bos, model)
    bos = tokenizer.bos_token_id if adds_bos(tokenizer) else None
    return Encoder(tokenizer, bos, tokenizer.eos_token_id, rule, tokenizer_json)


def open_encoder(
    model: str | Path,
    rule: str = COMPLETION,
    *,
    add_bos: bool | str = AUTO_BOS,
    trust_remote_code: bool = False,
) -> tuple[Any, Encoder]:
    """Return the tokenizer of a model, changed as `add_bos` says, and its encoder; ModelError where there is none."""
    pretrained.silence()
    tokenizer = pretrained.load_tokenizer(str(model), trust_remote_code=trust_remote_code)
    return tokenizer, encoder_of(tokenizer, str(model), rule, add_bos=add_bos)
