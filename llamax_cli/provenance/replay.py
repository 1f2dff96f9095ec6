"""Runs made again from their manifests, and what they made compared with what the manifests tell."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import llamax_cli
from llamax_cli.console import counted, escape, say
from llamax_cli.errors import FileError, ReplayError
from llamax_cli.provenance.command_lines import TRAINING, CommandLine, Renaming
from llamax_cli.provenance.manifests import Content, Manifest, manifests_below, read_manifest
from llamax_cli.records import serialise
from llamax_cli.streams.fingerprints import folder_fingerprint, sha256_of
from llamax_cli.streams.outputs import open_output
from llamax_cli.streams.paths import STDIN
from llamax_cli.streams.temporary import TemporaryFolder

SCRATCH = Path("/SCRATCH")  # stands for the folder in the command lines of a dry run
WRITTEN = "manifest.json"  # of the run made again


@dataclass(frozen=True)
class ReplayRequest:
    """Which manifests to make again, which others tell of their inputs, and where: None is a temporary folder."""

    manifests: Sequence[Path]
    chain: Path | None = None
    output: Path | None = None
    dry_run: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class Step:
    """A run of a chain; `made` are the steps, and what they wrote, from which it takes its inputs, by their hashes."""

    line: CommandLine
    scratch: Path
    made: Mapping[str, tuple["Step", Content]] = field(default_factory=dict)

    @property
    def manifest(self) -> Manifest:
        """What is made again."""
        return self.line.manifest

    def place(self, content: Content) -> Path:
        """Return where the run made again writes what the first one has written."""
        if content.path == STDIN:
            return self.scratch / "stdout"
        return Renaming(self.scratch, {}).written(self.manifest, content.path)

    def input_place(self, content: Content) -> Path:
        """Return where the run made again reads what another step has made."""
        return Renaming(self.scratch / "inputs", {}).written(self.manifest, content.path)

    @property
    def folder_of_run(self) -> Path | None:
        """The folder of a training run."""
        output = self.manifest.arguments.get("output")
        is_run = self.manifest.command in TRAINING and isinstance(output, str)
        return Renaming(self.scratch, {}).written(self.manifest, str(output)) if is_run else None

    @property
    def written_manifest(self) -> Path:
        """The manifest of the run made again."""
        return (self.folder_of_run or self.scratch) / WRITTEN


def write_replay(request: ReplayRequest) -> None:
    """Make the runs again and write a record for each output; ReplayError if a run fails or an output differs."""
    started = time.monotonic()
    targets = [read_manifest(path) for path in request.manifests]
    others = list(manifests_below(request.chain)) if request.chain is not None else []
    if request.dry_run:
        for step in plan(targets, others, request.output or SCRATCH):
            open_output(None).write(f"{escape(shell_line(step))}\n".encode())
        return
    with ExitStack() as stack:
        scratch = _made(request.output) if request.output else stack.enter_context(TemporaryFolder())
        steps = plan(targets, others, scratch)
        for step in steps:
            step.line.check()
        differing, total = list[str](), 0
        for step in steps:
            for record in replay(step):
                open_output(None).write(serialise([record]))
                total += 1
                if not record["same"]:
                    because = f" ({', '.join(map(str, record['changed']))})" if record["changed"] else ""
                    differing.append(f"{record['path']}{because}")
    if differing:
        verb = "differs" if len(differing) == 1 else "differ"
        raise ReplayError(f"{len(differing):,} of {counted(total, 'output')} {verb}: {', '.join(differing)}")
    if not request.quiet:
        runs, seconds = counted(len(steps), "run"), time.monotonic() - started
        say("replay", f"{counted(total, 'output')} of {runs} made again, the same bytes; {seconds:.1f} s")


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(exist_ok=True)
        if any(folder.iterdir()):
            raise FileError(f"{folder} is not empty; name a new folder, so that no file is replaced")
    except OSError as error:
        raise FileError(f"{folder}: {(error.strerror or str(error)).lower()}") from error
    return folder.absolute()


# -- the chain ---------------------------------------------------------------------------------------------------------


def plan(targets: Sequence[Manifest], others: Sequence[Manifest], scratch: Path) -> list[Step]:
    """Return the runs to make again, each after those whose outputs it reads.

    A manifest has the hashes of what was read and of what was written: the run that wrote what another one has read is
    known by them. Of the `others`, those are made again that a target needs.
    """
    writers: dict[str, tuple[Manifest, Content]] = {}
    for manifest in (*targets, *others):
        for content in manifest.outputs:
            if content.hash is not None and content.bytes != 0:
                writers.setdefault(content.hash, (manifest, content))
    steps: dict[int, Step] = {}
    waiting: set[int] = set()  # manifests may be made to name each other in a circle

    def visit(manifest: Manifest) -> Step | None:
        key = id(manifest)
        if key in waiting:
            return None
        if key not in steps:
            waiting.add(key)
            made: dict[str, tuple[Step, Content]] = {}
            for content in manifest.sources:
                writer, written = writers.get(content.hash or "", (None, None))
                if writer is not None and written is not None and (step := visit(writer)):
                    made[str(content.hash)] = step, written
            waiting.discard(key)
            line = CommandLine(manifest)
            name = f"{len(steps) + 1}-{manifest.command.replace(' ', '-')}"
            steps[key] = Step(line, scratch / name, made)
        return steps[key]

    for manifest in targets:
        visit(manifest)
    return list(steps.values())


# -- one run -----------------------------------------------------------------------------------------------------------


def replay(step: Step) -> Iterator[dict[str, Any]]:
    """Make a run again and yield a record for each of its outputs; ReplayError if that cannot be done."""
    step.scratch.mkdir(parents=True)
    sources = find_sources(step)
    renaming = Renaming(step.scratch, sources.moved)
    for path in step.line.written(renaming):
        path.parent.mkdir(parents=True, exist_ok=True)
    _run(step, step.line.words(renaming, manifest=step.scratch / WRITTEN), sources.stdin)
    changed = [*sources.changed, *_changes(step)]
    for content in step.manifest.outputs:
        if content.sha256 is not None:
            found = sha256_of(step.place(content))
            yield {
                "manifest": str(step.manifest.path),
                "command": step.manifest.command,
                "path": content.path,
                "same": found is not None and found[1] == content.sha256,
                "changed": changed,
            }


@dataclass
class Sources:
    """What a run reads: `moved` are the places of what was made again, `changed` says what is not as it was."""

    moved: dict[str, Path] = field(default_factory=dict)
    stdin: Path | None = None
    changed: list[str] = field(default_factory=list)


def find_sources(step: Step) -> Sources:
    """Return where the inputs of a run are; ReplayError where one is missing or has changed.

    What a step of the chain has made again comes before a file that is still there.
    """
    manifest, sources, problems = step.manifest, Sources(), list[str]()
    for content in manifest.sources:
        made = _made_again(step, content)
        if content.path == STDIN:
            sources.stdin = made
            if made is None:
                problems.append(
                    "standard input: no manifest here tells what wrote it; name that too, or --chain FOLDER"
                )
        elif made is not None and step.line.mentions(content):
            sources.moved[str(manifest.place(content))] = _named_as_before(step, content, made)
        elif content.hash is None:
            sources.changed.append(f"{content.path} perhaps: it was not read to its end, so that it has no hash")
        else:
            problems += _problem(manifest, content)
    if problems:
        raise ReplayError(f"{manifest.path} cannot be made again: {'; '.join(problems)}")
    return sources


def _named_as_before(step: Step, content: Content, made: Path) -> Path:
    """Give what was made again the name that the run has read, from which ids and languages are taken."""
    place = step.input_place(content)
    place.parent.mkdir(parents=True, exist_ok=True)
    if not made.is_dir():
        try:
            os.link(made, place)
        except OSError:  # a file system without links
            shutil.copyfile(made, place)
    elif not place.exists():
        place.symlink_to(made, target_is_directory=True)
    return place


def _made_again(step: Step, content: Content) -> Path | None:
    """Return where a step has made something again, None unless it is the same as it was."""
    maker, written = step.made.get(content.hash or "", (None, None))
    if maker is None or written is None:
        return None
    place = maker.place(written)
    if content.sha256 is None:  # a folder, whose files were compared, but for the card, which names other paths
        return place if place.is_dir() else None
    found = sha256_of(place)
    return place if found is not None and found[1] == content.sha256 else None


def _problem(manifest: Manifest, content: Content) -> list[str]:
    """Return what is wrong with a file or folder that a run has read."""
    place = manifest.place(content)
    try:
        if not place.exists():
            return [f"input missing: {content.path}"]
        if content.sha256 is None:
            is_same = place.is_dir() and folder_fingerprint(place) == content.fingerprint
        else:
            found = sha256_of(place)
            is_same = found is not None and found[1] == content.sha256
    except FileError as error:
        return [str(error)]
    except OSError as error:
        return [f"{content.path}: {(error.strerror or str(error)).lower()}"]
    return [] if is_same else [f"input changed: {content.path}"]


def _run(step: Step, words: Sequence[str], stdin: Path | None) -> None:
    """Run `llamax WORDS` in the folder of its manifest; ReplayError with its last line if it fails."""
    manifest = step.manifest
    with ExitStack() as stack:
        source = stack.enter_context(stdin.open("rb")) if stdin is not None else subprocess.DEVNULL
        output = stack.enter_context((step.scratch / "stdout").open("wb"))
        errors = stack.enter_context((step.scratch / "stderr").open("w+b"))
        command = [sys.executable, "-m", "llamax_cli", *words]
        try:
            process = subprocess.Popen(
                command, cwd=manifest.folder, stdin=source, stdout=output, stderr=errors, env=_environment()
            )
        except (OSError, ValueError) as error:
            raise ReplayError(f"{manifest.path}: llamax {manifest.command} cannot be started: {error}") from error
        try:
            code = process.wait()
        except BaseException:  # also a signal
            process.terminate()
            process.wait()
            raise
        if code:
            errors.seek(max(0, errors.seek(0, os.SEEK_END) - 2000))
            said = errors.read().decode(errors="replace").rstrip("\n").rpartition("\n")[2]
            said = said.removeprefix(f"llamax {manifest.command}: ")
            raise ReplayError(f"{manifest.path}: llamax {manifest.command} ended with exit code {code}: {said}")


def _environment() -> dict[str, str]:
    """Return the environment of a run: it imports this llamax, no module of its folder, and downloads no model."""
    paths = [str(Path(llamax_cli.__file__).parents[1]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {
        **os.environ,
        "PYTHONSAFEPATH": "1",
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": os.pathsep.join(path for path in paths if os.path.isabs(path)),
    }


def _changes(step: Step) -> list[str]:
    """Return what is not as the manifest tells it: versions, contents of models, how many ranks there were."""
    before = step.manifest
    if not step.written_manifest.exists():
        return ["the run made again has no manifest"]
    after = read_manifest(step.written_manifest)
    # Of the libraries those that both have loaded: which these are also depends on how a command was started.
    both = [{name: each.versions[name] for name in before.versions.keys() & after.versions} for each in (before, after)]
    figures = [{name: each.figures.get(name) for name in ("ranks", "device")} for each in (before, after)]
    facts = (both, (step.line.facts, CommandLine(after).facts), figures)
    changes = list[str]()
    for old, new in facts:
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                changes.append(f"{name} {_said(new.get(name))}, was {_said(old.get(name))}")
    return changes


def _said(value: object) -> str:
    if isinstance(value, list):
        return " and ".join(map(str, value))
    return "not there" if value is None else str(value)


# -- a dry run ---------------------------------------------------------------------------------------------------------


def shell_line(step: Step) -> str:
    """Return what a step runs, as a line for a shell; nothing is checked, and no shell runs it here."""
    manifest, moved, stdin = step.manifest, dict[str, Path](), ""
    for content in manifest.sources:
        maker, written = step.made.get(content.hash or "", (None, None))
        made = maker.place(written) if maker is not None and written is not None else None
        if content.path == STDIN:
            stdin = f" < {shlex.quote(str(made))}" if made else " < STDIN"
        elif made is not None and step.line.mentions(content):
            moved[str(manifest.place(content))] = step.input_place(content)
    words = step.line.words(Renaming(step.scratch, moved), manifest=step.scratch / WRITTEN)
    writes_stdout = any(content.path == STDIN for content in manifest.outputs)
    stdout = f" > {shlex.quote(str(step.scratch / 'stdout'))}" if writes_stdout else ""
    return f"cd {shlex.quote(str(manifest.folder))} && llamax {shlex.join(words)}{stdin}{stdout}"
