"""Datasets of the `datasets` library: a folder of `save_to_disk`, a folder of data files, or a name on the Hub.

A folder of `save_to_disk` is mapped into memory, everything else is streamed; neither leaves files in the working
folder. columns.py finds the columns of the texts.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from itertools import chain
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from llamax_cli.conversion.formats.columns import Column, validated
from llamax_cli.conversion.formats.record_tables import open_table
from llamax_cli.conversion.segments import Corpus, CorpusRequest
from llamax_cli.errors import DataError, FileError, RecordError, UsageError, because
from llamax_cli.records import parse
from llamax_cli.streams.inputs import Input

SPLITS, STATE, INFO = "dataset_dict.json", "state.json", "dataset_info.json"  # written by save_to_disk
SAVE_AGAIN = "the data set is not complete: copy or save it again"
BATCH = 1000  # rows


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each folder or name: its split `request.split`, else `train`, else the only one."""
    return [_open(request, path) for path in request.paths]


def _open(request: CorpusRequest, path: str) -> Corpus:
    if path == "-":
        raise UsageError("a dataset of Hugging Face is a folder or a name on the Hub, not standard input")
    source = request.input(path)
    is_saved = _is_saved(path)  # which is seen before a library is loaded that takes a second
    with _translated_errors(path):
        loaded = _load(path, request.config, is_saved=is_saved)
    split = _split(loaded, request.split, path)
    dataset = loaded if split is None else loaded[split]

    def read(columns: Sequence[Column]) -> Iterator[Any]:
        names = list(dict.fromkeys(column.name for column in columns))
        with _translated_errors(path):
            yield from validated(dataset.select_columns(names).with_format("arrow").iter(BATCH))

    with _translated_errors(path):
        schema = _schema(dataset)
    if schema is None:
        raise DataError(f"{path}: no rows" + (f" in the split {split!r}" if split else ""))
    return open_table(_name(request, path, split), source, request, schema, read)


def _load(path: str, config: str | None, *, is_saved: bool) -> Any:
    """Return a dataset, or its splits by name."""
    datasets = import_module("datasets")
    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(logging.CRITICAL)
    import_module("huggingface_hub").logging.set_verbosity(logging.CRITICAL)
    if is_saved:
        return datasets.load_from_disk(path)
    builder = datasets.load_dataset_builder(path, config)
    if hasattr(builder.config, "fragment_scan_options"):
        # Parquet: by default Arrow reads ahead without a limit, and a batch is a whole row group.
        scanning = import_module("pyarrow.dataset").ParquetFragmentScanOptions(pre_buffer=False)
        builder.config.fragment_scan_options = scanning
        builder.config.batch_size = BATCH
    return builder.as_streaming_dataset()


def _is_saved(path: str) -> bool:
    """Return whether save_to_disk has written a folder; DataError, which names the file, where it is not whole."""
    folder = Path(path)
    try:
        if (splits := folder / SPLITS).is_file():
            for name in _facts(splits, "splits"):
                _check_saved(folder / str(name))
            return True
        if (folder / STATE).is_file():
            _check_saved(folder)
            return True
        return False
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error


def _check_saved(folder: Path) -> None:
    """Raise DataError where the folder of a split is not whole."""
    for file in _facts(folder / STATE, "_data_files"):
        name = file.get("filename") if isinstance(file, dict) else None
        if not isinstance(name, str):
            raise DataError(f"{folder / STATE}: no list of data files; {SAVE_AGAIN}")
        if not (folder / name).is_file():
            raise DataError(f"{folder / name} is missing, which {STATE} names; {SAVE_AGAIN}")
    _facts(folder / INFO)


def _facts(path: Path, key: str | None = None) -> list[Any]:
    """Return the list under a key of a file of JSON; DataError where there is none."""
    try:
        facts = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise DataError(f"{path}: {because(error)}; {SAVE_AGAIN}") from error
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON; {SAVE_AGAIN}") from error
    if not isinstance(facts, dict) or (key is not None and not isinstance(facts.get(key), list)):
        raise DataError(f"{path}: no {f'list {key!r}' if key else 'object'} in it; {SAVE_AGAIN}")
    return [] if key is None else list(facts[key])


