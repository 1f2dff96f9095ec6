"""Temporary folders: gone when their run is, at the latest when the next one begins."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from support.processes import wait_until

from llamax_cli.streams import temporary
from llamax_cli.streams.temporary import TemporaryFolder, reclaim, temporary_error

PAIR = b'{"src":"one","tgt":"eins","src_lang":"en","tgt_lang":"de"}\n'
RUNS: dict[str, tuple[list[str], bytes]] = {
    "mix": (["mix", "--para", "-", "--workers", "2"], PAIR),
    "analyze corpus": (["analyze", "corpus", "-"], PAIR),
    "build-lexicon": (["build-lexicon", "--langs", "en-de", "-"], b"one eins\n"),
    "a spooled input": (["augment", "--dict", "x.lex", "--shard", "1/2"], PAIR),
}
HOST = os.uname().nodename


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, which TMPDIR names."""
    made = tmp_path / "tmp"
    made.mkdir()
    monkeypatch.setenv("TMPDIR", str(made))
    monkeypatch.setattr(temporary.tempfile, "tempdir", None)
    return made


@pytest.fixture
def waiting(folder: Path, tmp_path: Path) -> Callable[[Sequence[str], bytes], subprocess.Popen[bytes]]:
    """Return a function that starts a command which has a temporary folder and waits for more input."""
    (tmp_path / "en-de.txt").write_bytes(b"one eins\n")
    command = [sys.executable, "-m", "llamax_cli"]
    subprocess.run([*command, "build-lexicon", "-q", "en-de.txt", "-o", "x.lex"], cwd=tmp_path, check=True)

    def start(arguments: Sequence[str], given: bytes) -> subprocess.Popen[bytes]:
        before = set(folder.iterdir())
        process = subprocess.Popen(
            [*command, *arguments, "-q", "-o", f"out-{arguments[0]}"],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
        )
        assert process.stdin is not None
        process.stdin.write(given)
        process.stdin.flush()
        wait_until(lambda: set(folder.glob("llamax-*")) - before, process)
        return process

    return start


@pytest.mark.parametrize("name", RUNS)
def test_what_a_killed_run_leaves_is_removed_by_the_next(
    waiting: Callable[..., subprocess.Popen[bytes]], folder: Path, name: str
) -> None:
    """SIGKILL leaves the folder; a run of any command that needs one itself removes it, and leaves none."""
    killed = waiting(*RUNS[name])
    killed.kill()
    killed.communicate()
    assert len(list(folder.glob("llamax-*"))) == 1
    for other in RUNS:
        if other != name:
            _, err = waiting(*RUNS[other]).communicate(timeout=60)
            assert err == b""
    assert list(folder.iterdir()) == []


def test_a_run_keeps_its_folder_while_others_begin(
    waiting: Callable[..., subprocess.Popen[bytes]], folder: Path, tmp_path: Path
) -> None:
    """What is in use is not removed, and the output is whole."""
    first = waiting(*RUNS["mix"])
    kept = list(folder.iterdir())
    assert waiting(*RUNS["build-lexicon"]).communicate(timeout=60)[1] == b""
    assert list(folder.iterdir()) == kept
    assert first.communicate(PAIR.replace(b"one", b"two"), timeout=60)[1] == b""
    assert (tmp_path / "out-mix").read_bytes().count(b"\n") == 6
    assert list(folder.iterdir()) == []


def test_the_owner_decides(folder: Path) -> None:
    """A folder is removed if its process is gone from this machine, its number used again or not, and nothing else."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    gone = [f"llamax-{HOST}-{ended.pid}-1-abc", f"llamax-{HOST}-{os.getpid()}-1-abc"]
    others = [f"llamax-other-{ended.pid}-1-abc", "llamax-x", "llamax-a-b-c-d", "elsewhere", f"llamax-{HOST}-x-1-abc"]
    for name in (*gone, *others):
        (folder / name / "within").mkdir(parents=True)
        (folder / name / "within" / "file").touch()
    (folder / f"llamax-{HOST}-{ended.pid}-1-link").symlink_to(folder / "elsewhere")
    locked = folder / f"llamax-{HOST}-{ended.pid}-1-locked"
    locked.mkdir()
    descriptor = os.open(locked, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    mine = TemporaryFolder()
    reclaim(folder)
    left = {each.name for each in folder.iterdir()}
    assert left == {*others, f"llamax-{HOST}-{ended.pid}-1-link", locked.name, mine.path.name}
    assert (folder / "elsewhere" / "within" / "file").exists()
    os.close(descriptor)
    mine.cleanup()
    reclaim(folder)
    assert {each.name for each in folder.iterdir()} == {*others, f"llamax-{HOST}-{ended.pid}-1-link"}


def test_a_full_disk_is_told_with_what_lies_there(folder: Path) -> None:
    """The folders of other runs are named with their sizes, but not in other errors, nor the run's own folder."""
    mine = TemporaryFolder()
    (mine.path / "own").write_bytes(bytes(9_000_000))
    (folder / "llamax-other-7-1-abc").mkdir()
    (folder / "llamax-other-7-1-abc" / "rows").write_bytes(bytes(3_000_000))
    full = str(temporary_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
    advice = "set TMPDIR to a folder with more space"
    assert full == f"{folder}: no space left on device; {advice}; it also holds llamax-other-7-1-abc (3 MB)"
    assert str(temporary_error(OSError(errno.EMFILE, "Too many"))) == f"{folder}: too many; {advice}"
    mine.cleanup()
