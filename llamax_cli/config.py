"""How a run trains: one frozen dataclass, read from TOML and `--set key=value`.

Not YAML, which reads the language code `no` as false and `2e-5` as a string. An unknown key is an error.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from llamax_cli.documents import loads_toml
from llamax_cli.errors import FileError, UsageError, because
from llamax_cli.registry import suggestion

COMPLETION = "completion"
LOSS_RULES = (COMPLETION, "text")
OPTIMIZERS = ("adamw",)
SCHEDULES = ("cosine", "linear", "constant")
PRECISIONS = ("auto", "bf16", "fp32")
POLICIES = ("stop", "skip")
# Those of accelerate, by its names, each with the package that it needs, as pip names it.
TRACKERS = {
    "tensorboard": "llamax[tensorboard]",
    "wandb": "llamax[wandb]",
    "aim": "aim",
    "clearml": "clearml",
    "comet_ml": "comet_ml",
    "dvclive": "dvclive",
    "mlflow": "mlflow",
    "swanlab": "swanlab",
    "trackio": "trackio",
}
LINEAR_LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")  # of each decoder layer
ALL_LINEAR = "all-linear"  # peft's word for them
BLOCKS, RECORDS = "blocks", "records"
FULL, NODE = "full", "node"
AUTO_BOS = "auto"
BOS_CHOICES = (AUTO_BOS, True, False)
SELECTIVE = "selective"
LARGEST_NUMBER = 2**63 - 1
# What other trainers call a setting, for the hint about an unknown key.
ALIASES = {
    "optim": "optimizer",
    "lr": "learning_rate",
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
    "steps": "max_steps",
    "max_duration": "max_steps",
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
    "async_mode": "async_checkpoint",
    "async_save": "async_checkpoint",
    "fsdp_sharding_strategy": "shard",
    "hybrid_shard": "shard",
    "no_sync": "sync_each_batch",
}


def _setting(
    default: Any,
    help: str,
    *,
    least: float | None = None,
    most: float | None = None,
    among: Any = None,
    fixed: bool | None = None,
) -> Any:
    """Return a field with its meaning, the values that it may have, and whether a resumed run has to keep it.

    A fixed setting says which numbers a checkpoint holds, or which records its position has passed.
    """
    facts = {"help": help, "least": least, "most": most, "among": among, "fixed": fixed}
    return field(default=default, metadata={name: fact for name, fact in facts.items() if fact is not None})


@dataclass(frozen=True)
class Training:
    """Every setting of a run; the defaults are those of the recipe where it has any (paper, sections 2.2 and C.1).

    UsageError for a value that is out of range.
    """

    block: int = _setting(2048, "Tokens in a block, into which whole records are packed.", least=2, fixed=True)
    batch: int = _setting(64, "Blocks or records in a step, over all GPUs.", least=1)
    batch_of: str = _setting(
        BLOCKS, "What batch counts; with records, a step takes about that many.", among=(BLOCKS, RECORDS)
    )
    micro_batch: int = _setting(1, "Blocks that a GPU processes at once.", least=1)
    epochs: int = _setting(1, "Passes over the data.", least=1)
    max_steps: int = _setting(0, "Length of the run in steps, schedule included; 0 is to the end of the data.", least=0)
    stop_after: int = _setting(0, "Steps after which to pause a longer run, schedule unchanged; 0 never.", least=0)
    seed: int = _setting(0, "Random seed for the order of the data and for initial weights.", fixed=True)
    loss: str = _setting(
        COMPLETION, "What is learned: completions only, or the whole text.", among=LOSS_RULES, fixed=True
    )

    add_bos: bool | str = _setting(
        AUTO_BOS,
        "Whether each sample begins with bos_token; auto is as the tokenizer does it.",
        among=BOS_CHOICES,
        fixed=True,
    )

    optimizer: str = _setting("adamw", "Optimizer.", among=OPTIMIZERS, fixed=True)
    learning_rate: float = _setting(2e-5, "Peak learning rate.", least=0)
    schedule: str = _setting("cosine", "Learning rate schedule after the warmup.", among=SCHEDULES)
    warmup: float = _setting(0.03, "Share of the run during which the learning rate rises.", least=0, most=1)
    final_rate: float = _setting(0.1, "Final learning rate, as a share of the peak.", least=0, most=1)
    weight_decay: float = _setting(0.1, "Weight decay of matrices; vectors have none.", least=0)
    beta1: float = _setting(0.9, "First beta of AdamW.", least=0, most=1)
    beta2: float = _setting(0.95, "Second beta of AdamW.", least=0, most=1)
    epsilon: float = _setting(1e-8, "Epsilon of AdamW.", least=0)
    clip: float = _setting(1.0, "Maximum gradient norm; 0 disables clipping.", least=0)

    precision: str = _setting(
        "auto", "Precision of the computation; auto is bf16 on a GPU. Weights are fp32.", among=PRECISIONS
    )
    gradient_checkpointing: bool | str = _setting(
        True,
        "Recompute activations in the backward pass to save memory; selective keeps the costliest.",
        among=(True, False, SELECTIVE),
    )
    shard: str = _setting(
        FULL,
        "Which GPUs share a copy of the weights, gradients and optimizer state: all, or those of each machine.",
        among=(FULL, NODE),
    )
    sync_each_batch: bool = _setting(
        True,
        "Sum gradients over the GPUs after each micro-batch. False, and with LoRA: once a step; 4 bytes of GPU memory "
        "for each trained weight.",
    )
    compile: bool = _setting(False, "Compile the layers with torch.compile.")
    liger: bool = _setting(False, "On a GPU, use Liger kernels for norms, rotary positions and gated layers.")
    loss_chunk: int = _setting(2048, "Tokens whose logits are in memory at once.", least=1)
    freeze: tuple[str, ...] = _setting(
        (), "Name patterns of weights that are not trained: model.layers.{8..20}.*", fixed=True
    )
    lora: int = _setting(0, "Rank of LoRA; 0 trains all weights.", least=0, fixed=True)
    lora_alpha: int = _setting(16, "Alpha of LoRA, which is scaled by alpha / rank.", least=1, fixed=True)
    lora_targets: tuple[str, ...] = _setting(
        LINEAR_LAYERS,
        "Layers that LoRA adapts; all-linear stands for all linear layers but the output layer.",
        fixed=True,
    )

    validation: tuple[str, ...] = _setting((), "Files of held-out samples, whose loss is measured.")
    validation_every: int = _setting(500, "Steps between validations; 0 validates only at the end.", least=0)
    translate: tuple[str, ...] = _setting((), "Files of held-out pairs or samples to translate and score.")
    translate_every: int = _setting(1000, "Steps between translations; 0 translates only at the end.", least=0)
    translate_lines: int = _setting(20, "Number of lines to translate in each direction, from the first.", least=1)
    translate_template: str = _setting("auto", "Prompt template for pairs, as in llamax translate.")
    translate_spm: str = _setting("flores101", "SentencePiece model for spBLEU: flores101, flores200 or a file.")
    checkpoint_every: int = _setting(1000, "Steps between checkpoints; 0 saves them by time only.", least=0)
    checkpoint_minutes: float = _setting(60.0, "Minutes between checkpoints; 0 saves them by steps only.", least=0)
    async_checkpoint: bool = _setting(
        False, "Train on while a checkpoint is written, from a copy in the machine's memory."
    )
    keep: int = _setting(2, "Number of checkpoints to keep.", least=1)
    log_every: int = _setting(10, "Steps between lines of metrics.", least=1)

    collective_timeout: float = _setting(
        600.0,
        "Seconds that a rank waits for the others, in a step or a checkpoint, before it gives up.",
        least=1,
        most=1e7,
    )
    stop_timeout: float = _setting(
        30.0,
        "Seconds without progress, after SIGTERM or Ctrl-C, that end a rank without a checkpoint.",
        least=1,
        most=1e7,
    )

    trackers: tuple[str, ...] = _setting((), "Trackers that also log the metrics.", among=tuple(TRACKERS))

    on_nan: str = _setting("stop", "What to do if the loss or the gradient is not finite.", among=POLICIES)
    spike: float = _setting(0.0, "Ratio of a loss to the recent mean that makes it a spike; 0 disables this.", least=0)
    on_spike: str = _setting("stop", "What to do at a spike.", among=POLICIES)

    def __post_init__(self) -> None:
        for setting in fields(self):
            _check(setting.name, getattr(self, setting.name), setting.metadata)


# The titles under which help and manual list the settings, by the first setting of each group.
SETTING_GROUPS = {
    "block": "Data and steps",
    "optimizer": "Optimizer",
    "precision": "Computation, frozen weights and LoRA",
    "validation": "Evaluation and checkpoints",
    "trackers": "Trackers",
    "on_nan": "When the loss goes wrong",
}
_METADATA = {setting.name: setting.metadata for setting in fields(Training)}


def _check(name: str, value: Any, facts: Mapping[str, Any]) -> None:
    for item in value if isinstance(value, tuple) else (value,):
        if "among" in facts and item not in facts["among"]:
            names = [each if isinstance(each, str) else str(each).lower() for each in facts["among"]]
            raise UsageError(f"{name} = {item!r}: {suggestion(str(item), names)}")
    if type(value) in (int, float) and not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        raise UsageError(f"{name} = {value!r}: must be a finite number of at most 64 bits")
    if "least" in facts and not value >= facts["least"]:
        raise UsageError(f"{name} = {value!r}: must be at least {facts['least']}")
    if "most" in facts and not value <= facts["most"]:
        raise UsageError(f"{name} = {value!r}: must be at most {facts['most']}")


# Instruction tuning: 128 records a step at 2e-5 (paper, section 2.2); where it is silent, as for Stanford Alpaca.
TUNING = Training(batch=128, batch_of=RECORDS, epochs=3, weight_decay=0.0, beta2=0.999)


def syncs_each_batch(training: Training) -> bool:
    """Return whether gradients are summed after each micro-batch; with LoRA, they are small enough to be kept whole."""
    return training.sync_each_batch and not training.lora


def grouped_settings() -> Mapping[str, Sequence["Field[Any]"]]:
    """Return the settings by the titles of their groups, in the order of their declaration."""
    groups: dict[str, list[Field[Any]]] = {}
    title = ""
    for setting in fields(Training):
        title = SETTING_GROUPS.get(setting.name, title)
        groups.setdefault(title, []).append(setting)
    return groups


def written(value: Any) -> str:
    """Return a value of a setting as a reader expects it: `written(True) -> "true"`, `written(()) -> "none"`."""
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def is_fixed(setting: str) -> bool:
    """Return whether a resumed run has to keep a setting: `is_fixed("lora") -> True`."""
    return bool(_METADATA[setting].get("fixed"))


def read_training(path: Path | None, settings: Iterable[str] = (), defaults: Training | None = None) -> Training:
    """Return the settings of a run from a TOML file and `key=value` settings, which override the file.

    `read_training(None, ["learning_rate=1e-5"]).learning_rate -> 1e-05`. UsageError for an unknown key or a bad value.
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
        return loads_toml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    except ValueError as error:  # not TOML, not UTF-8, or a number of more digits than Python reads
        raise UsageError(f"{path}: not TOML: {str(error).lower()}") from error


def _parse_value(text: str) -> Any:
    """Return a value as TOML reads it; what is not TOML is a string: `_parse_value("cosine") -> "cosine"`."""
    try:
        return loads_toml(f"value = {text}")["value"]
    except ValueError:  # also a number of more digits than Python reads
        return text


def typed_settings(settings: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return settings with the types of the fields; UsageError, with the place, for an unknown key or a wrong type."""
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
        return float(value) if abs(value) <= LARGEST_NUMBER else value  # which `_check` refuses
    kinds = get_args(expected) or (expected,)
    if type(value) not in kinds:
        names = {int: "a whole number", float: "a number", str: "a string", bool: "true or false"}
        raise UsageError(f"{where}: {key} takes {' or '.join(names[kind] for kind in kinds)}, not {value!r}")
    return value
