"""A run of any command: the same bytes for any workers, bad lines in their place, counts that add up."""

import base64
import gzip
import hashlib
import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import zygote
from support.filters import fork, start
from support.processes import ROOT, processor_seconds, wait_until

from llamax_cli.options.values import worker_count
from llamax_cli.records import PLAIN_TEXT

Filters = Callable[..., subprocess.CompletedProcess[bytes]]
GOOD = b"".join(b'{"text":"line %d \\u00e9","n":1.50}\n' % number for number in range(3000))
CAPITALS = GOOD.replace(b'"line', b'"LINE').replace(b"\\u00e9", "É".encode())
BAD = GOOD[:20_000].rsplit(b"\n", 1)[0] + b'\nnot json\n\n{"text":3}\n{"text":"refuse"}\n\xff\n' + GOOD


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """Return a file of good records."""
    (tmp_path / "good.jsonl").write_bytes(GOOD)
    return tmp_path / "good.jsonl"


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """Return a file with five bad lines of different kinds somewhere in it."""
    (tmp_path / "bad.jsonl").write_bytes(BAD)
    return tmp_path / "bad.jsonl"


def finished(process: zygote.Process, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
    """Wait for a process; return its exit code, stdout and stderr."""
    out, err = process.communicate(stdin, timeout=60)
    return process.wait(), out, err


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("chunk", [100, 1 << 20])
def test_workers_and_chunks_change_nothing(bad: Path, tmp_path: Path, workers: int, chunk: int) -> None:
    """Output and rejects have the same bytes for any number of workers and any size of chunk."""
    more = {"env": {"CHUNK": str(chunk)}, "cwd": tmp_path}
    code, out, err = finished(fork("upper", bad.name, "--rejects", "r", "--workers", workers, "--slow", 0, **more))
    first = GOOD[:20_000].count(b"\n")
    assert (code, out) == (0, CAPITALS[: sum(map(len, CAPITALS.splitlines(True)[:first]))] + CAPITALS)
    assert err.startswith(b"llamax upper: %d,%03d records; 5 rejected, see r; " % divmod(first + 3000, 1000))
    rejects = [json.loads(line) for line in (tmp_path / "r").read_bytes().splitlines()]
    assert [reject["line"] for reject in rejects] == [first + number for number in range(1, 6)]


def test_rejects_say_what_and_why(bad: Path, tmp_path: Path, filters: Filters) -> None:
    """A reject holds the input, the line, the reason and the original, in base64 where it is not UTF-8."""
    filters("upper", bad.name, "--rejects", "r")
    first = GOOD[:20_000].count(b"\n")
    assert [json.loads(line) for line in (tmp_path / "r").read_bytes().splitlines()] == [
        {
            "input": "bad.jsonl",
            "line": first + 1,
            "reason": f"not JSON: invalid character (byte 4){PLAIN_TEXT}",
            "raw": "not json",
        },
        {"input": "bad.jsonl", "line": first + 2, "reason": "empty line", "raw": ""},
        {"input": "bad.jsonl", "line": first + 3, "reason": "'text' is a number, not a string", "raw": '{"text":3}'},
        {"input": "bad.jsonl", "line": first + 4, "reason": "refused", "raw": '{"text":"refuse"}'},
        {
            "input": "bad.jsonl",
            "line": first + 5,
            "reason": "not UTF-8: byte 0xff at 0",
            "raw_base64": base64.b64encode(b"\xff").decode(),
        },
    ]


@pytest.mark.parametrize("command", ["upper", "ahead", "count"])
@pytest.mark.parametrize("chunk", [10, 1 << 20])
def test_a_bad_line_stops_the_run_after_what_came_before(command: str, chunk: int) -> None:
    """One line on stderr names the place, the exit code is 65, and all records before it are written."""
    text = {"count": b'{"n":2}\n{"n":1}\n[]\n{"n":5}\n'}.get(command, b'{"text":"a"}\n{"text":"b"}\n[]\n{"text":"c"}\n')
    expected = {"count": b'{"number":0}\n{"number":1}\n{"number":0}\n'}.get(command, b'{"text":"A"}\n{"text":"B"}\n')
    code, out, err = finished(fork(command, env={"CHUNK": str(chunk)}), text)
    assert (code, out) == (65, expected)
    hint = "is this a JSON array? make lines of it: jq -c '.[]'"
    reason = f"not a record: expected object, got array; {hint}; --rejects FILE sets such lines aside"
    assert err.decode() == f"llamax {command}: stdin:3: {reason}\n"


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("chunk", [100, 1 << 20])
def test_a_bad_line_stops_any_workers_at_the_same_byte(bad: Path, tmp_path: Path, workers: int, chunk: int) -> None:
    """What is written before the first bad line does not depend on the workers."""
    more = {"env": {"CHUNK": str(chunk)}, "cwd": tmp_path}
    code, out, err = finished(fork("upper", bad.name, "--workers", workers, **more))
    first = GOOD[:20_000].count(b"\n")
    assert (code, out) == (65, b"".join(CAPITALS.splitlines(True)[:first]))
    assert err.startswith(b"llamax upper: bad.jsonl:%d: not JSON: " % (first + 1))
    assert err.count(b"\n") == 1


@pytest.mark.parametrize("command", ["upper", "ahead"])
@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_the_limit_ends_the_run_at_a_record(command: str, chunk: int, tmp_path: Path) -> None:
    """After N records nothing more is read, written or rejected, whatever the chunks."""
    text = b'x\n{"text":"a"}\ny\n{"text":"b"}\nz\n'
    more = {"env": {"CHUNK": str(chunk)}, "cwd": tmp_path}
    code, out, err = finished(fork(command, "--limit", 2, "--rejects", "r", **more), text)
    assert (code, out) == (0, b'{"text":"A"}\n{"text":"B"}\n')
    assert [json.loads(line)["raw"] for line in (tmp_path / "r").read_bytes().splitlines()] == ["x", "y"]
    code, out, err = finished(fork(command, "--limit", 1, **more), text[2:])
    assert (code, out) == (0, b'{"text":"A"}\n')
    assert err.startswith(f"llamax {command}: 1 record (the limit); ".encode())


@pytest.mark.parametrize("workers", [1, 2])
def test_the_limit_counts_what_is_written(filters: Filters, workers: int) -> None:
    """The limit may fall among several records that a stage makes of one."""
    outcome = filters("upper", "--copies", 3, "--limit", 4, "--workers", workers, stdin=GOOD)
    assert (outcome.returncode, outcome.stdout.count(b"\n")) == (0, 4)


@pytest.mark.parametrize(
    ("limit", "code"),
    [("1", 65), ("2", 0), ("10%", 65), ("20%", 0), ("0.1", 65), ("0.2", 0), ("0", 65), ("100%", 0)],
)
@pytest.mark.parametrize("command", ["upper", "ahead"])
def test_a_flood_of_rejects_is_an_error(filters: Filters, tmp_path: Path, command: str, limit: str, code: int) -> None:
    """If more lines are rejected than the limit allows, no output appears."""
    text = b'{"text":"a"}\n' * 8 + b"x\ny\n"
    outcome = filters(command, "--rejects", "r", "--max-rejects", limit, "-o", "out", stdin=text)
    assert outcome.returncode == code
    assert (tmp_path / "out").exists() == (code == 0)
    if code:
        why = f"2 of 10 lines were rejected, more than --max-rejects {limit}; the reasons are in r"
        assert outcome.stderr.decode().startswith(f"llamax {command}: {why}")
        assert outcome.stderr.count(b"\n") == 1


@pytest.mark.parametrize("limit", ["-1", "x", "", "nan%", "-5%", "1.5", "200%"])
def test_a_limit_of_rejects_that_means_nothing_is_refused(filters: Filters, limit: str) -> None:
    """Neither a count nor a share: a usage error in one line."""
    outcome = filters("upper", "--rejects", "r", "--max-rejects", limit, stdin=b"")
    assert (outcome.returncode, outcome.stdout, outcome.stderr.count(b"\n")) == (2, b"", 1)


@pytest.mark.parametrize("window", [1, 2, 3, 7, 5000])
def test_a_stage_that_looks_ahead_stays_in_order(bad: Path, tmp_path: Path, filters: Filters, window: int) -> None:
    """Output and rejects are those of one record at a time, with any window."""
    text = bad.read_bytes().replace(b'{"text":"refuse"}\n', b"")
    bad.write_bytes(text)
    one, many = (
        (filters(*more, bad.name, "--rejects", "r").stdout, (tmp_path / "r").read_bytes())
        for more in (("upper",), ("ahead", "--window", window))
    )
    assert one == many


@pytest.mark.parametrize("place", ["head", "middle", "end"])
def test_several_inputs_are_one_stream(filters: Filters, tmp_path: Path, place: str) -> None:
    """Files are read in order, also after a last line without its end, and line numbers start again."""
    (tmp_path / "a").write_bytes(b'{"text":"a"}')
    (tmp_path / "b.gz").write_bytes(gzip.compress(b'{"text":"b"}\n') + gzip.compress(b'{"text":"c"}'))
    names = {"head": ("-", "a", "b.gz"), "middle": ("a", "-", "b.gz"), "end": ("a", "b.gz", "-")}[place]
    texts = {"a": b'{"text":"A"}\n', "b.gz": b'{"text":"B"}\n{"text":"C"}\n', "-": b'{"text":"D"}\n'}
    outcome = filters("upper", *names, stdin=b'{"text":"d"}')
    assert outcome.stdout == b"".join(texts[name] for name in names)
    outcome = filters("upper", *names, stdin=b"\nx")
    assert outcome.stderr == b"llamax upper: stdin:1: empty line; --rejects FILE sets such lines aside\n"


@pytest.mark.parametrize("command", ["upper", "ahead"])
@pytest.mark.parametrize("source", ["file", "stdin", "gz"])
def test_shards_joined_are_the_whole(filters: Filters, good: Path, tmp_path: Path, command: str, source: str) -> None:
    """The outputs of the shards, joined in order, are the output of the whole."""
    (tmp_path / "good.gz").write_bytes(gzip.compress(GOOD))
    name = {"file": "good.jsonl", "stdin": "-", "gz": "good.gz"}[source]
    parts = [filters(command, name, "--shard", f"{index}/3", stdin=GOOD).stdout for index in (1, 2, 3)]
    assert b"".join(parts) == CAPITALS
    assert min(map(len, parts)) > len(CAPITALS) // 4


# -- workers that die ------------------------------------------------------------------------------------------------


def children(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the ids of the processes that a process has started."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(each) for each in listed.split()]


@pytest.fixture
def slow(good: Path, tmp_path: Path) -> subprocess.Popen[bytes]:
    """Return a very long run with two workers."""
    return start("upper", good.name, "--slow", 0.01, "--workers", 2, cwd=tmp_path, env={"CHUNK": "1000"})


def test_a_killed_worker_ends_the_run_with_one_line(slow: subprocess.Popen[bytes]) -> None:
    """Exit code 1 and a line that says what happened; nothing hangs."""
    wait_until(lambda: len(children(slow)) == 2)
    os.kill(children(slow)[0], signal.SIGKILL)
    code, _, err = finished(slow)
    assert code == 1
    assert err == b"llamax upper: a worker process was killed, perhaps because memory ran out; try fewer --workers\n"


def test_a_killed_run_leaves_no_worker_behind(slow: subprocess.Popen[bytes]) -> None:
    """Workers end when the process that started them is killed."""
    wait_until(lambda: len(children(slow)) == 2)
    workers = children(slow)
    slow.kill()
    slow.communicate(timeout=20)
    wait_until(lambda: not any(Path(f"/proc/{each}").exists() for each in workers))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bug_in_a_stage_keeps_its_traceback(filters: Filters, workers: int) -> None:
    """An error that no user can fix shows its place in the code; the exit code is 1."""
    outcome = filters("upper", "--workers", workers, stdin=b'{"text":"crash"}\n')
    assert outcome.returncode == 1
    assert b"Traceback (most recent call last)" in outcome.stderr
    assert b"raise ZeroDivisionError" in outcome.stderr


# -- memory ----------------------------------------------------------------------------------------------------------


def peak(arguments: list[object], lines: int) -> int:
    """Return the peak memory, in bytes, of a command for a stream of `lines` lines."""
    block = b'{"text":"%s"}\n' % (b"x" * 4000) * 250
    with start(*arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        for _ in range(lines // 250):
            process.stdin.write(block)
        process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss << 10 if sys.platform == "linux" else usage.ru_maxrss


@pytest.mark.slow
@pytest.mark.parametrize("command", [["upper"], ["upper", "--workers", 2], ["ahead"]], ids=str)
def test_memory_does_not_grow_with_the_stream(command: list[object]) -> None:
    """A stream of 200 MB takes at most 30 MB more than a stream of 2 MB, also with workers and batches."""
    assert peak(command, 50_000 if command == ["upper"] else 12_000) - peak(command, 500) < 30 << 20


@pytest.mark.parametrize("workers", [1, 2])
def test_a_reader_that_takes_nothing_holds_the_writer_back(workers: int) -> None:
    """If the next program does not read, only a few chunks are read."""
    process = start("upper", "--workers", workers)
    assert process.stdin is not None
    os.set_blocking(process.stdin.fileno(), False)
    block, taken, last = b'{"text":"x"}\n' * 5000, 0, time.monotonic()
    while time.monotonic() - last < 1.5 and taken < 200 << 20:
        if select.select([], [process.stdin], [], 0.1)[1]:
            taken += os.write(process.stdin.fileno(), block)
            last = time.monotonic()
    assert taken < 20 << 20
    process.kill()
    process.communicate()


# -- manifest --------------------------------------------------------------------------------------------------------


def test_the_manifest_tells_the_run(bad: Path, tmp_path: Path, filters: Filters) -> None:
    """It has arguments after defaults, counts, and the bytes and hash of each input before decompression."""
    packed = gzip.compress(GOOD)
    (tmp_path / "good.gz").write_bytes(packed)
    filters("upper", bad.name, "good.gz", "-", "--rejects", "r", "--manifest", "m", "--workers", 2, stdin=GOOD)
    manifest = json.loads((tmp_path / "m").read_bytes())
    assert manifest["command"] == "upper"
    assert manifest["arguments"] == {
        "files": ["bad.jsonl", "good.gz", "-"],
        "slow": 0.0,
        "copies": 1,
        "output": None,
        "resume": False,
        "limit": None,
        "rejects": "r",
        "max_rejects": None,
        "manifest": "m",
        "quiet": False,
        "debug": False,
        "shard": "1/1",
        "workers": 2,
    }
    assert manifest["counts"] == {"in": BAD.count(b"\n") + 6000, "out": BAD.count(b"\n") + 5995, "rejected": 5}
    assert manifest["figures"]["tally"]["characters"] > 0
    assert [(each["path"], each["sha256"]) for each in manifest["inputs"]] == [
        (name, hashlib.sha256(data).hexdigest())
        for name, data in [("bad.jsonl", BAD), ("good.gz", packed), ("-", GOOD)]
    ]
    assert [each["bytes"] for each in manifest["inputs"]] == [len(BAD), len(packed), len(GOOD)]


@pytest.mark.parametrize("command", ["upper", "ahead", "count"])
def test_counts_add_up(filters: Filters, tmp_path: Path, command: str) -> None:
    """Lines in are records and rejected lines."""
    filters(command, "--rejects", "r", "--manifest", "m", stdin=b'{"text":"a","n":1}\nx\n{"text":"a","n":1}\n')
    assert json.loads((tmp_path / "m").read_bytes())["counts"] == {"in": 3, "out": 2, "rejected": 1}


def test_the_manifest_has_no_hash_of_what_was_not_read(filters: Filters, tmp_path: Path) -> None:
    """An input that was read up to the limit has no hash, since that of a part would be wrong."""
    (tmp_path / "in").write_bytes(GOOD * 20)
    filters("upper", "in", "--limit", 1, "--manifest", "m")
    assert json.loads((tmp_path / "m").read_bytes())["inputs"][0]["sha256"] is None


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_shard_is_hashed_as_the_whole_input(
    filters: Filters, tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    """The hash is of the whole input, spooled or not."""
    data = compress(GOOD)
    filters("upper", "--shard", "1/2", "--manifest", "m", stdin=data)
    digest = hashlib.sha256(data).hexdigest()
    assert json.loads((tmp_path / "m").read_bytes())["inputs"][0]["sha256"] == digest


# -- what a person sees ----------------------------------------------------------------------------------------------


@pytest.fixture
def on_terminal(tmp_path: Path) -> Callable[..., tuple[int, bytes, bytes]]:
    """Return a function that runs a command with stderr, and other named streams, on a terminal.

    It returns the exit code, stdout where that is no terminal, and what appeared on the terminal.
    """

    def run(*arguments: object, on: tuple[str, ...] = ("stderr",), stdin: bytes = b"") -> tuple[int, bytes, bytes]:
        controller, terminal = pty.openpty()
        seen: list[bytes] = []

        def watch() -> None:
            try:
                while data := os.read(controller, 1 << 16):
                    seen.append(data)
            except OSError:
                pass

        process = start(*arguments, cwd=tmp_path, env={"TERM": "xterm"}, **dict.fromkeys(on, terminal))
        os.close(terminal)
        watcher = threading.Thread(target=watch)
        watcher.start()
        out, _ = process.communicate(None if "stdin" in on else stdin, timeout=60)
        watcher.join(10)
        os.close(controller)
        return process.returncode, out or b"", b"".join(seen)

    return run


SLOW = ("upper", "good.jsonl", "--limit", 150, "--slow", 0.01)
Terminal = Callable[..., tuple[int, bytes, bytes]]


def test_off_a_terminal_there_is_only_the_summary(
    filters: Filters, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """stderr carries one line, and with -q none."""
    monkeypatch.setenv("CHUNK", "500")
    for quiet in ((), ("-q",)):
        err = filters(*SLOW, *quiet).stderr
        assert err.count(b"\n") == (not quiet)
        assert (b"\r" in err or b"\x1b" in err) is False


def test_a_bar_appears_on_a_terminal(good: Path, on_terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow run shows its progress, stdout has only the records, and the summary stays."""
    monkeypatch.setenv("CHUNK", "500")
    code, out, seen = on_terminal(*SLOW)
    assert (code, out) == (0, b"".join(CAPITALS.splitlines(True)[:150]))
    assert "━".encode() in seen
    assert b"llamax upper: 150 records (the limit); " in seen
    code, out, seen = on_terminal(*SLOW, "-q")
    assert (code, out, seen) == (0, b"".join(CAPITALS.splitlines(True)[:150]), b"")


def test_a_bar_appears_where_the_output_is_a_file(
    good: Path, on_terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With -o the terminal is free for the bar, even if stdout is on it."""
    monkeypatch.setenv("CHUNK", "500")
    code, _, seen = on_terminal(*SLOW, "-o", "out", on=("stderr", "stdout"))
    assert code == 0
    assert "━".encode() in seen


def test_a_quick_run_has_no_bar(good: Path, on_terminal: Terminal) -> None:
    """A bar is not drawn if there is no time to read it."""
    code, _, seen = on_terminal("upper", "good.jsonl")
    assert (code, "━".encode() in seen, b"3,000 records" in seen) == (0, False, True)


def test_stdin_on_a_terminal_shows_the_help(on_terminal: Terminal) -> None:
    """Without a file or a pipe there is no input: help is shown, and the exit code is 2."""
    code, out, seen = on_terminal("upper", on=("stdin", "stderr"))
    assert (code, out) == (2, b"")
    assert b"Usage:" in seen


def test_a_long_line_passes(tmp_path: Path) -> None:
    """A line of 50 MB takes a few times its length in memory, and little time."""
    (tmp_path / "in").write_bytes(b'{"text":"' + b"x" * (50 << 20) + b'"}\n')
    before = processor_seconds()
    command = f"ulimit -v {1 << 20}; exec {sys.executable} {ROOT}/tests/support/filters.py upper in -q -o out"
    assert subprocess.run(["bash", "-c", command], cwd=tmp_path, timeout=60).returncode == 0
    assert (tmp_path / "out").stat().st_size == (50 << 20) + 12
    assert processor_seconds() - before < 10


def test_a_hundred_thousand_workers_are_a_few(filters: Filters) -> None:
    """No more processes are started than a machine can use, and no more than there is work for."""
    outcome = filters("upper", "--workers", 100_000, stdin=b'{"text":"a"}\n')
    assert (outcome.returncode, outcome.stdout) == (0, b'{"text":"A"}\n')
    assert 1 <= worker_count(2) <= worker_count(100_000) <= max(32, 2 * (os.cpu_count() or 1))
