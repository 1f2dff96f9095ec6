"""Loading of what others have made: the only module that calls `from_pretrained`, but for the process of metrics.

A folder or a repository can name Python code of its own (`auto_map`), and transformers would ask on standard input
whether to run it, which in a pipe is the user's data. Here the answer is always given: such code runs with
`--trust-remote-code` only. Pickled weights are read as tensors and nothing else.
"""

import copy
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from pickle import PickleError
from typing import Any
from zipfile import BadZipFile

from safetensors import SafetensorError

from llamax_cli.errors import LlamaxError, ModelError
from llamax_cli.models.config_file import check_model_path
from llamax_cli.models.model_files import find_weights
from llamax_cli.streams.temporary import TemporaryFolder, temporary_error

OPTION = "--trust-remote-code"
PATHS = ("vocab", "merges")  # settings of a tokenizer that transformers reads from a file, if they are texts
# Each library raises other exceptions for files that are broken; memory is a matter of the device.
BROKEN = (
    *(OSError, ValueError, LookupError, RuntimeError, TypeError, AttributeError, ArithmeticError, AssertionError),
    *(EOFError, ImportError, SyntaxError, SafetensorError, PickleError, BadZipFile, MemoryError),
)


def silence() -> None:
    """Turn off the log messages, warnings and progress bars of the libraries."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "critical")
    import transformers

    transformers.logging.set_verbosity(logging.CRITICAL)
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")


@contextmanager
def loading_errors(model: str) -> Iterator[None]:
    """Turn any error of a library while it loads `model` into a ModelError of one line."""
    import torch

    try:
        yield
    except LlamaxError:
        raise
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"{model} does not fit into the memory of the device; try --dtype, --quantize or --device all"
        ) from error
    except ImportError as error:
        raise ModelError(f"{model}: {_reason(error)}") from error
    except BROKEN as error:
        raise _model_error(model, error) from error
    except Exception as error:
        from huggingface_hub.errors import StrictDataclassError  # of values in a config.json that contradict others

        # The Rust code of tokenizers raises Exception itself; any other class is a bug and keeps its traceback.
        if type(error) is not Exception and not isinstance(error, StrictDataclassError):
            raise
        raise _model_error(model, error) from error


def _model_error(model: str, error: Exception) -> ModelError:
    if "trust_remote_code" in str(error):
        return ModelError(
            f"{model} needs code of its own to be loaded, which runs with all your rights; "
            f"read that code, and add {OPTION} if you trust it"
        )
    if isinstance(error, PickleError):
        return ModelError(f"cannot load {model}: a pickled file holds something other than weights, or is damaged")
    return ModelError(f"cannot load {model}: {_reason(error)}")


def _reason(error: Exception) -> str:
    """Return the reason in one line: the first, with the next if that only announces it."""
    first, *others = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    text = f"{first} {others[0]}" if first.endswith(":") and others else first
    # What a library says of a value that it did not find says nothing to a user.
    is_bare = isinstance(error, (TypeError, AttributeError, KeyError))
    return f"its files are incomplete or do not belong together ({text})" if is_bare else text


def load_config(model: str, *, trust_remote_code: bool = False) -> Any:
    """Return the configuration of a model, as transformers has it; ModelError if there is none."""
    import transformers

    check_model_path(model)
    with loading_errors(model):
        config = transformers.AutoConfig.from_pretrained(model, trust_remote_code=trust_remote_code)
    kernels = [getattr(config, f"_{part}_implementation", None) for part in ("attn", "experts")]
    if not trust_remote_code and any("/" in str(name) for name in kernels):
        # A kernel of the hub is compiled code, which transformers would download and load.
        raise ModelError(f"{model}: its config.json names code on the hub; add {OPTION} if you trust it")
    return config


def load_tokenizer(model: str, *, trust_remote_code: bool = False) -> Any:
    """Return the tokenizer of a folder or of a model on the hub; ModelError if there is none."""
    import transformers

    folder = Path(model)
    names = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "sentencepiece.bpe.model", "spiece.model")
    if folder.is_dir() and not any((folder / name).is_file() for name in names):
        raise ModelError(
            f"{model} has no tokenizer; copy tokenizer.json or tokenizer.model of the original model into it"
        )
    with loading_errors(f"the tokenizer of {model}"):
        _check_tokenizer_config(model)
        return transformers.AutoTokenizer.from_pretrained(model, trust_remote_code=trust_remote_code)


def _check_tokenizer_config(model: str) -> None:
    """Raise ModelError for a vocabulary by its path, which might be that of any file of the user.

    It would become a part of each model that is made from this one. No tokenizer is saved with such a path.
    """
    from transformers.models.auto.tokenization_auto import get_tokenizer_config

    config = get_tokenizer_config(model)
    for part in PATHS:
        if isinstance(path := config.get(part), str):
            raise ModelError(f"{model}: its tokenizer_config.json takes its {part} from {path}, which is not allowed")


def load_generation_config(model: str) -> Any:
    """Return the generation settings of a model; OSError if it has none."""
    import transformers

    return transformers.GenerationConfig.from_pretrained(model)


def load_weights(kind: Any, model: str, *, trust_remote_code: bool = False, **options: Any) -> Any:
    """Return the model of a class of transformers, with its weights; ModelError unless its files have all of them.

    The library would initialize those that are missing at random.
    """
    if Path(model).is_dir():
        find_weights(Path(model))
    with loading_errors(model):
        loaded, report = kind.from_pretrained(
            model,
            trust_remote_code=trust_remote_code,
            weights_only=True,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            **options,
        )
    if missing := sorted(report["missing_keys"]):
        raise ModelError(f"{model}: {len(missing):,} weights are missing from its files, {missing[0]} first")
    if mismatched := sorted(report["mismatched_keys"]):
        key, in_files, in_config = mismatched[0]
        raise ModelError(f"{model}: {key} is {_size(in_files)} in its files but {_size(in_config)} in its config.json")
    return loaded


def load_gguf_tokenizer(file: Path) -> Any:
    """Return the tokenizer in a GGUF file, which splits text as the library believes; ModelError if there is none."""
    import transformers

    with loading_errors(f"the tokenizer of {file}"), _alone(file) as folder:
        return transformers.AutoTokenizer.from_pretrained(folder, gguf_file=file.name, trust_remote_code=False)


@contextmanager
def _alone(file: Path) -> Iterator[Path]:
    """Yield a folder with nothing but a link to a file: the library prefers a tokenizer beside it to the one in it."""
    with TemporaryFolder() as folder:
        try:
            (folder / file.name).symlink_to(file.absolute())
        except OSError as error:
            raise temporary_error(error) from error
        yield folder


def load_gguf_weights(file: Path) -> Any:
    """Return the model in a GGUF file in float32, able to be saved; ModelError if the file does not hold one."""
    import torch
    import transformers

    with loading_errors(str(file)), _alone(file) as folder:
        with redirect_stderr(StringIO()):  # the library draws a bar there, which cannot be turned off
            model = transformers.AutoModelForCausalLM.from_pretrained(
                folder,
                gguf_file=file.name,
                trust_remote_code=False,
                dtype=torch.float32,
                quantization_config=transformers.GgufConfig(dequantize=True),
            )
        names = ("bos_token_id", "eos_token_id", "pad_token_id")
        generation_config: Any = transformers.GenerationConfig
        model.generation_config = generation_config(**{name: getattr(model.config, name) for name in names})
    return model


def new_model(kind: Any, config: Any, *, trust_remote_code: bool = False, **options: Any) -> Any:
    """Return the model of a configuration with new weights; the configuration itself stays as it is.

    The library notes the number format of the new weights in it, and so would forget that of the original model.
    """
    config = copy.deepcopy(config)
    with loading_errors(config.name_or_path or config.model_type):
        return kind.from_config(config, trust_remote_code=trust_remote_code, **options)


def load_adapter(model: Any, adapter: str) -> Any:
    """Return the model with a LoRA adapter merged into its weights, so that it is as fast as without."""
    try:
        from peft import PeftModel
    except ModuleNotFoundError as error:
        raise ModelError("--lora needs the package peft: pip install peft") from error
    if Path(adapter).is_dir() and not (Path(adapter) / "adapter_config.json").is_file():
        raise ModelError(f"{adapter} is not the folder of a LoRA adapter: adapter_config.json is missing")
    with loading_errors(adapter):
        adapted = PeftModel.from_pretrained(model, adapter)
    # Once more, because this alone says what did not match; such weights would have no effect.
    _load_into(adapted, adapter, "default")
    with loading_errors(adapter):
        return adapted.merge_and_unload()


def swap_adapter(model: Any, adapter: str, name: str, adapted: Any = None) -> Any:
    """Return the model with an adapter beside its weights; one that `adapted` has already makes room for it."""
    from peft import PeftModel

    if adapted is None:
        with loading_errors(adapter):
            adapted = PeftModel.from_pretrained(model, adapter, adapter_name=name)
        _load_into(adapted, adapter, name)
        return adapted
    before = adapted.active_adapter
    _load_into(adapted, adapter, name)
    adapted.set_adapter(name)
    adapted.delete_adapter(before)
    return adapted


def _load_into(adapted: Any, adapter: str, name: str) -> None:
    with loading_errors(adapter):
        report = adapted.load_adapter(adapter, name)
    if wrong := sorted([*report.missing_keys, *report.unexpected_keys]):
        lacking = "the adapter has no" if wrong[0] in report.missing_keys else "the model has no"
        raise ModelError(
            f"{adapter} is an adapter of another model: {lacking} {wrong[0]} ({len(wrong):,} such weights)"
        )


def _size(shape: Any) -> str:
    return " x ".join(map(str, shape))
