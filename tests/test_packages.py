"""The wheel and the sdist: what they carry, and for which versions of Python they are."""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from support.processes import ROOT

BUILD = "from setuptools import build_meta as b; print(b.build_sdist('.')); print(b.build_wheel('.'))"
ENDINGS = {".py", ".pyi", ".c", ".h", ".so", ".md", ".tsv", ".html", ".typed"}
AROUND = {"LICENSE", "README.md", "pyproject.toml", "setup.cfg", "PKG-INFO"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Build both from a copy, with tests and examples in it."""
    clone = tmp_path_factory.mktemp("clone")
    unwanted = shutil.ignore_patterns("__pycache__", "*.so", "*.pyc")
    for name in ("llamax_cli", "examples"):
        shutil.copytree(ROOT / name, clone / name, ignore=unwanted)
    (clone / "tests").mkdir()
    for path in [*(ROOT / "tests").glob("*.py"), ROOT / "tests" / "requirements.txt"]:
        shutil.copy(path, clone / "tests")
    for name in AROUND - {"setup.cfg", "PKG-INFO"}:
        shutil.copy(ROOT / name, clone)
    environment = {**os.environ, "CFLAGS": "-O0"}  # nothing that is compiled here is run
    done = subprocess.run(
        [sys.executable, "-c", BUILD], cwd=clone, env=environment, capture_output=True, text=True, check=True
    )
    sdist, wheel = (line for line in done.stdout.splitlines() if line.endswith((".tar.gz", ".whl")))
    return clone / sdist, clone / wheel


def sources() -> set[str]:
    """Return the files of the package, but for what is compiled."""
    kept = (path for path in (ROOT / "llamax_cli").rglob("*") if path.suffix in ENDINGS - {".so"})
    return {str(path.relative_to(ROOT)) for path in kept}


@pytest.mark.slow
def test_the_wheel_carries_the_package_and_nothing_else(packages: tuple[Path, Path]) -> None:
    """All of its files, the compiled part, and what pip needs to know; for Python 3.11 and later."""
    _, wheel = packages
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        metadata = next(file.read(name).decode() for name in names if name.endswith(".dist-info/METADATA"))
    inside = {name for name in names if ".dist-info/" not in name}
    assert {name for name in inside if not name.endswith(".so")} == sources()
    compiled = inside - sources()
    extensions = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["ext-modules"]
    assert compiled in (set(), {each["name"].replace(".", "/") + ".abi3.so" for each in extensions})
    assert not compiled or "-cp311-abi3-" in wheel.name
    assert {name.partition("/")[2] for name in names - inside} == {
        "METADATA", "WHEEL", "RECORD", "entry_points.txt", "top_level.txt", "licenses/LICENSE",
    }  # fmt: skip
    assert "Requires-Python: >=3.11\n" in metadata


@pytest.mark.slow
def test_the_sdist_carries_no_examples(packages: tuple[Path, Path]) -> None:
    """What the wheel is built from, and the few files of tests that setuptools always adds."""
    sdist, _ = packages
    with tarfile.open(sdist) as file:
        names = {member.name.partition("/")[2] for member in file if member.isfile()}
    added = {name for name in names if name.startswith("tests/test_") or name == "tests/requirements.txt"}
    assert {name for name in names - added if ".egg-info/" not in name} == sources() | AROUND
