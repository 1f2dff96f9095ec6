"""Commands at which one system call fails, or in which the process dies at one: every call, one after the other.

`faults.c` says what can happen. A Case is a command with the files it reads and what it promises; `points` counts the
calls it makes, and `broken` makes one of them fail, runs the command again, and returns which promises were broken.
"""

import atexit
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import NamedTuple

from support import small_steps
from support.processes import Outcome
from support.zygote import PIPE, Zygote

KINDS = ("error", "full", "intr", "short", "kill", "torn")
LIMIT = 30.0  # seconds after which a run counts as hung
WRITES, CREATES = {"write"}, {"mkdir", "rename", "link"}
WAITS = {"open", "read", "write", "fsync", "truncate"}
REMOVES = {"unlink", "rmdir"}
PROBE = "tmp/????????"  # what Python writes to find out whether it can write into the folder
# What the commands load besides, so that a run costs what it does, and not what its imports do.
MODULES = {
    "small": (
        *(f"llamax_cli.commands.{each}" for each in ("analyze_lexicon", "pivot", "replay", "translate")),
        *("llamax_cli.analysis.lexicon_comparison", "llamax_cli.identification.joined", "llamax_cli.provenance.replay"),
        *("langcodes.registry_parser", "langdetect", "pycld2"),
    ),
    "large": (
        *(f"llamax_cli.analysis.{each}" for each in ("fertility", "representation", "sentence_encoders", "shift")),
        *(f"llamax_cli.commands.{each}" for each in ("analyze_corpus", "extend_vocab", "mix")),
        *("llamax_cli.mixing.mixture", "llamax_cli.tuning.averaging", "llamax_cli.tuning.evaluation"),
        "llamax_cli.vocabulary.extension",
    ),
}
NOWHERE = "input/output error|no space left on device|cannot allocate memory|resource temporarily unavailable"
ONLY_MANIFEST = "only the manifest is missing"  # this is said, and nothing can be done about it
Files = dict[str, bytes]


@dataclass(frozen=True)
class Case:
    """A command and what it promises.

    `call` is run in a folder that `make` fills. With `resumes`, `--resume` goes on after what went wrong; otherwise the
    command is simply run again. `logs` are files that are written as the run goes on. `undone` are patterns of what may
    be left for good, `varies` of files that two runs have different. `once` is what the next run says of what is there
    already, complete but for what may be left, and is not replaced. `size` is that of a zygote.
    """

    command: str
    form: str
    call: Sequence[str]
    make: Callable[[Path], object]
    resumes: bool = False
    logs: Sequence[str] = ()
    undone: Sequence[str] = ()
    varies: Sequence[str] = ()
    once: str = ""
    size: str = "small"

    def __str__(self) -> str:
        return f"{self.command}: {self.form}"


class Point(NamedTuple):
    """A system call: its number in the run, its name, and the path of the file."""

    number: int
    call: str
    path: str

    def kinds(self) -> list[str]:
        """Return what can happen there."""
        is_pipe = self.path in ("pipe", "stdout")
        return [
            kind
            for kind, suits in {
                "error": self.path != "pipe",
                "full": not is_pipe and self.call in WRITES | CREATES | {"open"},
                "intr": self.call in WAITS,
                "short": self.call in WRITES and self.path != "pipe",
                "kill": self.call != "read",  # the same as at the next call, as nothing has changed
                "torn": self.call in WRITES and not is_pipe,
            }.items()
            if suits
        ]


