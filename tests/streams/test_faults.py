"""A system call fails, or the process dies at it: a sample of what `benchmarks/bench_faults.py` walks through."""

import errno
import hashlib
import json
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import fault_cases
from support.faults import Case, Stage, thinned

from llamax_cli.conversion.subtitle_writer import SubtitleFile
from llamax_cli.errors import FileError, UnsyncedError
from llamax_cli.models.fingerprint import fingerprint
from llamax_cli.streams import atomic, journal, manifest, temporary
from llamax_cli.streams.outputs import AtomicFile, WholeFile
from llamax_cli.streams.paths import NamedPath
from llamax_cli.streams.rejects import Reject, RejectFile
from llamax_cli.streams.run import Run
from llamax_cli.streams.settings import Settings
from llamax_cli.streams.tables import Table

FAULTS = 10  # of each case
SAMPLE = {
    "convert: --rejects --manifest",
    "convert: -o .gz",
    "convert: --as moses",
    "augment: --workers 2",
    "build-lexicon: -o .lex",
    "mix: -o",
    "score: --table",
    "analyze corpus: --card",
    "translate: --rejects --manifest",
    "pivot: -o .gz",
}
CASES = [case for case in (*fault_cases.cases(), *fault_cases.model_cases()) if str(case) in SAMPLE]


@pytest.mark.skipif(sys.platform != "linux", reason="the shim is for Linux")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_fault_breaks_a_promise(case: Case, tmp_path: Path) -> None:
    """Outputs are whole or absent, one line says what failed, and the next run gives the right bytes."""
    stage = Stage(case, tmp_path)
    faults = [(point.number, kind) for point in thinned(stage.points(), 2) for kind in point.kinds()]
    for number, kind in random.Random(str(case)).sample(faults, FAULTS):
        assert not stage.broken(number, kind)


# -- what such faults have shown -------------------------------------------------------------------------------------


def settings(folder: Path, **more: Any) -> Settings:
    """Return the settings of a quiet run into a file."""
    return Settings(output=folder / "out", quiet=True, **more)


def test_records_that_cannot_be_saved_are_not_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write went well and the state could not be saved: each record is there once, and the run goes on after it."""
    sync = AtomicFile.sync
    monkeypatch.setattr(journal, "CHECKPOINT", 0.0)

    def records() -> Iterator[dict[str, Any]]:
        for number in range(9):
            if number == 5:
                monkeypatch.setattr(AtomicFile, "sync", failing)
            yield {"n": number}

    def failing(file: AtomicFile) -> None:
        monkeypatch.setattr(AtomicFile, "sync", sync)
        raise FileError("no space")

    with pytest.raises(FileError), Run("test", settings(tmp_path), {}) as run:
        run.write(records())
    kept = (tmp_path / "out.partial").read_bytes().splitlines()
    assert kept == [b'{"n":%d}' % number for number in range(len(kept))]
    with Run("test", settings(tmp_path, resume=True), {}) as run:
        run.write({"n": number} for number in range(9))
    assert (tmp_path / "out").read_bytes().splitlines() == [b'{"n":%d}' % number for number in range(9)]


def test_a_reject_that_is_written_in_parts_is_whole(tmp_path: Path) -> None:
    """The system may take less than it was given."""

    class Slow:
        name = "rejects"

        def __init__(self) -> None:
            self.data = b""

        def write(self, data: Any) -> int:
            self.data += bytes(data[:7])
            return min(7, len(data))

    file = RejectFile(tmp_path / "rejects")
    file.close()
    file._file = slow = Slow()
    reject = Reject("in", 3, "bad", b"x" * 40)
    file.write([reject])
    assert slow.data == reject.serialise()
    assert file.size == len(slow.data)


@pytest.mark.parametrize("kind", ["table", "file"])
def test_what_a_killed_run_left_is_not_the_end_of_an_output(tmp_path: Path, kind: str) -> None:
    """It was longer than what is written now."""
    (tmp_path / "out.partial").write_bytes(b"| old |\n" * 100)
    output: Any = Table(tmp_path / "out", "csv") if kind == "table" else WholeFile(tmp_path / "out")
    output.write(b'{"a":1}\n')
    output.complete()
    output.finish()
    output.close()
    assert (tmp_path / "out").read_bytes() == (b"a\n1\n" if kind == "table" else b'{"a":1}\n')
    failed: Any = Table(tmp_path / "other", "csv") if kind == "table" else WholeFile(tmp_path / "other")
    failed.write(b'{"a":1}\n')
    failed.close()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_subtitles_that_cannot_be_begun_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No run could go on with them."""
    monkeypatch.setattr(os, "ftruncate", _failing)
    with pytest.raises(FileError, match=r"out\.srt\.partial: input/output error"):
        SubtitleFile(tmp_path / "out.srt", "srt")
    assert not list(tmp_path.iterdir())


