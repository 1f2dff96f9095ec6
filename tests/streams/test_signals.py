"""How a run ends at a signal, or when its reader is gone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from support import zygote
from support.filters import fork, start
from support.processes import wait_for, wait_for_handlers, wait_until

LINE = b'{"text":"a line of some length, so that a pipe is soon full"}\n'
SIGNALS = {
    signal.SIGINT: (130, b"interrupted"),
    signal.SIGTERM: (143, b"terminated"),
    signal.SIGHUP: (129, b"terminated"),
}


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """Return a file of 20,000 records, more than pipes hold."""
    (tmp_path / "in").write_bytes(LINE * 20_000)
    return tmp_path / "in"


def reading(process: subprocess.Popen[bytes]) -> None:
    """Wait until a command has written its first line."""
    assert process.stdout is not None
    assert process.stdout.readline()


@pytest.mark.parametrize("by", SIGNALS)
@pytest.mark.parametrize("command", [["upper"], ["upper", "--workers", 2], ["ahead"], ["count"]], ids=str)
def test_a_signal_ends_a_run_with_one_line(tmp_path: Path, by: int, command: list[object]) -> None:
    """The exit code tells the signal, stderr has one line, and stdout has whole records."""
    (tmp_path / "in").write_bytes(b'{"text":"x","n":1000}\n' * 3000)
    process = start(*command, "in", "--slow", 0.005, cwd=tmp_path, env={"CHUNK": "500"})
    if command != ["count"]:
        reading(process)
    else:
        time.sleep(1)
    process.send_signal(by)
    out, err = process.communicate(timeout=20)
    code, word = SIGNALS[by]
    assert (process.returncode, err) == (code, b"llamax %s: %s\n" % (str(command[0]).encode(), word))
    assert out.endswith(b"\n") or not out


@pytest.mark.parametrize("by", SIGNALS)
def test_a_signal_does_not_wait_for_the_workers(text: Path, by: int) -> None:
    """A run ends at once, however much work its workers have left."""
    process = start("upper", text, "--slow", 0.05, "--workers", 2)
    time.sleep(1.5)
    process.send_signal(by)
    try:
        _, err = process.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        pytest.fail("still there five seconds after the signal")
    assert (process.returncode, err) == (SIGNALS[by][0], b"llamax upper: %s\n" % SIGNALS[by][1])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_key_press_reaches_every_process_and_gives_one_line(text: Path, workers: int) -> None:
    """SIGINT to the whole group, as a terminal sends it, at any moment after the handlers are set."""
    for wait in (0.05, 0.15, 0.3):
        process = start("upper", text, "-o", "/dev/null", "--slow", 0.0, "--workers", workers, start_new_session=True)
        wait_for_handlers(process)
        time.sleep(wait)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert (process.returncode, err) in [(130, b"llamax upper: interrupted\n"), (0, err)]
        assert b"Traceback" not in err


def ended(process: subprocess.Popen[bytes] | zygote.Process, seconds: float) -> tuple[int, bytes]:
    """Return the exit code and stderr of a command that ends in time, and check that its whole group has ended."""
    try:
        _, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        pytest.fail(f"still there {seconds} seconds after the signal")
    wait_until(lambda: not group(process.pid), seconds=seconds)
    return process.wait(), err


def group(number: int) -> list[str]:
    """Return the processes of a group that have not ended."""
    listed = subprocess.run(["ps", "-o", "stat=", "-g", str(number)], capture_output=True, text=True).stdout
    return [state for state in listed.split() if not state.startswith("Z")]


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("by", SIGNALS)
def test_workers_that_are_writing_do_not_hold_up_the_end(tmp_path: Path, by: int, twice: bool) -> None:
    """A signal to the whole group ends all at once, wherever the workers are in their answers."""
    (tmp_path / "in").write_bytes(LINE * 200_000)
    for wait in (0.02, 0.05, 0.09, 0.14, 0.2, 0.25):
        out = f"out{wait}"
        process = fork("upper", "in", "--copies", 4, "-o", out, "--workers", 2, cwd=tmp_path, start_new_session=True)
        wait_for(tmp_path / f"{out}.partial", size=1, process=process)
        time.sleep(wait)
        os.killpg(process.pid, by)
        if twice:
            with suppress(ProcessLookupError):  # it may have ended by now
                os.killpg(process.pid, by)
        code, err = ended(process, 10)
        assert code == SIGNALS[by][0], err
        assert err.startswith(b"llamax upper: %s; " % SIGNALS[by][1])
        assert err.count(b"\n") == 1


@pytest.mark.parametrize("by", SIGNALS)
def test_a_pipe_that_nobody_reads_does_not_hold_up_the_end(text: Path, by: int) -> None:
    """The run waits for its reader, its workers wait for the run, and a signal ends them all."""
    process = start("upper", text, "--workers", 2, start_new_session=True)
    time.sleep(1)
    os.killpg(process.pid, by)
    code, err = ended(process, 10)
    assert (code, err) == (SIGNALS[by][0], b"llamax upper: %s\n" % SIGNALS[by][1])


def test_nohup_is_respected(text: Path) -> None:
    """Where SIGHUP is ignored at the start, the run outlives its terminal."""
    ignored = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)  # noqa: E731
    process = start("upper", text, "-o", os.devnull, "--workers", 2, preexec_fn=ignored, start_new_session=True)
    wait_for_handlers(process)
    os.killpg(process.pid, signal.SIGHUP)
    code, err = ended(process, 60)
    assert (code, err.partition(b";")[0]) == (0, b"llamax upper: 20,000 records")


def test_a_later_signal_kills_a_run_that_does_not_end(tmp_path: Path) -> None:
    """The first signal lets a run close and save; where that takes too long, another one ends it."""
    script = (
        "import time; from llamax_cli import cli, interruption\n"
        "def run(arguments):\n"
        "    try:\n"
        "        print('working', flush=True)\n"
        "        time.sleep(60)\n"
        "    finally:\n"
        "        interruption.notice()\n"
        "        print('closing', flush=True)\n"
        "        while True: time.sleep(1)\n"
        "interruption.PATIENCE = 0.5; cli.run = run; cli.main()"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"working\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == b"closing\n"
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == -signal.SIGINT
    process.stdout.close()


LOST = {
    "in a callback": "weakref.finalize(set_up(), wait)",
    "in a library": "try: wait()\nexcept BaseException: pass",
    "as another error": "try: wait()\nexcept BaseException: raise ImportError('numpy failed to import') from None",
}


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("by", SIGNALS)
def test_an_exception_that_is_lost_is_raised_again(by: int, how: str) -> None:
    """Python drops what is raised in a callback, such as those of its imports; the run ends all the same."""
    script = (
        "import time, sys, weakref\nfrom llamax_cli import cli\nclass set_up: pass\n"
        "def wait():\n    print('now', flush=True); time.sleep(0.3)\n    for _ in range(10**6): pass\n"
        "def application():\n    exec(sys.argv[1])\n    time.sleep(60)\ncli.application = application; cli.main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, LOST[how]], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"now\n"
    process.send_signal(by)
    _, err = process.communicate(timeout=20)
    word = SIGNALS[by][1] + (b"; numpy failed to import" if how == "as another error" else b"")
    assert (process.returncode, err) == (SIGNALS[by][0], b"llamax: %s\n" % word)


@pytest.mark.parametrize("by", SIGNALS)
def test_a_signal_while_a_run_begins_gives_no_traceback(text: Path, by: int) -> None:
    """Before the first record, or in the middle of the imports, a signal ends the run as at any other time."""
    for wait in (0.12, 0.16, 0.2, 0.24, 0.3):
        process = start("upper", text, "--slow", 0.001, stdout=subprocess.DEVNULL)
        time.sleep(wait)
        process.send_signal(by)
        _, err = process.communicate(timeout=20)
        assert b"Traceback" not in err
        assert process.returncode in {SIGNALS[by][0], -by}


def test_a_reader_that_goes_away_ends_a_run_in_silence(text: Path) -> None:
    """`| head -n 1` gets its line; the exit code is 141 and stderr is empty."""
    for more in ([], ["--workers", 2]):
        with start("upper", text, *more) as process:
            reading(process)
            assert process.stdout is not None
            process.stdout.close()
            assert process.stderr is not None
            assert (process.stderr.read(), process.wait(20)) == (b"", 141)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["upper", "--help"]], ids=str)
def test_nobody_reads_the_help(arguments: list[str]) -> None:
    """Help into a closed pipe is silent."""
    reader, writer = os.pipe()
    os.close(reader)
    process = start(*arguments, stdout=writer)
    os.close(writer)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (141, b"")


def test_a_named_pipe_whose_reader_goes_away(text: Path, tmp_path: Path) -> None:
    """`-o FIFO` ends as standard output does."""
    os.mkfifo(tmp_path / "fifo")
    process = start("upper", text, "-o", tmp_path / "fifo")
    with (tmp_path / "fifo").open("rb") as reader:
        reader.readline()
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (141, b"")


def test_the_real_command_ends_like_the_others(tmp_path: Path, llamax: Callable[..., object]) -> None:
    """`llamax convert` in a shell with `head`, and its exit code in PIPESTATUS."""
    (tmp_path / "in.txt").write_bytes(b"a line of text that is long enough\n" * 100_000)
    script = f"{sys.executable} -m llamax_cli convert in.txt --langs en | head -n 1 > out; echo ${{PIPESTATUS[0]}}"
    outcome = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, timeout=60)
    assert (outcome.stdout, outcome.stderr) == (b"141\n", b"")
    assert (tmp_path / "out").read_bytes().count(b"\n") == 1
