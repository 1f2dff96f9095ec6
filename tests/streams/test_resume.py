"""An interrupted run continues to the same bytes, or says why it cannot."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.filters import fork
from support.processes import one_line, wait_for, wait_for_handlers

Filters = Callable[..., subprocess.CompletedProcess[bytes]]
LINES = [b'{"text":"line %d","n":%d}\n' % (number, number % 7) for number in range(400)]
TEXT = b"".join(line if number % 50 != 11 else b"bad %d\n" % number for number, line in enumerate(LINES))
SMALL = {"CHUNK": "300", "CHECKPOINT": "0.02"}


@pytest.fixture(autouse=True)
def text(tmp_path: Path) -> Path:
    """Return the input, which has eight bad lines."""
    (tmp_path / "in").write_bytes(TEXT)
    return tmp_path / "in"


@pytest.mark.parametrize("command", ["upper", "ahead", "count"])
@pytest.mark.parametrize(
    ("ending", "by", "after"),
    [
        ("", signal.SIGTERM, 0.2),
        (".zst", signal.SIGINT, 0.3),
        ("", signal.SIGKILL, 0.1),
        (".gz", signal.SIGKILL, 0.4),
    ],
)
def test_a_resumed_run_gives_the_same_bytes(
    tmp_path: Path, filters: Filters, command: str, ending: str, by: int, after: float
) -> None:
    """After two interruptions, output and rejects are those of a run without any, and no other file is left."""
    slow = 0.001 if command == "count" else 0.003
    kept = filters(command, "in", "-o", f"whole{ending}", "--rejects", "whole.rejects")
    assert kept.returncode == 0
    out = f"out{ending}"
    for resume in ([], ["--resume"]):
        process = fork(
            command, "in", "-o", out, "--rejects", "out.rejects", "--slow", slow, *resume, env=SMALL, cwd=tmp_path
        )
        wait_for(tmp_path / f"{out}.partial")
        wait_for_handlers(process)
        time.sleep(after)
        process.send_signal(by)
        _, err = process.communicate(timeout=20)
        assert process.returncode == {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -9}[by], err
        assert not (tmp_path / out).exists()
    # Other numbers of workers and other sizes of chunks do not make it a different run.
    more = ["--workers", 2] if command == "upper" else []
    outcome = filters(command, "in", "-o", out, "--rejects", "out.rejects", "--slow", slow, "--resume", *more)
    assert outcome.returncode == 0, outcome.stderr
    assert (tmp_path / out).read_bytes() == (tmp_path / f"whole{ending}").read_bytes()
    assert (tmp_path / "out.rejects").read_bytes() == (tmp_path / "whole.rejects").read_bytes()
    assert {each.name for each in tmp_path.glob("out*")} == {out, "out.rejects"}
    assert kept.stderr.partition(b" s")[0].split(b";")[0] == outcome.stderr.partition(b" s")[0].split(b";")[0]


@pytest.fixture
def stopped(tmp_path: Path) -> Callable[..., bytes]:
    """Return a function that interrupts a run of `upper` over good lines and returns its stderr."""

    def run(*arguments: object, out: str = "out", by: int = signal.SIGTERM) -> bytes:
        (tmp_path / "in").write_bytes(b"".join(LINES))
        process = fork("upper", "in", "-o", out, "--slow", 0.002, *arguments, env=SMALL, cwd=tmp_path)
        wait_for((tmp_path / f"{out}.partial").resolve())
        time.sleep(0.3)
        process.send_signal(by)
        return process.communicate(timeout=20)[1]

    return run


Stopped = Callable[..., bytes]
RESUME = ("upper", "in", "-o", "out", "--slow", 0.002, "--resume")
CAPITALS = b"".join(LINES).replace(b"line", b"LINE")


def test_an_interrupted_run_says_what_is_kept(stopped: Stopped, tmp_path: Path) -> None:
    """One line: how it ended, how many records are kept, and where."""
    err = stopped().decode()
    count = (tmp_path / "out.partial").read_bytes().count(b"\n")
    assert err.startswith(f"llamax upper: terminated; {count} records are kept in ")
    assert err.endswith("out.partial: go on with --resume\n")
    assert err.count("\n") == 1


def test_a_torn_last_line_is_cut(stopped: Stopped, tmp_path: Path, filters: Filters) -> None:
    """Bytes after the last saved position are written again."""
    stopped()
    with (tmp_path / "out.partial").open("ab") as file:
        file.write(b'{"text":"torn')
    assert filters(*RESUME).returncode == 0
    assert (tmp_path / "out").read_bytes() == CAPITALS


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_without_resume_a_run_starts_afresh(stopped: Stopped, tmp_path: Path, filters: Filters, sign: int) -> None:
    """The files of an interrupted run are overwritten, and nothing of them stays."""
    stopped(by=sign)
    assert filters(*RESUME[:4], "--copies", 2).returncode == 0
    assert (tmp_path / "out").read_bytes().count(b"\n") == 800
    assert {each.name for each in tmp_path.glob("out*")} == {"out"}


def test_other_arguments_are_refused(stopped: Stopped, filters: Filters) -> None:
    """The line names each argument that differs, and what it was."""
    stopped()
    one_line(
        filters("upper", "in", "-o", "out", "--slow", 0.002, "--resume", "--copies", 2, "--limit", 9),
        1,
        "cannot resume with different arguments",
        "--copies was 1",
        "--limit was None",
    )


def test_another_command_is_refused(stopped: Stopped, filters: Filters) -> None:
    """A file that another command started is not continued."""
    stopped()
    outcome = filters("ahead", "in", "-o", "out", "--resume")
    assert outcome.returncode == 1
    assert b"`llamax upper`" in outcome.stderr
    assert outcome.stderr.count(b"\n") == 1


def test_another_input_is_refused(stopped: Stopped, tmp_path: Path, filters: Filters) -> None:
    """The lines that are done must be the same."""
    stopped()
    (tmp_path / "in").write_bytes(b"".join(LINES).replace(b"line 0", b"line x"))
    one_line(filters(*RESUME), 1, "the input differs from that of the interrupted run; start again without --resume")


def test_a_shorter_input_is_refused(stopped: Stopped, tmp_path: Path, filters: Filters) -> None:
    """An input that ends before the position of the interrupted run is a different one."""
    stopped()
    (tmp_path / "in").write_bytes(LINES[0])
    one_line(filters(*RESUME), 1, "the input is shorter than that of the interrupted run; start again without --resume")


def test_a_refused_resume_keeps_what_is_there(stopped: Stopped, tmp_path: Path, filters: Filters) -> None:
    """After a refusal, the right command still continues the run."""
    stopped()
    filters(*RESUME, "--copies", 2)
    right = (tmp_path / "in").read_bytes()
    (tmp_path / "in").write_bytes(LINES[0])
    filters(*RESUME)
    (tmp_path / "in").write_bytes(right)
    assert filters(*RESUME).returncode == 0
    assert (tmp_path / "out").read_bytes() == CAPITALS


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"x",
        b"[]",
        b"{}",
        b'{"run":{}}',
        b'{"run":[]}',
        b"\xff\n",
        b'{"run":{"format":1,"command":"upper","arguments":[1]}}',
    ],
)
def test_a_broken_state_is_told(stopped: Stopped, tmp_path: Path, filters: Filters, state: bytes) -> None:
    """The message names a state that cannot be read and says what to do."""
    stopped()
    (tmp_path / "out.partial.state").write_bytes(state)
    one_line(filters(*RESUME), 1, "out.partial.state is broken; start again without --resume")


@pytest.mark.parametrize(
    ("key", "value"),
    [("consumed", "x"), ("written", "x"), ("written", -1), ("rejects", None), ("counts", []), ("digest", 3)],
)
def test_a_state_of_wrong_kinds_is_told(
    stopped: Stopped, tmp_path: Path, filters: Filters, key: str, value: object
) -> None:
    """A state with values of a wrong type is as broken as one that is not JSON."""
    stopped()
    state = tmp_path / "out.partial.state"
    head, _, rest = state.read_bytes().partition(b"\n")
    state.write_bytes(json.dumps(json.loads(head) | {key: value}).encode() + b"\n" + rest)
    one_line(filters(*RESUME), 1)


def test_a_state_without_its_partial_file_is_told(stopped: Stopped, tmp_path: Path, filters: Filters) -> None:
    """The written part is gone; every run says so, and no output is made of the rest."""
    stopped()
    (tmp_path / "out.partial").unlink()
    for _ in range(2):
        one_line(filters(*RESUME), 1, "start again")
    assert not (tmp_path / "out").exists()


def test_a_complete_file_has_nothing_to_resume(filters: Filters, tmp_path: Path) -> None:
    """A complete output is not touched, and a line says so."""
    filters("upper", "in", "-o", "out", "--rejects", "r")
    before = (tmp_path / "out").stat()
    outcome = filters("upper", "in", "-o", "out", "--rejects", "r", "--resume")
    assert outcome.returncode == 0
    assert (
        outcome.stderr
        == b"llamax upper: out is already complete, so nothing is left to resume; remove it to run again\n"
    )
    assert (tmp_path / "out").stat() == before


def test_resume_wants_an_output(filters: Filters) -> None:
    """Standard output cannot be continued."""
    one_line(filters("upper", "in", "--resume"), 2, "--resume requires -o, the file that it continues")


def test_resume_with_nothing_there_begins(filters: Filters, tmp_path: Path) -> None:
    """The same command line works the first time too."""
    (tmp_path / "in").write_bytes(b"".join(LINES))
    assert filters("upper", "in", "-o", "out", "--resume").returncode == 0
    assert (tmp_path / "out").read_bytes() == CAPITALS


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
def test_an_old_file_is_not_taken_for_the_new_one(tmp_path: Path, filters: Filters, by: int) -> None:
    """A run that ended before it wrote anything is not complete just because an older file has its name."""
    (tmp_path / "out").write_bytes(b"old\n")
    (tmp_path / "in").write_bytes(b"".join(LINES))
    process = fork("upper", "in", "-o", "out", "--slow", 5, env=SMALL, cwd=tmp_path)
    wait_for(tmp_path / "out.partial")
    time.sleep(0.2)
    process.send_signal(by)
    process.communicate(timeout=20)
    filters("upper", "in", "-o", "out", "--resume")
    assert (tmp_path / "out").read_bytes() == CAPITALS


def test_a_link_is_gone_on_with_where_it_points(stopped: Stopped, tmp_path: Path, filters: Filters) -> None:
    """With an old file behind a link, the interrupted run is found beside that file."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "real").write_bytes(b"old\n")
    (tmp_path / "link").symlink_to("folder/real")
    (tmp_path / "in").write_bytes(b"".join(LINES))
    process = fork("upper", "in", "-o", "link", "--slow", 0.002, env=SMALL, cwd=tmp_path)
    wait_for(tmp_path / "folder" / "real.partial")
    time.sleep(0.3)
    process.terminate()
    process.communicate(timeout=20)
    outcome = filters("upper", "in", "-o", "link", "--slow", 0.002, "--resume")
    assert outcome.returncode == 0
    assert (tmp_path / "folder" / "real").read_bytes() == CAPITALS
    assert (tmp_path / "link").is_symlink()


