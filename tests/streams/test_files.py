"""Outputs appear only when they are complete, and only regular files are ever replaced."""

import bz2
import errno
import fcntl
import gzip
import hashlib
import lzma
import os
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from support.filters import start
from support.processes import wait_for

from llamax_cli.conversion.writers import MosesFiles
from llamax_cli.errors import FileError
from llamax_cli.streams.outputs import AtomicFile

Filters = Callable[..., subprocess.CompletedProcess[bytes]]
LINES = b'{"text":"a"}\n' * 300
CAPITALS = LINES.replace(b"a", b"A")
OPEN = {
    "": bytes,
    ".gz": gzip.decompress,
    ".zst": lambda data: zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read(),
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
}


@pytest.fixture
def slow(tmp_path: Path) -> Callable[[str], subprocess.Popen[bytes]]:
    """Return a function that starts a run with an output file; the run waits for the end of its input."""

    def begin(name: str) -> subprocess.Popen[bytes]:
        process = start("upper", "-o", name, cwd=tmp_path)
        assert process.stdin is not None
        process.stdin.write(LINES)
        process.stdin.flush()
        wait_for((tmp_path / name).resolve().with_name((tmp_path / name).resolve().name + ".partial"))
        return process

    return begin


Slow = Callable[[str], subprocess.Popen[bytes]]


