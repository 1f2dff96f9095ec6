"""The engines by name: where each one is, and what it supports. A new engine is a file beside this one and a row here.

Nothing is imported before an engine is opened, so the command line can check its options against this table at once.
"""

from dataclasses import dataclass
from typing import cast

from llamax_cli.config import AUTO_BOS
from llamax_cli.errors import ModelError, UsageError
from llamax_cli.models.config_file import check_adapter_path, check_model_path
from llamax_cli.models.contracts import QUANTIZATIONS, Decoding, Engine, ModelChoice, check_device
from llamax_cli.models.prompts import AUTO
from llamax_cli.registry import find


@dataclass(frozen=True)
class EngineSpec:
    """What is known of an engine before its module is imported.

    `path`: its class. `extra`: the extra of llamax that installs its packages, None if llamax itself requires them.
    `shareable`: several processes can share the work, each with a copy of the model. `is_server`: a server at
    `--server` runs the model. `is_program`: `--model` is the command line of a program. `beam_search`, `sampling`,
    `lora`, `quantize`: what it supports of `--beam` above 1, `--sample`, `--lora` and the values of `--quantize`.
    """

    path: str
    extra: str | None = None
    shareable: bool = False
    is_server: bool = False
    is_program: bool = False
    beam_search: bool = True
    sampling: bool = True
    lora: bool = True
    quantize: tuple[str, ...] = QUANTIZATIONS

    @property
    def loads_models(self) -> bool:
        """Whether the model is a folder or a name on the hub, loaded into this process."""
        return not (self.is_server or self.is_program)


ENGINES = {
    "hf": EngineSpec("llamax_cli.translation.engines.hf:HfEngine", shareable=True),
    "ctranslate2": EngineSpec(
        "llamax_cli.translation.engines.ctranslate2:CTranslate2Engine",
        extra="ctranslate2",
        shareable=True,
        sampling=False,  # it draws from one generator for all sentences, so samples would depend on the batch
        lora=False,
        quantize=("8bit",),
    ),
    "vllm": EngineSpec("llamax_cli.translation.engines.vllm:VllmEngine", extra="vllm"),
    "openai": EngineSpec(
        "llamax_cli.translation.engines.openai:OpenaiEngine",
        is_server=True,
        beam_search=False,
        lora=False,
        quantize=(),
    ),
    "command": EngineSpec(
        "llamax_cli.translation.engines.command:CommandEngine",
        is_program=True,
        beam_search=False,
        sampling=False,
        lora=False,
        quantize=(),
    ),
}


def open_engine(choice: ModelChoice, decoding: Decoding) -> Engine:
    """Return the engine with its model loaded; UsageError or ModelError if that is impossible."""
    check_supported(choice, decoding)
    spec = ENGINES[choice.engine]
    try:
        return cast(Engine, find(spec.path)(choice, decoding))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("llamax_cli"):
            raise
        package = f"'llamax[{spec.extra}]'" if spec.extra else error.name
        raise ModelError(f"--engine {choice.engine} needs the package {error.name}: pip install {package}") from error


def check_choice(choice: ModelChoice, decoding: Decoding) -> None:
    """Raise UsageError or ModelError for what is wrong at a glance, before a library or a model is loaded."""
    check_supported(choice, decoding)
    if not ENGINES[choice.engine].loads_models:
        return
    check_device(choice.device)
    check_model_path(choice.model)
    if choice.lora is not None:
        check_adapter_path(choice.lora)


def check_supported(choice: ModelChoice, decoding: Decoding) -> None:
    """Raise UsageError if the engine does not support what is asked of it."""
    name, spec = choice.engine, ENGINES[choice.engine]
    if decoding.sample and not spec.sampling:
        raise UsageError(f"--engine {name} does not support --sample; use --engine hf")
    if decoding.beam > 1 and not decoding.sample and not spec.beam_search:
        raise UsageError(f"--engine {name} does not support beam search; leave --beam out")
    if choice.lora and not spec.lora:
        raise UsageError(f"--engine {name} does not support --lora; merge the adapter into the model first")
    if choice.add_bos != AUTO_BOS and not spec.loads_models:
        who = "server begins a prompt" if spec.is_server else "program begins a text"
        raise UsageError(f"--engine {name} does not support --add-bos; the {who} as it does")
    if choice.template != AUTO and spec.is_program:
        raise UsageError(f"--engine {name} does not support --template; the program gets the source alone")
    if choice.quantize and choice.quantize not in spec.quantize:
        supported = f"; it supports {', '.join(spec.quantize)}" if spec.quantize else ""
        raise UsageError(f"--engine {name} does not support --quantize {choice.quantize}{supported}")
