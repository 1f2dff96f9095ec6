"""What every engine is: sentences in, translations out, in whatever order suits it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

from llamax_cli.errors import RecordError

PAPER_TOKENS = 256
PAPER_BEAM = 4
QUANTIZATIONS = ("8bit", "4bit")


class TranslationRequest(NamedTuple):
    """A sentence to translate; languages are canonical codes."""

    src: str
    src_lang: str
    tgt_lang: str


class Hypothesis(NamedTuple):
    """A translation; `truncated` where it was cut because it reached the most tokens allowed."""

    text: str
    truncated: bool


Answer: TypeAlias = list[Hypothesis] | RecordError


class Engine(Protocol):
    """Something that translates."""

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[int, Answer]]:
        """Yield (place in `requests`, hypotheses best first, or why there are none) once for each request."""

    def close(self) -> None:
        """Let go of what the engine holds."""


@dataclass(frozen=True)
class Decoding:
    """How to search: the paper's beam of 4 and 256 new tokens by default.

    `max_new_tokens` None adapts to each source. `sample` draws instead of searching, by `seed` and content.
    """

    beam: int = PAPER_BEAM
    max_new_tokens: int | None = PAPER_TOKENS
    nbest: int = 1
    sample: bool = False
    temperature: float = 1.0
    top_p: float = 0.9
    seed: int = 0


@dataclass(frozen=True)
class ModelChoice:
    """Which model is run, by what and where.

    `batch_tokens`: how many tokens, prompts and beams counted, are worked on at once. What `server` and the numbers
    after it say holds for the openai engine.
    """

    model: str
    engine: str = "hf"
    template: str = "auto"
    device: str = "auto"
    dtype: str = "auto"
    lora: str | None = None
    quantize: str | None = None
    batch_tokens: int | None = None
    server: str | None = None
    concurrency: int = 8
    timeout: float = 120.0
    per_minute: int | None = None
