"""A Sample as tokens, and which of them the loss is on."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from xxhash import xxh3_128_hexdigest

from llamax_cli.errors import ModelError
from llamax_cli.models.samples import Sample


class Encoded(NamedTuple):
    """The tokens of one document, and for each whether it is learned; the last one that is learned ends a text."""

    tokens: list[int]
    learned: list[bool]

    @property
    def supervised(self) -> int:
        """Return how many tokens are learned besides the last; the first token is never predicted.

        -1 where none is learned at all.
        """
        return sum(self.learned[1:]) - 1


class Encoder:
    """Prompt and completion as one text between the tokenizer's first and last token, learned from the completion on.

    `bos` is None where the tokenizer has no token to begin with. A token that lies across the border is learned, for
    it carries characters of the completion; so is one that lies across the border of a turn.
    """

    def __init__(self, backend: Any, bos: int | None, eos: int) -> None:
        backend.no_truncation()
        backend.no_padding()
        self._backend = backend
        self._bos = [] if bos is None else [bos]
        self._eos = [eos]
        self.size: int = backend.get_vocab_size()
        self.digest = xxh3_128_hexdigest(f"{backend.to_str()}{bos}:{eos}".encode())

    def encode(self, samples: Sequence[Sample]) -> list[Encoded]:
        """Return each sample as tokens."""
        texts = [sample.prompt + sample.completion for sample in samples]
        encodings = self._backend.encode_batch(texts, add_special_tokens=False)
        return [self._masked(sample, encoding) for sample, encoding in zip(samples, encodings, strict=True)]

    def _masked(self, sample: Sample, encoding: Any) -> Encoded:
        ids = encoding.ids
        if (spans := sample.assistant_spans) is not None:
            return Encoded(ids, [any(end > s and start < e for s, e in spans) for start, end in encoding.offsets])
        border = len(sample.prompt)
        # With no prompt all is learned, a token without characters of its own at the very start too.
        learned = [end > border for _, end in encoding.offsets] if border else [True] * len(ids)
        return Encoded([*self._bos, *ids, *self._eos], [False] * len(self._bos) + learned + [True])

    def measure(self, samples: Sequence[Sample]) -> list[tuple[int, int]]:
        """Return (tokens, learned tokens besides the end of text) of each sample."""
        return [(len(each.tokens), each.supervised) for each in self.encode(samples)]


def load_tokenizer(model: str) -> Any:
    """Return the tokenizer of a folder or hub name; ModelError where there is none that can be trained with."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "critical")
    import transformers

    transformers.logging.set_verbosity(50)
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    # Whatever is wrong in the files, each library has an exception of its own for it.
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError, ImportError) as error:
        raise ModelError(f"{model} has no tokenizer that can be loaded: {_first_line(error)}") from error
    return tokenizer


def encoder_of(tokenizer: Any, model: str) -> Encoder:
    """Return the encoder of a tokenizer; ModelError where it cannot mark the end of a text or tell where tokens lie."""
    if tokenizer.eos_token_id is None:
        raise ModelError(
            f"the tokenizer of {model} has no end-of-text token, so the model would never learn to stop; "
            "set eos_token in tokenizer_config.json"
        )
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(f"the tokenizer of {model} has no fast form (tokenizer.json), which tells where tokens lie")
    return Encoder(backend, tokenizer.bos_token_id, tokenizer.eos_token_id)


def open_encoder(model: str | Path) -> tuple[Any, Encoder]:
    """Return the tokenizer of a model and its encoder."""
    tokenizer = load_tokenizer(str(model))
    return tokenizer, encoder_of(tokenizer, str(model))


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
