"""The contract of every engine: requests in, hypotheses out, in any order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

from llamax_cli.config import AUTO_BOS
from llamax_cli.errors import RecordError, UsageError
from llamax_cli.models.prompt_template import Shot
from llamax_cli.models.server_address import ServerAddress

PAPER_TOKENS = 256
PAPER_BEAM = 4
GROUP = "{group}"  # stands in `--lora` for the group of the languages, each of which has an adapter of its own
QUANTIZATIONS = ("8bit", "4bit")


class TranslationRequest(NamedTuple):
    """A sentence to translate; languages are canonical codes. `shots` are the examples that the prompt shows."""

    src: str
    src_lang: str
    tgt_lang: str
    shots: tuple[Shot, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """The sentence and its direction, which random choices depend on."""
        return self[:3]


class Hypothesis(NamedTuple):
    """A translation; `truncated` if cut at the limit of new tokens, `reasoned` if reasoning before it was left out."""

    text: str
    truncated: bool
    reasoned: bool = False


# Hypotheses, best first, or why there are none.
Answer: TypeAlias = list[Hypothesis] | RecordError


class Engine(Protocol):
    """What translates: a model in this process, a server, or a stand-in in tests."""

    def translate(self, requests: Sequence[TranslationRequest]) -> Iterator[tuple[int, Answer]]:
        """Yield (index in `requests`, answer) exactly once for each request, in any order."""

    def close(self) -> None:
        """Free what the engine holds."""


@dataclass(frozen=True)
class Decoding:
    """How to decode: by default with the paper's 4 beams and at most 256 new tokens.

    `max_new_tokens` None adapts to each source. With `sample` translations are drawn at random, which depends on `seed`
    and the request alone.
    """

    beam: int = PAPER_BEAM
    max_new_tokens: int | None = PAPER_TOKENS
    nbest: int = 1
    sample: bool = False
    temperature: float = 1.0
    top_p: float = 0.9
    seed: int = 0


def check_device(device: str) -> None:
    """Raise UsageError for a value of `--device` that means nothing; whether the machine has it is not asked."""
    kind, _, number = device.partition(":")
    if device not in ("auto", "all") and (kind not in ("cpu", "cuda", "mps") or (number and not number.isdecimal())):
        raise UsageError(f"--device {device} is unknown; have: auto, all, cpu, cuda, cuda:N, mps")


@dataclass(frozen=True)
class ModelChoice:
    """Which model runs, in which engine and on which device.

    `shot_count` is how many examples a prompt shows.
    `thinking` lets a model reason before it answers, if its chat template can turn that off.
    `trust_remote_code` lets Python code run that the model brings along. `add_bos` says whether
    a prompt begins with the tokenizer's `bos_token`; auto leaves that to the tokenizer. `batch_tokens` is the most
    tokens in a batch, prompts and beams counted. `is_resumable` tells that the answers are kept, so that little may be
    lost with the batch of a run that is killed. `server`, `concurrency`, `timeout` (in seconds) and `per_minute` are
    for engines that ask a server.
    """

    model: str
    engine: str = "hf"
    template: str = "auto"
    shot_count: int = 0
    thinking: bool = False
    device: str = "auto"
    dtype: str = "auto"
    lora: str | None = None
    trust_remote_code: bool = False
    add_bos: bool | str = AUTO_BOS
    quantize: str | None = None
    batch_tokens: int | None = None
    is_resumable: bool = True
    server: ServerAddress | None = None
    concurrency: int = 8
    timeout: float = 120.0
    per_minute: int | None = None