def test_rejects_that_became_shorter_are_not_filled_up(tmp_path: Path, filters: Filters) -> None:
    """A rejects file that became shorter is an error, and is never filled with zeros."""
    process = fork("upper", "in", "-o", "out", "--rejects", "r", "--slow", 0.002, env=SMALL, cwd=tmp_path)
    wait_for(tmp_path / "out.partial")
    time.sleep(0.4)
    process.terminate()
    process.communicate(timeout=20)
    assert (tmp_path / "r").stat().st_size
    (tmp_path / "r").write_bytes(b"")
    outcome = filters("upper", "in", "-o", "out", "--rejects", "r", "--slow", 0.002, "--resume")
    assert outcome.returncode == 1
    assert b"\0" not in (tmp_path / "r").read_bytes()


def test_a_run_that_a_bad_line_ended_goes_on_with_rejects(tmp_path: Path, filters: Filters) -> None:
    """The records before the bad line are kept; with --rejects the rest follows, to the same bytes."""
    first = filters("upper", "in", "-o", "out")
    assert first.returncode == 65
    assert b"in:12: not JSON" in first.stderr
    assert b"; 11 records are kept in " in first.stderr
    assert filters("upper", "in", "-o", "out", "--rejects", "r", "--resume").returncode == 0
    filters("upper", "in", "-o", "whole", "--rejects", "whole.rejects")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "whole").read_bytes()
    assert (tmp_path / "r").read_bytes() == (tmp_path / "whole.rejects").read_bytes()