def _split(loaded: Any, requested: str | None, path: str) -> str | None:
    """Return the split to read, None where the dataset has no splits."""
    known = list(loaded) if isinstance(loaded, Mapping) else []
    have = f"have: {', '.join(known)}" if known else "it has no splits"
    if requested is not None and requested not in known:
        raise UsageError(f"{path}: no split {requested!r}; {have}")
    if requested is not None or not known:
        return requested
    if "train" in known:
        return "train"
    if len(known) > 1:
        raise UsageError(f"{path}: several splits and none of them 'train'; {have}. Say which: --split {known[0]}")
    return str(known[0])


def _schema(dataset: Any) -> Any:
    """Return the Arrow schema: as the dataset declares it, else that of the first batch, None where there is none."""
    if dataset.features is not None:
        return dataset.features.arrow_schema
    first = next(chain(dataset.with_format("arrow").iter(BATCH), [None]))
    return None if first is None else first.schema


def _name(request: CorpusRequest, path: str, split: str | None) -> str:
    """Return the name of a corpus with its configuration and split: "opus-100/en-de/train"."""
    if request.name is not None:
        return request.name
    dataset = request.corpus_name(path) if Path(path).exists() else path
    return "/".join(part for part in (dataset, request.config, split) if part)


@contextmanager
def _translated_errors(path: str) -> Iterator[None]:
    """Turn the errors of `datasets` into ours, of one line: no such dataset, wrong options, or broken data."""
    exceptions = import_module("datasets.exceptions")
    arrow = import_module("pyarrow")
    try:
        yield
    except import_module("datasets.table").CastError as error:
        raise DataError(f"{path}: {_different_columns(path, error)}") from error
    except (arrow.ArrowException, exceptions.DatasetGenerationError, JSONDecodeError, UnicodeError) as error:
        raise DataError(f"{_broken_file(path)}: broken data: {_first_line(error)}") from error
    except (KeyError, TypeError, AttributeError) as error:  # descriptions of another form than the library expects
        raise DataError(f"{path}: its descriptions ({SPLITS}, {STATE}, {INFO}) are broken; {SAVE_AGAIN}") from error
    except (exceptions.DataFilesNotFoundError, import_module("datasets.data_files").EmptyDatasetError) as error:
        if Path(path).is_dir():
            raise DataError(f"{path}: no data files in this folder") from error
        raise FileError(f"{path}: {_first_line(error)}") from error
    except (OSError, exceptions.DatasetsError) as error:
        raise FileError(f"{path}: {_first_line(error)}") from error
    except (RuntimeError, ValueError) as error:  # an unknown configuration, or a dataset that needs a script
        raise UsageError(f"{path}: {_first_line(error)}") from error


def _broken_file(path: str) -> str:
    """Return the first Parquet or Arrow file of a data set that cannot be opened, else the data set."""
    for file in sorted(Path(path).rglob("*")):
        try:
            if file.suffix == ".parquet":
                import_module("pyarrow.parquet").read_schema(file)
            elif file.suffix == ".arrow":
                with import_module("pyarrow").memory_map(str(file)) as source:
                    import_module("pyarrow").ipc.open_stream(source)
        except (OSError, ValueError):  # the errors of Arrow are among these
            return str(file)
    return path


def _different_columns(path: str, error: Any) -> str:
    """Return which file has other columns than the first one: "b.parquet has the columns en, fr, without 'de'; ..."."""
    found, expected = list(error.table_column_names), list(error.requested_column_names)
    which = "one of its files"
    for file in sorted(Path(path).rglob("*")):
        names = _column_names(file)
        # Columns that a file of JSON lines lacks may be in `found` too.
        if set(names) != set(expected) and set(names) - set(expected) == set(found) - set(expected):
            which, found = str(file.relative_to(path)), names
            break
    missing = [repr(name) for name in expected if name not in found]
    fault = f"without {', '.join(missing)}" if missing else f"instead of {', '.join(expected)}"
    return f"{which} has the columns {', '.join(found)}, {fault}; name the files one by one instead of the folder"


def _column_names(file: Path) -> list[str]:
    """Return the columns of a Parquet file or the keys of the first JSON line, and nothing for other files."""
    if file.suffix == ".parquet":
        return list(import_module("pyarrow.parquet").read_schema(file).names)
    with suppress(RecordError, DataError, FileError):
        return list(parse(Input(file).head().split(b"\n")[0]))
    return []


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
