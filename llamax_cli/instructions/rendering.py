"""A file of any form as a file of Samples, in the cache of a run: from there on it is trained on like any other."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from xxhash import xxh3_128

from llamax_cli.errors import DataError, FileError, RecordError, because
from llamax_cli.instructions.chat import Chat
from llamax_cli.instructions.data_files import items
from llamax_cli.instructions.forms import Forms
from llamax_cli.instructions.questions import questions
from llamax_cli.records import serialise
from llamax_cli.training.dataset import Rendered, appearing
from llamax_cli.training.job import Job

VERSION = "1"  # of how records are rendered: another one, another file
BATCH = 1000  # samples written at once


def renderer(job: Job, tokenizer: Any) -> Callable[[Path], Rendered] | None:
    """Return what makes a file of Samples of a file of the user's; None where the data are Samples.

    The file is made once for a content and what a chat is written with, and appears whole; a resumed run finds it.
    """
    if job.command == "train":
        return None
    return partial(_render, job.task, tokenizer, job.tokenizer, job.cache)


def _render(task: str, tokenizer: Any, model: str, cache: Path, path: Path) -> Rendered:
    content = _content(path)
    special = sorted(map(str, getattr(tokenizer, "added_tokens_decoder", {}).values()))
    chat = [str(getattr(tokenizer, name, None)) for name in ("chat_template", "bos_token", "eos_token")]
    key = xxh3_128("\0".join([content, VERSION, task, *chat, *special]).encode()).hexdigest()
    made = cache / f"rendered-{key}.jsonl"
    if not made.exists():
        _write(made, samples(path, task, lambda: Chat(tokenizer, model)))
    return Rendered(path, made, content)


def samples(path: Path, task: str, chat: Callable[[], Chat]) -> Iterator[dict[str, Any]]:
    """Yield each record of a file as a Sample; DataError, with the place, for one that cannot be one."""
    if task:
        for question in questions(path, task):
            yield question.sample(task)
        return
    forms = Forms(chat)
    for where, record in items(path):
        try:
            yield forms.render(record)
        except RecordError as error:
            raise DataError(f"{where}: {error}") from error


def _content(path: Path) -> str:
    digest = xxh3_128()
    try:
        with path.open("rb", buffering=0) as file:
            while block := file.read(1 << 23):
                digest.update(block)
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    return digest.hexdigest()


def _write(path: Path, made: Iterator[dict[str, Any]]) -> None:
    with appearing(path) as file:
        batch: list[dict[str, Any]] = []
        for sample in made:
            batch.append(sample)
            if len(batch) == BATCH:
                file.write(serialise(batch))
                batch = []
        file.write(serialise(batch))