@pytest.mark.parametrize("limit", [50, 200, 390])
def test_a_resumed_run_keeps_its_limit(stopped: Stopped, tmp_path: Path, filters: Filters, limit: int) -> None:
    """The limit includes the records written before the interruption."""
    stopped("--limit", limit)
    filters(*RESUME, "--limit", limit)
    assert (tmp_path / "out").read_bytes() == b"".join(CAPITALS.splitlines(True)[:limit])


def test_a_shard_is_gone_on_with(stopped: Stopped, tmp_path: Path, filters: Filters) -> None:
    """An interrupted shard continues within its bounds."""
    stopped("--shard", "2/3")
    filters(*RESUME, "--shard", "2/3")
    assert (tmp_path / "out").read_bytes() == filters("upper", "in", "--shard", "2/3").stdout


def test_a_state_that_cannot_be_saved_is_not_promised(tmp_path: Path) -> None:
    """Where no state could be saved there is nothing to continue, and the line says so."""
    process = fork("upper", "in", "-o", "out", "--rejects", "r", "--slow", 0.005, env={"CHUNK": "300"}, cwd=tmp_path)
    wait_for(tmp_path / "out.partial", size=1, process=process)
    (tmp_path / "out.partial.state.partial").mkdir()
    process.terminate()
    _, err = process.communicate(timeout=20)
    state = tmp_path / "out.partial.state"
    said = f"terminated; nothing can be resumed, because the state cannot be saved: {state}: is a directory\n"
    assert (process.returncode, err.decode()) == (143, f"llamax upper: {said}")


def test_an_older_state_is_what_is_promised(tmp_path: Path, filters: Filters) -> None:
    """Where a later state cannot be saved, the line counts the records of the one that is on disk."""
    (tmp_path / "in").write_bytes(b"".join(LINES))
    process = fork("upper", "in", "-o", "out", "--slow", 0.005, env=SMALL, cwd=tmp_path)
    wait_for(tmp_path / "out.partial.state", process=process)
    while True:
        try:
            (tmp_path / "out.partial.state.partial").mkdir()
            break
        except FileExistsError:  # the run is just writing it
            time.sleep(0.001)
    _, err = process.communicate(timeout=20)
    count = json.loads((tmp_path / "out.partial.state").read_bytes().partition(b"\n")[0])["counts"]["out"]
    kept = (
        f"{count} records are kept in {tmp_path / 'out.partial'}: go on with --resume; the state after that cannot be"
    )
    assert (process.returncode, err.count(b"\n")) == (1, 1)
    assert kept in err.decode()
    (tmp_path / "out.partial.state.partial").rmdir()
    assert filters(*RESUME[:4], "--slow", 0.005, "--resume").returncode == 0
    assert (tmp_path / "out").read_bytes() == CAPITALS
