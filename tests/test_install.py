"""examples/install.sh makes a whole environment on any machine, whatever happened before.

Python and pip are stand-ins here that take notes, so that nothing is installed.
"""

import re
import shutil
import subprocess
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support.processes import ROOT

TOOLS = ("bash", "cat", "chmod", "cksum", "cp", "dirname", "grep", "id", "mkdir", "rm", "touch", "tr", "uname", "wc")
# Python as far as the script uses it. A file `no-venv` beside it makes that fail; in the clone `refuse` and `kill` name
# parts of the calls that fail, or that kill the script.
PYTHON = """#!/usr/bin/env bash
here=$(cd "$(dirname "$0")" && pwd)
case "$*" in
    --version) echo "Python $(cat "$here/version")" ;;
    "-c import sys; sys.exit"*) [[ $(cat "$here/version") != 3.[0-9].* && $(cat "$here/version") != 3.10.* ]] ;;
    "-c import sys; print"*) echo python3.12-venv ;;
    "-m venv .venv")
        mkdir -p .venv/bin
        cp "$0" .venv/bin/python
        cp "$here/version" .venv/bin/
        [ ! -e "$here/no-venv" ] || exit 1
        [ "$(cat kill 2>/dev/null)" != venv ] || kill -9 $PPID
        touch .venv/pip
        ;;
    "-m pip --version") [ -e .venv/pip ] ;;
    "-m pip install"*)
        echo "$*" >>log
        refused=$(cat refuse 2>/dev/null)
        [ -z "$refused" ] || [[ "$*" != *$refused* ]] || { echo 'no matching distribution' >&2; exit 1; }
        killed=$(cat kill 2>/dev/null)
        [ -z "$killed" ] || [[ "$*" != *$killed* ]] || kill -9 $PPID
        ;;
    *) exit 99 ;;
esac
"""


