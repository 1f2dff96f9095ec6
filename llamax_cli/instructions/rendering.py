"""Files of instruction data rendered as files of Samples in the cache of a run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from xxhash import xxh3_128

from llamax_cli.errors import DataError, FileError, RecordError, because
from llamax_cli.instructions.data_files import read_records
from llamax_cli.instructions.forms import FormRenderer
from llamax_cli.instructions.questions import read_questions
from llamax_cli.records import serialise
from llamax_cli.streams.atomic import atomic_file

VERSION = "2"  # of the rendering; a new version makes new files
BATCH = 1000  # samples written at once


class RenderedFile(NamedTuple):
    """A file of Samples in the cache, the user's file that it was rendered from, and a hash of that file's bytes."""

    original: Path
    path: Path
    digest: str


def render_file(path: Path, *, task: str, tokenizer: Any, model: str, cache: Path) -> RenderedFile:
    """Return a user's file rendered as a file of Samples in a cache folder.

    A file is rendered once: a resumed run finds it by the content, the task and what the tokenizer writes into chats.
    `task` is "" for a file in one of the general forms. `model` names the tokenizer in error messages.
    """
    digest = _hash(path)
    special = sorted(map(str, getattr(tokenizer, "added_tokens_decoder", {}).values()))
    chat = [str(getattr(tokenizer, name, None)) for name in ("chat_template", "bos_token", "eos_token")]
    key = xxh3_128("\0".join([digest, VERSION, task, *chat, *special]).encode()).hexdigest()
    target = cache / f"rendered-{key}.jsonl"
    if not target.exists():
        _write(target, read_samples(path, task, tokenizer, model))
    return RenderedFile(path, target, digest)


def read_samples(path: Path, task: str, tokenizer: Any, model: str) -> Iterator[dict[str, Any]]:
    """Yield each record of a file as a Sample; DataError, with the place, for a record that cannot be rendered."""
    if task:
        for question in read_questions(path, task):
            yield question.to_sample(task)
        return
    renderer = FormRenderer(tokenizer, model)
    for where, record in read_records(path):
        try:
            yield renderer.render(record)
        except RecordError as error:
            raise DataError(f"{where}: {error}") from error


def _hash(path: Path) -> str:
    digest = xxh3_128()
    try:
        with path.open("rb", buffering=0) as file:
            while block := file.read(1 << 23):
                digest.update(block)
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    return digest.hexdigest()


def _write(path: Path, rendered: Iterator[dict[str, Any]]) -> None:
    with atomic_file(path) as file:
        batch: list[dict[str, Any]] = []
        for sample in rendered:
            batch.append(sample)
            if len(batch) == BATCH:
                file.write(serialise(batch))
                batch = []
        file.write(serialise(batch))
