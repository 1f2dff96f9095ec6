"""What the README shows is what a new user gets."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.processes import ROOT

from llamax_cli.cli import COMMANDS

README = (ROOT / "README.md").read_text(encoding="utf-8")
CORPORA = ("flores101", "ntrex128", "tatoeba", "muse", "panlex", "gatitos")


def untimed(output: str) -> str:
    """Return output with the same text for every duration."""
    return re.sub(r"\b\d+\.\d s\b", "N.N s", output)


@pytest.fixture(scope="module")
def folder(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the corpora and the examples that the README names."""
    folder = tmp_path_factory.mktemp("tour")
    for name in CORPORA:
        (folder / name).symlink_to((data / name).resolve())
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


def examples() -> list[tuple[str, str]]:
    """Return (command, output) of every example, in order."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = example.partition("\n")
            found.append((command, output))
    return found


def test_every_example_prints_what_stands_below_it(folder: Path) -> None:
    """The lines are pasted one by one into a shell, in one folder."""
    assert len(examples()) >= 5
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    for command, output in examples():
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env={"PATH": path, "LC_ALL": "C.UTF-8", "HOME": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
        )
        assert untimed(done.stdout.decode()) == untimed(output), command
        assert done.returncode == 0, command


def test_every_command_has_a_section() -> None:
    """One section and one row of the table for each command."""
    for name in COMMANDS:
        assert f"\n## llamax {name}\n" in README
        assert f"[`llamax {name}`](#llamax-{name})" in README
