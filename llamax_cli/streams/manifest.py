"""The manifest of a run, as JSON: where a file came from, and how to make it again."""

import os
import platform
import re
import sys
import time
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from llamax_cli import __version__
from llamax_cli.errors import FileError, because
from llamax_cli.streams.chunks import Portion
from llamax_cli.streams.fingerprints import folder_fingerprint, sha256, sha256_of
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.outputs import partial_path, write_whole

PACKAGES = {"msgspec", "xopen", "zstandard", "xxhash", "pyarrow", "datasets", "langcodes"}
CARDS = ("README.md", "training.json")
PACKAGES |= {"torch", "transformers", "tokenizers", "accelerate", "peft", "ctranslate2", "vllm"}
VERSION = re.compile(r"\A(?:.+\n)*?Version:[ \t]*(\S+)")  # in the head of a package's METADATA


def describe(
    command: str,
    arguments: Mapping[str, object],
    inputs: Iterable[Input],
    counts: Mapping[str, int],
    figures: Mapping[str, object],
    started: float,
    *,
    reads: Iterable[Mapping[str, object]] = (),
    outputs: Iterable[Mapping[str, object]] = (),
) -> dict[str, Any]:
    """Return the manifest of a run that began at `started` (seconds since 1970).

    `figures` are the statistics that the command reports. The hash of an input is null if it was not read to its end.
    `reads` are the files and folders that options name, apart from the inputs, and `outputs` what the run has written,
    both as `described` returns them. `folder` is where relative paths begin.
    """
    return {
        "command": command,
        "arguments": {name: plain(value) for name, value in arguments.items()},
        "folder": os.getcwd(),
        "seed": arguments.get("seed"),
        "versions": _versions(),
        "inputs": [
            {"path": source.path, "bytes": source.length or source.size(), "sha256": source.sha256}
            for source in inputs
            if source.read
        ],
        "reads": list(reads),
        "outputs": list(outputs),
        "counts": dict(counts),
        "figures": dict(figures),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started, 3),
    }


def described_output(path: Path) -> dict[str, object] | None:
    """Return what `described` does of what a run has written, under its name or still without it."""
    partial = partial_path(path)
    if not partial.is_file():
        return described(path)
    try:
        length, digest = sha256(partial)
    except OSError as error:
        raise FileError(f"{partial}: {because(error)}") from error
    return {"path": str(path), "bytes": length, "sha256": digest}


def described(path: str | Path) -> dict[str, object] | None:
    """Return a file with its length and hash, a folder with its fingerprint, None for anything else.

    FileError if it is there and cannot be read, since a manifest without it would tell of another run.
    The same content has the same hash wherever it is, so that the output of one run is known as the input of another.
    """
    place = Path(path)
    if found := sha256_of(place):
        return {"path": str(path), "bytes": found[0], "sha256": found[1]}
    try:
        is_folder = place.is_dir()
    except (OSError, ValueError):
        return None
    return {"path": str(path), "fingerprint": folder_fingerprint(place)} if is_folder else None


def described_files(folder: Path, partial: Path | None = None) -> list[dict[str, object]]:
    """Return all files in the folder of a model and below, and the folder itself, which may still be called `partial`.

    Cards are left out, which name the paths of a run, so that they differ wherever it is made again.
    """
    place = partial or folder
    paths = sorted(path for path in place.rglob("*") if path.is_file() and path.name not in CARDS)
    entries = ((path, described(path)) for path in (*paths, place))
    return [entry | {"path": str(folder / path.relative_to(place))} for path, entry in entries if entry is not None]


def tallies(**counters: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return the counters that are not empty, as figures: `tallies(a={"x": 1}, b={}) -> {"a": {"x": 1}}`."""
    return {name: dict(sorted(counter.items())) for name, counter in counters.items() if counter}


def check(path: Path) -> None:
    """Raise FileError if no manifest can be written there, so that the run fails at its start."""
    if path.is_dir():
        raise FileError(f"cannot write the manifest {path}: it is a folder")
    if not path.parent.is_dir():
        reason = "not a directory" if path.parent.exists() else "no such file or directory"
        raise FileError(f"cannot write the manifest {path}: {reason}")


def write(path: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest; the file appears once it is complete."""
    write_whole(path, msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")


def _versions() -> dict[str, str]:
    loaded = {name.partition(".")[0] for name in sys.modules} & PACKAGES
    return {
        "llamax": __version__,
        "python": platform.python_version(),
        **{name: package_version(name) for name in sorted(loaded)},
    }


@cache
def package_version(name: str) -> str:
    """Return the version of an installed package, as `importlib.metadata.version` does: `"2.11.0"`.

    That parses all of the package's description too, which takes longer than everything else about a manifest.
    """
    from importlib.metadata import distribution  # slow to import, and only a manifest needs it

    found = distribution(name)
    head = VERSION.search(found.read_text("METADATA") or "")
    return head[1] if head else found.version


def plain(value: object) -> object:
    """Return an argument as a JSON value: paths become strings, tuples lists."""
    if isinstance(value, Portion):
        return str(value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