def test_a_complete_folder_stays_and_is_said_to_be_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk has refused to confirm its name, which it has all the same."""
    monkeypatch.setattr(atomic, "sync", lambda path: _failing() if path == tmp_path else None)
    with (
        pytest.raises(FileError, match=r"/new is complete, but its name may not be on disk yet: input/output error"),
        atomic.atomic_folder(tmp_path / "new") as folder,
    ):
        (folder / "a").write_text("a")
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "a"]


def _failing(*_: object) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_complete_output_has_its_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the run dies, since a run with --resume does nothing for an output that has its name."""
    manifest = tmp_path / "manifest.json"
    finish = AtomicFile.finish
    seen: list[tuple[str, bool]] = []

    def noted(file: AtomicFile) -> None:
        seen.append((file.path.name, manifest.exists()))
        finish(file)

    monkeypatch.setattr(AtomicFile, "finish", noted)
    with Run("test", settings(tmp_path, manifest=manifest), {}) as run:
        run.write({"n": number} for number in range(3))
    assert seen == [("manifest.json", False), ("out", True)]


def test_a_complete_folder_has_its_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the run dies, since the next one does not replace the folder; without a name it has no manifest."""
    output, where = tmp_path / "out", tmp_path / "manifest.json"
    finish = atomic.AtomicFolder.finish
    seen: list[tuple[bool, bool]] = []

    def noted(folder: atomic.AtomicFolder) -> None:
        seen.append((where.exists(), output.exists()))
        finish(folder)

    def build() -> int:
        with run.folder(output) as folder:
            (folder / "weights").write_text("w")
        return 1

    monkeypatch.setattr(atomic.AtomicFolder, "finish", noted)
    with Run("test", settings(tmp_path, manifest=where), {}) as run:
        run.declare((), [NamedPath("-o", str(output))])
        run.make(build, "piece")
    assert seen == [(True, False)]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["manifest.json", "out"]
    facts = json.loads(where.read_text())["outputs"]
    assert facts == manifest.described_files(output)
    assert [each["path"] for each in facts] == [str(output / "weights"), str(output)]

    output = tmp_path / "other"
    monkeypatch.setattr(atomic.AtomicFolder, "finish", _failing)
    where = tmp_path / "other.json"
    with pytest.raises(OSError), Run("test", settings(tmp_path, manifest=where), {}) as run:
        run.make(build, "piece")
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["manifest.json", "out"]


def test_a_manifest_tells_of_all_that_was_read_or_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a model that cannot be read any more, it would tell of another run; what is no path is left out."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_text("w")
    assert manifest.described(tmp_path / "model") is not None
    assert manifest.described("python3 metric.py\0" + "x" * 5000) is None
    assert manifest.described("LLaMAX/" + "x" * 5000) is None
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", _failing)
        with pytest.raises(FileError, match=r"model/weights: input/output error"):
            manifest.described(tmp_path / "model")
        with pytest.raises(FileError, match=r"model/weights: input/output error"):
            fingerprint(str(tmp_path / "model"))
    monkeypatch.setattr(hashlib, "file_digest", _failing)
    with pytest.raises(FileError, match=r"weights: input/output error"):
        manifest.described(tmp_path / "model" / "weights")


def test_an_output_that_fails_at_its_end_has_no_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not complete after all."""
    replace = os.replace

    def failing(source: Any, target: Any) -> None:
        if Path(target).name == "out":
            raise OSError(5, "Input/output error")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with (
        pytest.raises(FileError, match=r"out\.partial: input/output error"),
        Run("test", settings(tmp_path, manifest=tmp_path / "manifest.json"), {}) as run,
    ):
        run.write({"n": number} for number in range(3))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.partial", "out.partial.state"]


def test_a_manifest_that_is_there_is_not_said_to_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk has refused to confirm its name, and the output is as complete as it is."""
    calls = iter([_failing])
    monkeypatch.setattr(atomic, "sync", lambda path: next(calls, lambda: None)())
    where = tmp_path / "manifest.json"
    with (
        pytest.raises(UnsyncedError, match=r"manifest\.json is complete, but its name may not be on disk") as caught,
        Run("test", settings(tmp_path, manifest=where), {}) as run,
    ):
        run.write({"n": number} for number in range(3))
    assert caught.value.__notes__ == [f"{tmp_path / 'out'} is complete"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "out"]


def test_a_temporary_folder_that_was_not_locked_yet_is_removed(tmp_path: Path) -> None:
    """Its process was killed a moment after it had made it; that of a process that lives stays."""
    host, pid, start = temporary._Owner.this()
    gone, here = tmp_path / f"llamax.{host}-{pid}-1-abc", tmp_path / f"llamax.{host}-{pid}-{start}-abc"
    gone.mkdir()
    here.mkdir()
    temporary.reclaim(tmp_path)
    assert list(tmp_path.iterdir()) == [here]
