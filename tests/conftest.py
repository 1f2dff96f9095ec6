"""What tests share: the real data, and commands run as a user runs them."""

import fcntl
import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from support import filters as filter_commands
from support import zygote
from support.fakes import Tagger
from support.processes import ROOT, Outcome, restore_signals

from llamax_cli.translation.engines import registry
from llamax_cli.translation.engines.registry import EngineSpec

# Tensors of tests are slower in two threads, and threads that wait for each other by spinning slow down other tests.
os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded

restore_signals()

# Each run tries the same examples, but for constants of modules that earlier tests have loaded, so that a change fails
# for what it changed; FUZZ_EXAMPLES=5000 tries more, and others. How long an example takes says nothing on a machine
# that does other work too.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
settings.register_profile("examples", deadline=None, derandomize=not EXAMPLES, max_examples=EXAMPLES or 100)
settings.load_profile("examples")


gc.disable()  # nothing that is made while tests are collected is garbage


def pytest_collection_finish() -> None:
    """Look for garbage from here on, but not in what is there already."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest tests, so that nobody has to wait for them at the end."""
    items.sort(key=lambda item: (item.name != "test_all_tables_and_figures", "slow" not in item.keywords))


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of real data; skip where it is absent, but not where it has to be there."""
    folder = Path(os.environ.get("LLAMAX_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        message = f"no real data in {folder}; set LLAMAX_TEST_DATA"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    return folder


@pytest.fixture
def llamax(tmp_path: Path) -> Callable[..., Outcome]:
    """Return a function that runs `llamax ARGUMENTS` in a process of its own in a folder of its own.

    The process is a fork of one that has the libraries loaded, and so are those it starts unless they shall be `fresh`.
    """

    def run(*arguments: object, cwd: Path = tmp_path, **more: Any) -> Outcome:
        return zygote.run(*arguments, cwd=cwd, **more)

    return run


@pytest.fixture
def filters(tmp_path: Path) -> Callable[..., Outcome]:
    """Return a function that runs a command of support/filters.py, which have the shared flags and nothing else.

    It is forked as `llamax` is; `filters.start` begins real interpreters.
    """

    def run(*arguments: object, stdin: bytes = b"", cwd: Path = tmp_path) -> Outcome:
        return zygote.run_module(filter_commands.__file__, *arguments, stdin=stdin, cwd=cwd, size="small")

    return run


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives the folder of a model by the name of its architecture; it must stay as it is.

    A model is trained when it is first asked for, once for all processes that share the tests.
    """
    from support import tiny_models

    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "tiny-models"
    shared.mkdir(exist_ok=True)

    def make(kind: str) -> Path:
        with (shared / f"{kind}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (shared / kind).exists():
                tiny_models.MAKERS[kind](shared / f"{kind}.partial").rename(shared / kind)
        return shared / kind

    return make


@pytest.fixture
def tagger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Tagger]:
    """Have --engine hf be an engine without a model, in an empty folder with nothing asked yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(registry.ENGINES, "hf", EngineSpec("support.fakes:Tagger", shareable=True))
    monkeypatch.setattr(Tagger, "opened", [])
    monkeypatch.setattr(Tagger, "asked", [])
    return Tagger
