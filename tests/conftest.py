"""What tests share: the real data, and commands run as a user runs them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings
from support.zygote import Zygote

# How long an example takes says nothing on a machine that does other work too.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

ROOT = Path(__file__).resolve().parent.parent
Outcome = subprocess.CompletedProcess[bytes]


def wait_for(path: Path, seconds: float = 60) -> None:
    """Wait until a file is there."""
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.01)


def wait_for_handlers(process: subprocess.Popen[bytes]) -> None:
    """Wait until a command has its modules and listens to signals, however busy the machine is."""
    status, bit = Path(f"/proc/{process.pid}/status"), 1 << (signal.SIGTERM - 1)
    end = time.monotonic() + 20
    while process.poll() is None:
        caught = next(line for line in status.read_text().splitlines() if line.startswith("SigCgt:"))
        if int(caught.split()[1], 16) & bit:
            return
        assert time.monotonic() < end, "the command does not listen to signals"
        time.sleep(0.005)


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of real data; skip where it is absent, but not where it has to be there."""
    folder = Path(os.environ.get("LLAMAX_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        message = f"no real data in {folder}; set LLAMAX_TEST_DATA"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Return the process that commands are forked from."""
    process = Zygote()
    yield process
    process.close()


@pytest.fixture
def llamax(tmp_path: Path, zygote: Zygote) -> Callable[..., Outcome]:
    """Return a function that runs `llamax ARGUMENTS` in a process of its own in a folder of its own."""

    def run(
        *arguments: object, stdin: bytes = b"", cwd: Path = tmp_path, env: Mapping[str, str] = os.environ
    ) -> Outcome:
        return zygote.run([*map(str, arguments)], stdin, cwd, env)

    return run


@pytest.fixture
def filters(tmp_path: Path) -> Callable[..., Outcome]:
    """Return a function that runs one of the commands in filters.py, which have the shared flags and nothing else."""

    def run(*arguments: object, stdin: bytes = b"", cwd: Path = tmp_path) -> Outcome:
        command = [sys.executable, str(ROOT / "tests" / "filters.py"), *map(str, arguments)]
        return subprocess.run(command, input=stdin, capture_output=True, cwd=cwd, timeout=120)

    return run


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives the folder of a model trained on the spot, by the name of its architecture."""
    import tiny

    made: dict[str, Path] = {}

    def make(kind: str) -> Path:
        if kind not in made:
            made[kind] = tiny.MAKERS[kind](tmp_path_factory.mktemp("models") / kind)
        return made[kind]

    return make
