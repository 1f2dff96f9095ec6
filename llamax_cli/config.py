"""How a run trains: one frozen dataclass, read from TOML and `--set key=value`.

Not YAML, which reads the language code `no` as false and `2e-5` as a string. An unknown key is refused by name.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from llamax_cli.errors import FileError, UsageError, because
from llamax_cli.registry import suggestion

OPTIMIZERS = ("adamw",)
SCHEDULES = ("cosine", "linear", "constant")
PRECISIONS = ("auto", "bf16", "fp32")
POLICIES = ("stop", "skip")
TRACKERS = ("tensorboard", "wandb")
BLOCKS, RECORDS = "blocks", "records"
# What other trainers call a setting, for the hint that an unknown key gets.
ALIASES = {
    "lr": "learning_rate",
    "optim": "optimizer",
    "lr_scheduler_type": "schedule",
    "warmup_ratio": "warmup",
    "min_lr_ratio": "final_rate",
    "wd": "weight_decay",
    "adam_beta1": "beta1",
    "adam_beta2": "beta2",
    "adam_epsilon": "epsilon",
    "eps": "epsilon",
    "grad_clip": "clip",
    "max_grad_norm": "clip",
    "global_batch_size": "batch",
    "per_device_train_batch_size": "micro_batch",
    "num_train_epochs": "epochs",
    "max_steps": "stop_after",
    "seq_len": "block",
    "max_length": "block",
    "bf16": "precision",
    "dtype": "precision",
    "lora_r": "lora",
    "eval_steps": "validation_every",
    "save_steps": "checkpoint_every",
    "save_total_limit": "keep",
    "logging_steps": "log_every",
    "report_to": "trackers",
}


def _setting(
    default: Any, help: str, *, least: float | None = None, most: float | None = None, among: Any = None
) -> Any:
    """Return a field with its meaning and what values it may have."""
    facts = {"help": help, "least": least, "most": most, "among": among}
    return field(default=default, metadata={name: fact for name, fact in facts.items() if fact is not None})


@dataclass(frozen=True)
class Training:
    """Every setting of a run, with the defaults of the recipe (paper, sections 2.2 and C.1) where it has them.

    UsageError where a value cannot be.
    """

    block: int = _setting(2048, "tokens of a block, into which whole records are packed", least=2)
    batch: int = _setting(64, "blocks or records of a step, over all GPUs", least=1)
    batch_of: str = _setting(
        BLOCKS, "what batch counts; records: whole blocks of about so many", among=(BLOCKS, RECORDS)
    )
    micro_batch: int = _setting(1, "blocks that a GPU works on at once", least=1)
    epochs: int = _setting(1, "times that the data is gone through", least=1)
    stop_after: int = _setting(0, "end after so many steps in all; 0: at the end of the data", least=0)
    seed: int = _setting(0, "order of the data, initial weights")

    optimizer: str = _setting("adamw", "what updates the weights", among=OPTIMIZERS)
    learning_rate: float = _setting(2e-5, "at its highest", least=0)
    schedule: str = _setting("cosine", "of the learning rate", among=SCHEDULES)
    warmup: float = _setting(0.03, "share of the run in which the learning rate rises", least=0, most=1)
    final_rate: float = _setting(0.1, "share of the learning rate that is left at the end", least=0, most=1)
    weight_decay: float = _setting(0.1, "of matrices; vectors have none", least=0)
    beta1: float = _setting(0.9, "of AdamW", least=0, most=1)
    beta2: float = _setting(0.95, "of AdamW", least=0, most=1)
    epsilon: float = _setting(1e-8, "of AdamW", least=0)
    clip: float = _setting(1.0, "greatest norm of the gradient; 0: any", least=0)

    precision: str = _setting("auto", "of the computation; weights are fp32. auto: bf16 on a GPU", among=PRECISIONS)
    gradient_checkpointing: bool = _setting(True, "compute activations again instead of keeping them")
    compile: bool = _setting(False, "compile the layers with torch.compile")
    liger: bool = _setting(False, "use Liger's kernels on a GPU for norms, positions and gated layers")
    loss_chunk: int = _setting(2048, "tokens whose logits are in memory at once", least=1)
    freeze: tuple[str, ...] = _setting((), "patterns of weights that stay as they are: model.embed_tokens.*")
    lora: int = _setting(0, "rank of LoRA; 0: all weights are trained", least=0)
    lora_alpha: int = _setting(16, "scale of LoRA, over its rank", least=1)
    lora_targets: tuple[str, ...] = _setting(
        ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"), "layers that LoRA adapts"
    )

    validation: tuple[str, ...] = _setting((), "files of held-out samples")
    validation_every: int = _setting(500, "steps between validations; 0: at the end only", least=0)
    translate: tuple[str, ...] = _setting((), "files of held-out pairs or samples that are translated and scored")
    translate_every: int = _setting(1000, "steps between translations; 0: at the end only", least=0)
    translate_lines: int = _setting(20, "lines of each direction, from the first", least=1)
    translate_template: str = _setting("auto", "how pairs are put to the model, as in llamax translate")
    translate_spm: str = _setting("flores101", "SentencePiece model of spBLEU: flores101, flores200 or a file")
    checkpoint_every: int = _setting(1000, "steps between checkpoints; 0: by time only", least=0)
    checkpoint_minutes: float = _setting(60.0, "minutes between checkpoints; 0: by steps only", least=0)
    keep: int = _setting(2, "checkpoints that are kept", least=1)
    log_every: int = _setting(10, "steps between lines of metrics", least=1)

    trackers: tuple[str, ...] = _setting((), "what draws the metrics as curves besides", among=TRACKERS)

    on_nan: str = _setting("stop", "what to do where the loss or gradient is no number", among=POLICIES)
    spike: float = _setting(0.0, "times the recent loss that is a spike; 0: nothing is", least=0)
    on_spike: str = _setting("stop", "what to do at a spike", among=POLICIES)

    def __post_init__(self) -> None:
        for setting in fields(self):
            _check(setting.name, getattr(self, setting.name), setting.metadata)


def _check(name: str, value: Any, facts: Mapping[str, Any]) -> None:
    for item in value if isinstance(value, tuple) else (value,):
        if "among" in facts and item not in facts["among"]:
            raise UsageError(f"{name} = {item!r}: {suggestion(str(item), facts['among'])}")
    if "least" in facts and not value >= facts["least"]:
        raise UsageError(f"{name} = {value!r}: must be at least {facts['least']}")
    if "most" in facts and not value <= facts["most"]:
        raise UsageError(f"{name} = {value!r}: must be at most {facts['most']}")


# Instruction tuning: 128 records a step at 2e-5 (paper, section 2.2); what it does not say is as for Stanford Alpaca.
TUNING = Training(batch=128, batch_of=RECORDS, epochs=3, weight_decay=0.0, beta2=0.999)


def read_training(path: Path | None, settings: Iterable[str] = (), defaults: Training | None = None) -> Training:
    """Return the training that a TOML file and `key=value` settings describe, the settings on top.

    `read_training(None, ["learning_rate=1e-5"]).learning_rate -> 1e-05`. UsageError for a key or value that cannot be.
    """
    given = typed_settings(_read_toml(path), str(path)) if path is not None else {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(f"--set {setting}: write key=value")
        given |= typed_settings({key.strip(): _parse_value(value.strip())}, f"--set {setting}")
    return replace(defaults or Training(), **given)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {str(error).lower()}") from error


def _parse_value(text: str) -> Any:
    """Return what a value on the command line means: as in TOML, and what is nothing there is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def typed_settings(settings: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return settings with the types that the fields have; UsageError, with the place, where that cannot be."""
    types = get_type_hints(Training)
    return {key: _typed(key, value, types, where) for key, value in settings.items()}


def _typed(key: str, value: Any, types: Mapping[str, Any], where: str) -> Any:
    if key not in types:
        raise UsageError(f"{where}: unknown key {key!r}; {suggestion(ALIASES.get(key, key), types)}")
    expected = types[key]
    if get_origin(expected) is tuple:
        items = [value] if isinstance(value, str) else value
        if isinstance(items, list | tuple) and all(isinstance(item, get_args(expected)[0]) for item in items):
            return tuple(items)
        raise UsageError(f"{where}: {key} takes a list of strings, not {value!r}")
    if expected is float and type(value) is int:
        return float(value)
    if type(value) is not expected:
        names = {int: "a whole number", float: "a number", str: "a string", bool: "true or false"}
        raise UsageError(f"{where}: {key} takes {names[expected]}, not {value!r}")
    return value
