"""What most tests of training start from; a module that needs something else has a fixture of the same name."""

from pathlib import Path

import pytest
from support.records import write
from support.runs import model_folder, sample


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small model."""
    return model_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def mix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return samples of several lengths."""
    return write(tmp_path_factory.mktemp("data") / "mix.jsonl", [sample(n, 3 + n % 20) for n in range(300)])