def thinned(points: Sequence[Point], most: int = 8) -> list[Point]:
    """Return the points, but of the same call on files whose names differ in digits only the first and last few."""
    places: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        places.setdefault((point.call, re.sub(r"\d+", "#", point.path)), []).append(point)
    kept = {point for each in places.values() for point in (*each[: most - most // 2], *each[-(most // 2) :])}
    return [point for point in points if point in kept]


class Broken(NamedTuple):
    """A promise that was not kept: `how` is lost, doubled, torn, hung or other."""

    how: str
    what: str


@cache
def shim() -> Path:
    """Return the compiled library."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    atexit.register(shutil.rmtree, folder)
    source, library = Path(__file__).with_suffix(".c"), folder / "faults.so"
    subprocess.run(["cc", "-O1", "-Wall", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


@cache
def faulty_zygote(size: str) -> Zygote:
    """Return a zygote in whose forks calls can fail."""
    started = Zygote(size, preload=shim(), modules=MODULES[size])
    atexit.register(started.close)
    return started


class Stage:
    """The folder in which a case is played, again and again from the same start, which `prepare` may take further."""

    def __init__(self, case: Case, folder: Path, prepare: Callable[["Stage"], object] | None = None) -> None:
        self.case = case
        self.work = folder / "work"
        self._start = folder / "start"
        self._log = folder / "log"
        self._start.mkdir(parents=True)
        case.make(self._start)
        self.files = self._read(self._start)
        self.whole, self.wanted = self._reference()
        self._again = list(case.call)
        self._after: dict[tuple[str, bool], list[tuple[str, str]]] = {}  # by what a run left, what the next one broke
        if prepare is not None:
            self.reset()
            prepare(self)
            shutil.rmtree(self._start)
            shutil.copytree(self.work, self._start, symlinks=True)
            self._again.append("--resume")

    def _reference(self) -> tuple[Outcome, Files]:
        for _ in range(2):  # the first run may leave caches
            self.reset()
            whole = self.run(self.case.call)
            assert whole.returncode == 0, whole.stderr
        wanted = self._read(self.work)
        left = [name for name in wanted if name.startswith("tmp/")]
        assert not left, left
        return whole, wanted

    def _read(self, folder: Path) -> Files:
        files = read_files(folder)
        return {name: files[name] for name in files if not any(fnmatch(name, each) for each in self.case.varies)}

    def reset(self) -> None:
        """Go back to the start."""
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self._start, self.work, symlinks=True)
        (self.work / "tmp").mkdir(exist_ok=True)

    def run(self, call: Sequence[str], number: int = 0, kind: str = "") -> Outcome:
        """Run the command; with a kind, that happens at the point with the number."""
        self._log.unlink(missing_ok=True)
        environment = {**os.environ, "TMPDIR": str(self.work / "tmp"), "LLAMAX_DATA": str(self.work / "data")}
        if kind:
            environment["FAULTS"] = f"{number} {kind} {self._log} {self.work}"
        process = faulty_zygote(self.case.size).start(
            [small_steps.__file__, *call], cwd=self.work, env=environment, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        try:
            output = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            output = process.communicate(timeout=10)
            return Outcome(list(call), 124, *output)
        return Outcome(list(call), process.wait(), *output)

    def points(self) -> list[Point]:
        """Return the system calls of a run in which none fails."""
        self.reset()
        self.run(self._again, 0, "error")
        lines = self._log.read_text().splitlines()
        return [Point(int(number), call, path) for number, call, path in (line.split(" ", 2) for line in lines)]

    def happened(self) -> Point | None:
        """Return the call of the last run at which something happened, if there was one."""
        if not self._log.exists():
            return None
        number, call, path = self._log.read_text().rstrip("\n").split(" ", 2)
        return Point(int(number), call, path)

    def broken(self, number: int, kind: str) -> list[Broken]:
        """Have one call fail, go on without, and return the promises that were broken."""
        self.reset()
        outcome = self.run(self._again, number, kind)
        at = self.happened()
        found = list(self._broken_by(outcome, at, is_killed=kind in ("kill", "torn")))
        if outcome.returncode != 0:
            said = outcome.stderr.decode(errors="replace")
            left = digest(read_files(self.work), is_blurred=bool(self.case.varies)), ONLY_MANIFEST in said
            if left not in self._after:  # from the same files, the next run does the same
                self._after[left] = list(self._broken_after(said))
            found += self._after[left]
        return [Broken(how, f"{self.case}, {kind} at {at}: {what}") for how, what in found]

    def _broken_by(self, outcome: Outcome, at: Point | None, *, is_killed: bool) -> Iterator[Broken]:
        """Yield what is wrong right after the run in which a call failed."""
        code, said, files = outcome.returncode, outcome.stderr.decode(errors="replace"), self._read(self.work)
        if code == 124:
            yield Broken("hung", said)
            return
        if code == 0:
            yield from differences(self.wanted, files, self._may_stay(at))
            if outcome.stdout != self.whole.stdout:
                yield Broken("torn", "other records on stdout")
            return
        if not self.whole.stdout.startswith(outcome.stdout):
            yield Broken("torn", f"stdout is not a beginning: {outcome.stdout[-200:]!r}")
        for name, data in files.items():
            is_log = name in self.case.logs and self.wanted.get(name, b"").startswith(data)
            if name in self.wanted and data not in (self.wanted[name], self.files.get(name)) and not is_log:
                yield Broken("torn", f"{name} is neither whole nor absent")
        for name in self.files.keys() - files.keys():
            yield Broken("lost", f"{name} was there before")
        if code == -signal.SIGKILL and is_killed:
            return
        if self.case.varies and code == 128 + signal.SIGKILL and is_killed:  # the launcher tells of the rank
            return
        ended_by_reader = at is not None and at.path == "stdout" and code == 141 and not said
        if not ended_by_reader:
            if code != 1:
                yield Broken("other", f"exit code {code}: {said}")
            if not said.startswith("llamax") or said.count("\n") != 1 or "Traceback" in said:
                yield Broken("other", f"said: {said}")
            if re.fullmatch(NOWHERE, said.partition(": ")[2].strip(), re.IGNORECASE):
                yield Broken("other", f"does not say where: {said}")
        for name in sorted(files.keys() - self.files.keys() - self.wanted.keys()):
            if not (self.case.resumes and is_kept(name)) and not self._may_stay(at)(name) and not self._undone(name):
                yield Broken("other", f"{name} is left; said: {said}")

    def _broken_after(self, said: str) -> Iterator[Broken]:
        """Yield what is wrong when the command is run again, and nothing fails."""
        call = list(self.case.call)
        names = self._read(self.work).keys() - self.files.keys()
        if self.case.resumes and (self.case.varies or any(".partial" in name for name in names)):
            call += ["--resume", "auto"] if self.case.varies else ["--resume"]  # training has a value of it
        is_there = not any(differences(self._kept(said), self._read(self.work), self._undone))
        outcome = self.run(call)
        if outcome.returncode == 124:
            yield Broken("hung", "afterwards")
        elif self.case.once and is_there and self.case.once in outcome.stderr.decode():
            return
        elif outcome.returncode != 0:
            yield Broken("lost", f"afterwards: {outcome.stderr.decode(errors='replace')}")
        else:
            for how, what in differences(self.wanted, self._read(self.work), self._undone):
                if not ("manifest" in what and ONLY_MANIFEST in said):
                    yield Broken(how, f"afterwards: {what}")

    def _kept(self, said: str) -> Files:
        """Return the files of a whole run that must be there where the next one refuses to replace them."""
        return {
            name: data
            for name, data in self.wanted.items()
            if not self._undone(name) and not (ONLY_MANIFEST in said and "manifest" in name)
        }

    def _undone(self, name: str) -> bool:
        """Return whether something may be left for good."""
        return any(fnmatch(name, pattern) for pattern in (*self.case.undone, PROBE))

    def _may_stay(self, at: Point | None) -> Callable[[str], bool]:
        """Return whether a file may be left, as the call that failed was to remove it."""
        if at is None or at.call not in {*REMOVES, "open"}:
            return lambda name: False
        path = os.path.relpath(at.path, self.work)
        if at.call == "open" and not path.startswith("tmp/"):
            return lambda name: False
        return lambda name: name == path or name.startswith((f"{path}/", path.rpartition("/")[0] + "/"))


def is_kept(name: str) -> bool:
    """Return whether a file is what a later run with --resume goes on from."""
    return name.endswith((".partial", ".partial.state")) or ".partial.answers" in name


def read_files(folder: Path) -> Files:
    """Return all files by their paths in a folder; of a manifest, what does not depend on the clock."""
    files: Files = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_dir():
            if not any(path.iterdir()) and name != "tmp":
                files[f"{name}/"] = b""
        else:
            data = path.read_bytes()
            files[name] = without_clock(data) if "manifest" in path.name else data
    return files


def digest(files: Files, *, is_blurred: bool) -> str:
    """Return a hash of files, with their names; blurred, without numbers and hashes, which two runs have different."""
    if is_blurred:
        files = {
            re.sub(r"[0-9a-f]{16}", "#", name): re.sub(rb"[0-9a-f.+-]+", b"#", data) for name, data in files.items()
        }
    return hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()


def without_clock(manifest: bytes) -> bytes:
    """Return a manifest without what another run of the same command has different."""
    try:
        facts = json.loads(manifest)
        arguments = {name: value for name, value in facts["arguments"].items() if name != "resume"}
        return json.dumps({**facts, "started": "", "seconds": 0, "arguments": arguments}).encode()
    except ValueError:
        return manifest


def differences(wanted: Files, found: Files, may_stay: Callable[[str], bool]) -> Iterator[Broken]:
    """Yield how the files of a run differ from those of one that nothing disturbed."""
    for name in wanted.keys() | found.keys():
        before, after = wanted.get(name), found.get(name)
        if before == after or (before is None and may_stay(name)):
            continue
        if before is None:
            yield Broken("other", f"{name} is left")
            continue
        if after is None:
            yield Broken("lost", f"no {name}")
            continue
        lines, others = Counter(before.split(b"\n")), Counter(after.split(b"\n"))
        missing, more = lines - others, others - lines
        how = "torn" if any(line not in lines for line in more) else "lost" if missing else "doubled"
        yield Broken(how if missing or more else "other", f"{name}: {len(missing)} lines missing, {len(more)} more")