def test_an_output_appears_when_it_is_whole(slow: Slow, tmp_path: Path) -> None:
    """During the run there is FILE.partial and no FILE, after it only FILE."""
    process = slow("out")
    assert not (tmp_path / "out").exists()
    process.communicate(timeout=20)
    assert [each.name for each in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out").read_bytes() == CAPITALS


def test_an_old_output_stays_until_the_new_one_is_whole(slow: Slow, tmp_path: Path) -> None:
    """The new file replaces the old one in one step; whoever reads the old file still reads the old bytes."""
    (tmp_path / "out").write_bytes(b"old\n")
    with (tmp_path / "out").open("rb") as reader:
        process = slow("out")
        assert (tmp_path / "out").read_bytes() == b"old\n"
        process.communicate(timeout=20)
        assert (tmp_path / "out").read_bytes() == CAPITALS
        assert reader.read() == b"old\n"


def test_an_old_output_stays_where_the_run_fails(filters: Filters, tmp_path: Path) -> None:
    """After a bad line the old file is unchanged."""
    (tmp_path / "out").write_bytes(b"old\n")
    assert filters("upper", "-o", "out", stdin=LINES + b"x\n").returncode == 65
    assert (tmp_path / "out").read_bytes() == b"old\n"


def test_a_run_that_wrote_nothing_leaves_nothing(filters: Filters, tmp_path: Path) -> None:
    """If the first line is bad, there is no partial file, no state and no output."""
    assert filters("upper", "-o", "out", stdin=b"x\n").returncode == 65
    assert list(tmp_path.iterdir()) == []


def test_an_empty_input_gives_an_empty_output(filters: Filters, tmp_path: Path) -> None:
    """An empty input gives a complete output without records."""
    for ending, opened in OPEN.items():
        assert filters("upper", "-o", f"out{ending}").returncode == 0
        assert opened((tmp_path / f"out{ending}").read_bytes()) == b""


@pytest.mark.slow
@pytest.mark.parametrize("ending", OPEN)
def test_an_ending_compresses(filters: Filters, tmp_path: Path, ending: str) -> None:
    """The ending of the name chooses the compression; the text is the same, and so are the bytes every time."""
    text = b"".join(b'{"text":"%s"}\n' % hashlib.sha512(b"%d" % n).hexdigest().encode() * 4 for n in range(3_000))
    filters("upper", "-o", f"out{ending}", stdin=text)
    once = (tmp_path / f"out{ending}").read_bytes()
    assert opened_lower(once, ending) == text.lower()
    filters("ahead", "-o", f"out{ending}", "--window", 7, stdin=text[:70_000].rsplit(b"\n", 1)[0] + b"\n")
    assert opened_lower((tmp_path / f"out{ending}").read_bytes(), ending) in text.lower()


def opened_lower(data: bytes, ending: str) -> bytes:
    """Return decompressed text in lower case."""
    return bytes(OPEN[ending](data)).lower()


@pytest.mark.slow
def test_a_compressed_output_costs_about_the_same_for_each_record(tmp_path: Path) -> None:
    """Many small records in one block take time in proportion to their number."""

    def seconds(count: int) -> float:
        with start("ahead", "-o", "out.gz", "-q", cwd=tmp_path) as process:
            assert process.stdin is not None
            process.stdin.write(b'{"text":""}\n' * count)
            process.stdin.close()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        return usage.ru_utime + usage.ru_stime

    nothing, few, many = (min(seconds(count) for _ in range(3)) for count in (1, 2_000, 20_000))
    assert many - nothing < 2 * 10 * max(few - nothing, 0.05)


def test_a_link_stays_a_link(filters: Filters, tmp_path: Path) -> None:
    """The file that a link points to is replaced, whether it exists or not."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/real")
    for _ in range(2):
        filters("upper", "-o", "link", stdin=LINES)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "folder" / "real").read_bytes() == CAPITALS
        assert sorted(each.name for each in tmp_path.rglob("*")) == ["folder", "link", "real"]


def test_devices_stay_devices(filters: Filters, tmp_path: Path) -> None:
    """`-o /dev/null` writes to it; nothing is renamed over it."""
    before = os.stat("/dev/null")
    (tmp_path / "null").symlink_to("/dev/null")
    for name in ("/dev/null", "null"):
        outcome = filters("upper", "-o", name, "--rejects", name, stdin=LINES)
        assert outcome.returncode == 0, outcome.stderr
        assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
        assert os.stat("/dev/null").st_ino == before.st_ino
    assert not Path("/dev/null.partial").exists()


def test_a_named_pipe_stays_one(tmp_path: Path) -> None:
    """`-o FIFO` passes the records to the reader."""
    os.mkfifo(tmp_path / "fifo")
    process = start("upper", "-o", "fifo", cwd=tmp_path)
    seen: list[bytes] = []
    reader = threading.Thread(target=lambda: seen.append((tmp_path / "fifo").read_bytes()))
    reader.start()
    process.communicate(LINES, timeout=20)
    reader.join(20)
    assert (process.returncode, seen) == (0, [CAPITALS])
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)


@pytest.mark.parametrize("command", ["upper", "ahead", "count"])
def test_rejects_go_to_devices_and_pipes_too(tmp_path: Path, filters: Filters, command: str) -> None:
    """`--rejects /dev/null` and `--rejects >(program)` work like any other file."""
    text = b'{"text":"a","n":1}\nx\n'
    assert filters(command, "--rejects", "/dev/null", stdin=text).returncode == 0
    reader, writer = os.pipe()
    process = start(command, "--rejects", f"/dev/fd/{writer}", pass_fds=[writer])
    os.close(writer)
    _, err = process.communicate(text, timeout=20)
    with os.fdopen(reader, "rb") as pipe:
        assert b'"raw":"x"' in pipe.read(), err
    assert process.returncode == 0


@pytest.mark.parametrize("flag", ["-o", "--rejects", "--manifest"])
@pytest.mark.parametrize(
    ("name", "reason"), [("none/out", "no such file or directory"), ("folder", "folder"), ("file/out", "not a dir")]
)
def test_a_place_that_cannot_be_written_is_named(
    filters: Filters, tmp_path: Path, flag: str, name: str, reason: str
) -> None:
    """A missing folder, a folder, and a file used as a folder give one line and exit code 1."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    outcome = filters("upper", flag, name, stdin=LINES)
    err = outcome.stderr.decode()
    assert (outcome.returncode, err.count("\n")) == (1, 1), err
    assert name in err
    assert reason in err.lower() or "is a directory" in err.lower()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Nothing else writes there as far as anybody knows; other reasons are told as what they are."""

    def refuse(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "lockf", refuse)
    monkeypatch.setattr(fcntl, "flock", refuse)
    file = AtomicFile(tmp_path / "out")
    file.write(b"a\n")
    file.finish()
    assert (tmp_path / "out").read_bytes() == b"a\n"
    files = MosesFiles(tmp_path / "talk")
    files.write(b"en\0de\0Hi\0Hallo\n")
    files.complete()
    files.finish()
    assert (tmp_path / "talk.en-de.de").read_bytes() == b"Hallo\n"
    number = errno.EIO
    with pytest.raises(FileError, match=f"^cannot lock {tmp_path}/out.partial: input/output error$"):
        AtomicFile(tmp_path / "out")


def test_two_runs_do_not_write_one_file(slow: Slow, tmp_path: Path, filters: Filters) -> None:
    """The second run fails with a message and does not disturb the first."""
    process = slow("out")
    second = filters("upper", "-o", "out", stdin=b'{"text":"b"}\n')
    assert (second.returncode, second.stdout) == (1, b"")
    assert second.stderr == f"llamax upper: another run is writing {tmp_path.resolve()}/out.partial\n".encode()
    process.communicate(timeout=20)
    assert (tmp_path / "out").read_bytes() == CAPITALS


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_the_mode_of_an_old_output_is_kept(filters: Filters, tmp_path: Path, mode: int) -> None:
    """A private file stays private."""
    (tmp_path / "out").touch()
    (tmp_path / "out").chmod(mode)
    filters("upper", "-o", "out", stdin=LINES)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == mode


@pytest.mark.parametrize("flag", ["--rejects", "--manifest"])
@pytest.mark.parametrize("other", ["in", "./in", "out"])
def test_no_file_is_used_twice(filters: Filters, tmp_path: Path, flag: str, other: str) -> None:
    """Rejects and manifest never overwrite the input or the output: a usage error, and the input is untouched."""
    (tmp_path / "in").write_bytes(LINES)
    outcome = filters("upper", "in", "-o", "out", flag, other)
    assert (outcome.returncode, outcome.stderr.count(b"\n")) == (2, 1)
    assert (tmp_path / "in").read_bytes() == LINES


def test_an_input_can_be_replaced_by_its_output(filters: Filters, tmp_path: Path) -> None:
    """With `-o` the input itself, it is read to its end before the new file replaces it."""
    (tmp_path / "in").write_bytes(LINES)
    assert filters("upper", "in", "-o", "in").returncode == 0
    assert (tmp_path / "in").read_bytes() == CAPITALS