class Machine:
    """A clone, and a PATH on which nothing else is."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "clone"
        self.path = folder / "bin"
        for name in ("pyproject.toml", "examples/install.sh", "examples/constraints.txt", "tests/constraints.txt"):
            (self.clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.clone / name)
        (self.clone / "llamax_cli" / "augmentation").mkdir(parents=True)
        (self.clone / "llamax_cli" / "augmentation" / "spaced.c").touch()
        (self.clone / "llamax_cli" / "plain_lines.c").touch()
        (self.clone / "llamax_cli" / "scoring").mkdir()
        for name in ("ngram_matches.c", "word_tokens.c"):
            (self.clone / "llamax_cli" / "scoring" / name).touch()
        self.path.mkdir()
        for tool in TOOLS:
            (self.path / tool).symlink_to(str(shutil.which(tool)))
        self.script("cc", "#!/bin/sh\n")

    def script(self, name: str, text: str) -> None:
        """Put a program on the PATH."""
        (self.path / name).write_text(text)
        (self.path / name).chmod(0o755)

    def python(self, name: str, version: str) -> None:
        """Put a Python on the PATH."""
        home = self.path.parent / f"home-{name}"
        home.mkdir()
        (home / "version").write_text(version)
        self.script(name, PYTHON.replace('"$(dirname "$0")"', str(home), 1))

    def install(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the script, with an empty environment otherwise."""
        command = [str(self.path / "bash"), "examples/install.sh", *arguments]
        environment = {"PATH": str(self.path), **environment}
        return subprocess.run(command, cwd=self.clone, env=environment, capture_output=True, text=True, timeout=60)

    @property
    def asked(self) -> list[str]:
        """What pip was asked to install: the end of each of its command lines."""
        log = self.clone / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [re.sub(r"^.*constraints\.txt (--quiet )?", "", line) for line in lines]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine with Python 3.12 under the name python3 only."""
    machine = Machine(tmp_path)
    machine.python("python3", "3.12.1")
    return machine


TORCH = next(line for line in (ROOT / "examples/constraints.txt").read_text().splitlines() if line.startswith("torch="))
LLAMAX = "--config-settings editable_mode=compat -e ."


def test_what_is_installed_is_installed_once_and_told(machine: Machine) -> None:
    """Three lines say what happens; then there is nothing left to do, until a pin changes."""
    done = machine.install()
    assert done.returncode == 0, done.stderr
    assert re.findall(r"\[(\d)/3\]", done.stderr) == ["1", "2", "3"] and done.stderr.endswith("install: done\n")
    assert machine.asked == [f"{TORCH}+cpu", LLAMAX] and not (machine.clone / ".venv.unfinished").exists()
    assert machine.install().stderr == "" and len(machine.asked) == 2
    with (machine.clone / "examples" / "constraints.txt").open("a") as pins:
        pins.write("another==1\n")
    (machine.clone / ".venv" / "mine").touch()
    assert machine.install().returncode == 0 and len(machine.asked) == 4
    assert (machine.clone / ".venv" / "mine").exists()


def test_tests_need_more(machine: Machine) -> None:
    """What runs llamax is installed alone, with --tests also what tests it, which then serves both."""
    machine.install()
    assert "tests" not in (machine.clone / "log").read_text()
    machine.install("--tests")
    assert machine.asked[-1] == "--config-settings editable_mode=compat -r tests/requirements.txt -e ."
    count = len(machine.asked)
    assert machine.install("--tests").stderr == machine.install().stderr == ""
    assert len(machine.asked) == count


@pytest.mark.parametrize(
    ("have", "chosen"),
    [
        ({"python3": "3.11.0"}, "3.11.0"),
        ({"python3": "3.9.2", "python3.11": "3.11.7", "python3.13": "3.13.0"}, "3.13.0"),
        ({"python3.12": "3.12.3"}, "3.12.3"),
    ],
)
def test_any_python_that_is_new_enough_will_do(tmp_path: Path, have: dict[str, str], chosen: str) -> None:
    """Its name does not matter."""
    machine = Machine(tmp_path)
    for name, version in have.items():
        machine.python(name, version)
    done = machine.install()
    assert done.returncode == 0 and f"with Python {chosen}\n" in done.stderr


def test_a_python_that_is_too_old_is_refused(tmp_path: Path) -> None:
    """In a line that says what there is and what to do; nothing is made."""
    machine = Machine(tmp_path)
    missing = machine.install()
    assert missing.returncode == 1 and "python3 is not there. Install one (" in missing.stderr
    machine.python("python3", "3.10.12")
    old = machine.install()
    assert old.returncode == 1 and old.stderr.startswith(
        "install: llamax needs Python 3.11 or newer, and python3 is Python 3.10.12. Install one (Debian, Ubuntu: "
    )
    machine.python("good", "3.12.0")
    named = machine.install(PYTHON="python3")
    assert named.returncode == 1 and not (machine.clone / ".venv").exists()
    assert machine.install(PYTHON=str(machine.path / "good")).returncode == 0


@pytest.mark.parametrize("moment", ["venv", "torch", "-e ."])
def test_what_was_killed_is_made_again(machine: Machine, moment: str) -> None:
    """Whenever it was killed, nothing of the half-made environment is left, and the next run makes a whole one."""
    (machine.clone / "kill").write_text(moment)
    assert machine.install().returncode == -9
    assert (machine.clone / ".venv").is_dir()
    (machine.clone / ".venv" / "half").touch()
    (machine.clone / "kill").unlink()
    again = machine.install()
    assert again.returncode == 0 and "an earlier installation did not finish; starting again\n" in again.stderr
    assert not (machine.clone / ".venv" / "half").exists()
    assert machine.asked[-2:] == [f"{TORCH}+cpu", LLAMAX]
    assert machine.install().stderr == ""


def test_an_environment_made_by_hand_is_never_removed(machine: Machine) -> None:
    """It is added to; a kill does not change that; one without pip gets it."""
    (machine.clone / ".venv").mkdir()
    (machine.clone / ".venv" / "mine").touch()
    (machine.clone / "kill").write_text("torch")
    assert machine.install().returncode == -9
    (machine.clone / "kill").unlink()
    assert machine.install().returncode == 0
    assert (machine.clone / ".venv" / "mine").exists()


@pytest.mark.parametrize(
    ("refused", "asked", "said"),
    [
        ("+cpu", ["{}+cpu", "{}+cpu --extra-index-url", "{}"], "PyPI's build runs on the CPU too"),
        ("2+cpu", ["{}+cpu"], ""),
    ],
)
def test_pytorch_without_a_gpu_is_for_the_cpu(machine: Machine, refused: str, asked: list[str], said: str) -> None:
    """Looked for where pip looks, then on PyTorch's own index; PyPI's build is the last resort, and that is said."""
    (machine.clone / "refuse").write_text(refused)
    done = machine.install()
    assert done.returncode == 0 and said in done.stderr and "because there is no NVIDIA GPU" in done.stderr
    assert [re.sub(r"(url).*", r"\1", line) for line in machine.asked[:-1]] == [each.format(TORCH) for each in asked]


def test_pytorch_with_a_gpu_has_cuda(machine: Machine) -> None:
    """A GPU that the driver lists decides; a driver that lists none does not."""
    machine.script("nvidia-smi", "#!/bin/sh\necho 'GPU 0: NVIDIA A100 (UUID: GPU-1)'\n")
    done = machine.install()
    assert done.returncode == 0 and machine.asked == [TORCH, LLAMAX] and "PyTorch with CUDA" in done.stderr
    shutil.rmtree(machine.clone / ".venv")
    machine.script("nvidia-smi", "#!/bin/sh\necho 'NVIDIA-SMI has failed'\nexit 9\n")
    assert machine.install().returncode == 0 and machine.asked[2:] == [f"{TORCH}+cpu", LLAMAX]


def test_a_system_that_keeps_venv_apart(machine: Machine) -> None:
    """Its package is installed by who may, and named to who may not; once it is there, all goes on."""
    home = machine.path.parent / "home-python3"
    (home / "no-venv").touch()
    machine.script("id", "#!/bin/sh\necho 1000\n")
    done = machine.install()
    assert done.returncode == 1 and "sudo apt-get install python3.12-venv)" in done.stderr
    (machine.path / "id").unlink()
    machine.script("id", "#!/bin/sh\necho 0\n")
    machine.script("apt-get", f'#!/bin/sh\n[ "$1" = update ] || rm -f {home}/no-venv\necho "apt-get $*"\n')
    done = machine.install()
    assert done.returncode == 0, done.stderr
    assert "apt-get install -y --no-install-recommends python3.12-venv\n" in done.stderr


def test_all_that_is_needed_is_pinned_and_no_more() -> None:
    """The pins to run llamax are those of all that it depends on, without what only tests and linters need."""

    def pins(path: str) -> set[str]:
        lines = (ROOT / path).read_text().splitlines()
        assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
        return {canonicalize_name(line.partition("==")[0]) for line in lines}

    needed: set[str] = set()
    pending = [Requirement(line) for line in requires("llamax") or () if "extra ==" not in line]
    while pending:
        requirement = pending.pop()
        if (name := canonicalize_name(requirement.name)) not in needed:
            needed.add(name)
            extras = ("", *requirement.extras)
            for wanted in map(Requirement, requires(name) or ()):
                marker = wanted.marker
                if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
                    pending.append(wanted)
    runtime, tests = pins("examples/constraints.txt"), pins("tests/constraints.txt")
    assert needed <= runtime and not runtime & tests
    for line in (ROOT / "tests" / "requirements.txt").read_text().splitlines():
        assert line in tests
    assert runtime - needed <= {"backports-zstd"}  # Python 3.14 has it
