"""Loading of Hugging Face models, from a folder or the hub, onto a device, without messages of the libraries."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from llamax_cli.errors import ModelError, UsageError
from llamax_cli.models.config_file import check_model_path
from llamax_cli.models.contracts import ModelChoice

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def silence() -> None:
    """Turn off the log messages, warnings and progress bars of the libraries."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import transformers

    transformers.logging.set_verbosity(logging.CRITICAL)
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")


@contextmanager
def loading_errors(model: str) -> Iterator[None]:
    """Turn any error of a library while it loads `model` into a ModelError of one line."""
    try:
        yield
    except (ModelError, UsageError):
        raise
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"{model} does not fit into the memory of the device; try --dtype, --quantize or --device all"
        ) from error
    except ImportError as error:
        raise ModelError(f"{model}: {_first_line(error)}") from error
    # Each library raises a different exception for broken files.
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError, SafetensorError) as error:
        raise ModelError(f"cannot load {model}: {_first_line(error)}") from error


def load_config(model: str) -> Any:
    """Return the configuration of a model, as transformers has it; ModelError if there is none."""
    import transformers

    check_model_path(model)
    with loading_errors(model):
        return transformers.AutoConfig.from_pretrained(model)


def load_tokenizer(model: str) -> Any:
    """Return the tokenizer of a model; ModelError if there is none."""
    import transformers

    folder = Path(model)
    names = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "sentencepiece.bpe.model", "spiece.model")
    if folder.is_dir() and not any((folder / name).is_file() for name in names):
        raise ModelError(
            f"{model} has no tokenizer; copy tokenizer.json or tokenizer.model of the original model into it"
        )
    with loading_errors(model):
        return transformers.AutoTokenizer.from_pretrained(model)


def find_device(device: str) -> str:
    """Return the device for a value of `--device`: `auto` and `all` mean a GPU if there is one.

    ModelError for a device that this machine lacks.
    """
    if device in ("auto", "all"):
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    kind, _, number = device.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (number and not number.isdecimal()):
        raise UsageError(f"--device {device} is unknown; have: auto, all, cpu, cuda, cuda:N, mps")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise ModelError(
            f"--device {device}: torch sees {count or 'no'} CUDA device{'s' * (count != 1)}; try --device cpu"
        )
    if kind == "mps" and not torch.backends.mps.is_available():
        raise ModelError("--device mps: torch sees no Apple GPU; try --device cpu")
    return device


def count_gpus() -> int:
    """Return how many GPUs there are."""
    return torch.cuda.device_count()


def find_dtype(dtype: str, device: str) -> torch.dtype:
    """Return the data type for a value of `--dtype`: `auto` is bfloat16 on a GPU, as in the paper, float32 on a CPU."""
    if dtype == "auto":
        return torch.float32 if device == "cpu" else torch.bfloat16
    return DTYPES[dtype]


def load_model(choice: ModelChoice, config: Any) -> Any:
    """Return the model ready to generate: on its device, quantized and with its adapter as chosen."""
    import transformers

    device = find_device(choice.device)
    kind: Any = transformers.AutoModelForSeq2SeqLM if config.is_encoder_decoder else transformers.AutoModelForCausalLM
    with loading_errors(choice.model):
        loaded = kind.from_pretrained(
            choice.model,
            dtype=find_dtype(choice.dtype, device),
            quantization_config=_quantization(choice.quantize, device),
            device_map="auto" if choice.device == "all" and device != "cpu" else {"": device},
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    model = check_weights(choice.model, *loaded)
    if choice.lora is not None:
        model = _with_adapter(model, choice.lora)
    return model.eval()


def check_weights(name: str, model: Any, loading: dict[str, Any]) -> Any:
    """Return the model; ModelError if weights are missing from its files, which the library would initialize randomly.

    `loading` is the library's `output_loading_info`, with `ignore_mismatched_sizes`.
    """
    if missing := sorted(loading["missing_keys"]):
        raise ModelError(f"{name}: {len(missing):,} weights are missing from its files, {missing[0]} first")
    if mismatched := sorted(loading["mismatched_keys"]):
        key, in_files, in_config = mismatched[0]
        raise ModelError(f"{name}: {key} is {_size(in_files)} in its files but {_size(in_config)} in its config.json")
    return model


def _size(shape: Any) -> str:
    return " x ".join(map(str, shape))


def _quantization(quantize: str | None, device: str) -> Any:
    if quantize is None:
        return None
    import importlib.util

    import transformers

    if importlib.util.find_spec("bitsandbytes") is None:
        raise ModelError(f"--quantize {quantize} needs the package bitsandbytes: pip install 'llamax[quantize]'")
    if device == "cpu":
        raise ModelError(f"--quantize {quantize} needs a GPU; on a CPU, use --engine ctranslate2 --quantize 8bit")
    if quantize == "8bit":
        return transformers.BitsAndBytesConfig(load_in_8bit=True)  # type: ignore[no-untyped-call]
    return transformers.BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16
    )


def _with_adapter(model: Any, adapter: str) -> Any:
    """Return the model with a LoRA adapter merged into its weights, so that it is as fast as without."""
    try:
        from peft import PeftModel
    except ModuleNotFoundError as error:
        raise ModelError("--lora needs the package peft: pip install peft") from error
    if Path(adapter).is_dir() and not (Path(adapter) / "adapter_config.json").is_file():
        raise ModelError(f"{adapter} is not the folder of a LoRA adapter: adapter_config.json is missing")
    with loading_errors(adapter):
        return PeftModel.from_pretrained(model, adapter).merge_and_unload()


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].strip()
