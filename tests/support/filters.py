"""Commands for tests, a few lines each: every promise of a stream has to come to them for nothing.

python tests/support/filters.py upper FILE -o OUT --workers 2
"""

if __name__ == "__main__":  # as the real way in: an interrupt while modules load, even the first ones, is no traceback
    import _signal

    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from llamax_cli import cli
from llamax_cli.errors import RecordError
from llamax_cli.options.command import command
from llamax_cli.records import Record, text
from llamax_cli.streams import inputs, journal
from llamax_cli.streams.chunks import Tally, Transform
from llamax_cli.streams.groups import Grouping, GroupTransform, Preparation
from llamax_cli.streams.run import Run

if TYPE_CHECKING:
    from support import zygote


def start(*arguments: object, **more: Any) -> subprocess.Popen[bytes]:
    """Begin one of the commands in a process of its own; `CHUNK` and `CHECKPOINT` in its environment set these."""
    pipes = {name: more.pop(name, subprocess.PIPE) for name in ("stdin", "stdout", "stderr")}
    environment = {**os.environ, **more.pop("env", {})}
    return subprocess.Popen([sys.executable, __file__, *map(str, arguments)], **pipes, env=environment, **more)


def fork(*arguments: object, **more: Any) -> "zygote.Process":
    """Begin one of the commands as `start` does, but forked from a process that has the libraries loaded."""
    from support import zygote

    environment = {**os.environ, **more.pop("env", {})}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return zygote.zygote("small").start([__file__, *arguments], **pipes, env=environment, **more)


@command(shard=True, workers=True)
def upper(run: Run, slow: Annotated[float, Option()] = 0.0, copies: Annotated[int, Option()] = 1) -> None:
    """Put the text in capitals; `--slow` seconds a record, `--copies` of each; the text `crash` is a bug."""
    run.map(lambda: _upper(slow, copies))


def _upper(slow: float, copies: int) -> Transform:
    def stage(record: Record, tally: Tally) -> Iterable[Record]:
        given = text(record, "text")
        if given == "crash":
            raise ZeroDivisionError
        if given == "refuse":
            raise RecordError("refused")
        time.sleep(slow)
        tally["characters"] += len(given)
        return [{**record, "text": given.upper()}] * copies

    return stage


@command(shard=True, workers=True)
def pass_on(run: Run) -> None:
    """Do nothing: what reading and writing cost."""
    run.map(lambda: lambda record, tally: (record,))


@command(shard=True)
def ahead(run: Run, window: Annotated[int, Option()] = 4, slow: Annotated[float, Option()] = 0.0) -> None:
    """Take `--window` records ahead, as batches for a model do, and answer them one by one, slowly."""

    def stage(records: Iterator[Record]) -> Iterator[Iterable[Record] | RecordError]:
        batch: list[Record] = []
        for record in records:
            batch.append(record)
            if len(batch) == window:
                yield from map(answer, batch)
                batch = []
        yield from map(answer, batch)

    def answer(record: Record) -> Iterable[Record] | RecordError:
        time.sleep(slow)
        try:
            return [{**record, "text": text(record, "text").upper()}]
        except RecordError as error:
            return error

    run.stream(stage)


@command(workers=True)
def join(run: Run, slow: Annotated[float, Option()] = 0.0, together: Annotated[int | None, Option()] = None) -> None:
    """Make one record of consecutive ones with the same `key`: their texts, one after the other.

    With `--together N` the groups of up to N records are prepared at once, slowly.
    """
    grouping = Grouping(_read_keyed, lambda one, other: one[0] == other[0])
    if together is None:
        run.map_groups(lambda: _join(slow), grouping)
    else:
        run.map_prepared(_join(0), Preparation(lambda groups: _prepare(groups, slow), together), grouping)


def _prepare(groups: list[list[tuple[str, str]]], slow: float) -> list[list[tuple[str, str]]]:
    time.sleep(slow * len(groups))
    return groups


def _read_keyed(record: Record) -> tuple[str, str]:
    return text(record, "key"), text(record, "text")


def _join(slow: float) -> GroupTransform[tuple[str, str]]:
    def stage(group: list[tuple[str, str]], tally: Tally) -> Iterable[Record]:
        time.sleep(slow)
        tally["records in groups"] += len(group)
        return [{"key": group[0][0], "text": "".join(each for _, each in group)}]

    return stage


@command()
def count(run: Run, slow: Annotated[float, Option()] = 0.0) -> None:
    """Write as many records as the lines of the input say: `{"n": 3}`."""
    run.write(_numbers(run, slow))


def _numbers(run: Run, slow: float) -> Iterator[Record]:
    for record in run.read():
        for number in range(int(bytes(record["n"]))):
            time.sleep(slow)
            yield {"number": number}


if __name__ == "__main__":
    inputs.CHUNK = int(os.environ.get("CHUNK", inputs.CHUNK))
    journal.CHECKPOINT = float(os.environ.get("CHECKPOINT", journal.CHECKPOINT))
    for each in (upper, pass_on, ahead, join, count):
        name = each.__name__.replace("_", "-")
        cli.COMMANDS[name] = str(each.__doc__)
        sys.modules[f"llamax_cli.commands.{each.__name__}"] = sys.modules["__main__"]
    cli.main()
