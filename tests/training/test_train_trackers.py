"""Trackers: the metrics as curves, which a resumed run continues."""

import errno
import sys
from collections import defaultdict
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from support.processes import Outcome
from support.records import write
from support.runs import job, metrics, model_folder, sample, train

from llamax_cli.config import TRACKERS
from llamax_cli.errors import FileError, TrainingError
from llamax_cli.training.job import read_job
from llamax_cli.training.trackers import OPENERS, Trackers, flatten


def curves(folder: Path) -> dict[str, dict[int, float]]:
    """Return the curves that TensorBoard shows of a run: the values by step."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    shown = EventAccumulator(str(folder / "tensorboard"))
    shown.Reload()
    found: dict[str, dict[int, float]] = {}
    for name in shown.Tags()["scalars"]:
        points = [(point.step, point.value) for point in shown.Scalars(name)]
        found[name] = dict(points)
        assert len(points) == len(found[name]), "a step twice"
    return found


def test_tensorboard_shows_the_metrics_over_a_resumption(tmp_path: Path) -> None:
    """Steps after the checkpoint, which are made twice, are shown once; the curves agree with the metrics."""
    model = model_folder(tmp_path / "model")
    mix = write(tmp_path / "mix.jsonl", [sample(number, 3 + number % 9) for number in range(120)])
    folder = tmp_path / "run"
    more: dict[str, Any] = {"trackers": ("tensorboard",), "validation": (str(mix),), "validation_every": 4, "epochs": 4}
    train(job(folder, model, mix, stop_after=9, checkpoint_every=5, **more))
    # As if the run had been killed before its last checkpoint.
    for path in (folder / "checkpoints").glob("step-00000009/*"):
        path.unlink()
    train(job(folder, model, mix, stop_after=12, resume=True, **more))
    found, steps = curves(folder), metrics(folder)
    assert [line["step"] for line in steps] == list(range(1, 13))
    assert found["train/loss"] == pytest.approx({line["step"]: line["loss"] for line in steps})
    languages: dict[str, dict[int, float]] = defaultdict(dict)
    for line in steps:
        for language, loss in line["language"].items():
            languages[language][line["step"]] = loss
    assert {name: found[f"train/language/{name}"] for name in languages} == {
        name: pytest.approx(each) for name, each in languages.items()
    }
    assert list(found["validation/direction/en-sw"]) == [4, 8, 12]
    assert len({line["run"] for line in metrics(folder, "start")}) == 1


def test_numbers_are_named_by_their_keys() -> None:
    """Values that are not numbers make no curve."""
    facts = {"loss": 1.5, "origin": {"para": 2, "mono": None}, "note": "x"}
    assert list(flatten("train", facts)) == [("train/loss", 1.5), ("train/origin/para", 2)]


class Recorded(ModuleType):
    """A stand-in for the package `wandb` that records its calls."""

    Error = RuntimeError

    def __init__(self, *, refuses: bool = False) -> None:
        super().__init__("wandb")
        self.calls: list[tuple[str, Any]] = []
        self.config = SimpleNamespace(update=lambda values, **_: self.calls.append(("config", values)))
        self._refuses = refuses

    def Settings(self, **given: object) -> dict[str, object]:  # noqa: N802
        """Return the settings."""
        return given

    def init(self, **given: Any) -> Any:
        """Start a run."""
        if self._refuses:
            raise self.Error("api_key not configured (no-tty)\nand more")
        self.calls.append(("init", given))
        log = lambda values, step: self.calls.append(("log", (step, values)))  # noqa: E731
        return SimpleNamespace(url=None, log=log, finish=lambda: self.calls.append(("finish", None)))


def test_wandb_resumes_the_run_by_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the numbers of steps and evaluations make curves."""
    recorded = Recorded()
    monkeypatch.setitem(sys.modules, "wandb", recorded)
    run = read_job(job(tmp_path / "run", tmp_path, tmp_path, trackers=("wandb",)))
    trackers = Trackers(run, "ab12", 7, {"block": 64})
    trackers.log("step", 8, {"loss": 2.0, "origin": {"para": 2.0}})
    trackers.log("start", 8, {"ranks": 1})
    trackers.close()
    (_, started), *rest = recorded.calls
    assert (started["id"], started["resume"], started["project"], started["name"]) == ("ab12", "allow", "llamax", "run")
    assert rest == [
        ("config", {"block": 64}),
        ("log", (8, {"train/loss": 2.0, "train/origin/para": 2.0})),
        ("finish", None),
    ]
    monkeypatch.setitem(sys.modules, "wandb", Recorded(refuses=True))
    with pytest.raises(
        TrainingError, match=r"trackers: wandb: api_key not configured \(no-tty\); set WANDB_MODE=offline"
    ):
        Trackers(run, "ab12", 0, {})


def test_every_tracker_of_accelerate_is_there() -> None:
    """By its own name, none forgotten and none that it lacks."""
    from accelerate.utils import LoggerType

    assert set(TRACKERS) == {kind.value for kind in LoggerType} - {"all"}
    assert set(OPENERS) <= set(TRACKERS)


class FakeTrackio(ModuleType):
    """A stand-in for the package `trackio` that records its calls."""

    def __init__(self) -> None:
        super().__init__("trackio")
        self.calls: list[tuple[str, Any]] = []
        self.config = SimpleNamespace(update=lambda values, **_: self.calls.append(("config", dict(values))))

    def init(self, project: str, **given: Any) -> Any:
        """Start a run."""
        self.calls.append(("init", project))
        log = lambda values, **_: self.calls.append(("log", values))  # noqa: E731
        finish = lambda: self.calls.append(("finish", None))  # noqa: E731
        return SimpleNamespace(log=log, finish=finish)


def test_any_tracker_of_accelerate_gets_the_curves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened through accelerate, with the settings; a service that refuses is one line."""
    fake = FakeTrackio()
    monkeypatch.setitem(sys.modules, "trackio", fake)
    run = read_job(job(tmp_path / "run", tmp_path, tmp_path, trackers=("trackio",)))
    trackers = Trackers(run, "ab12", 0, {"block": 64, "freeze": ("a", "b")})
    trackers.log("step", 8, {"loss": 2.0, "origin": {"para": 2.0}})
    trackers.close()
    assert [name for name, _ in fake.calls] == ["init", "config", "log", "finish"]
    assert fake.calls[0] == ("init", "llamax")
    assert fake.calls[1][1] == {"block": 64, "freeze": "a, b"}
    assert fake.calls[2][1] == {"train/loss": 2.0, "train/origin/para": 2.0}

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no key\nand more")

    fake.init = refuse  # type: ignore[method-assign]
    with pytest.raises(TrainingError, match=r"^trackers: trackio: no key$"):
        Trackers(run, "ab12", 0, {})


def test_a_full_disk_at_the_end_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, after every tracker was asked to finish."""
    finished = []

    def finish(name: str) -> None:
        finished.append(name)
        raise OSError(errno.ENOSPC, "No space left on device")

    def opened(name: str) -> Any:
        return lambda *_: SimpleNamespace(name=name, finish=lambda: finish(name))

    monkeypatch.setattr("llamax_cli.training.trackers.OPENERS", {"wandb": opened("a"), "tensorboard": opened("b")})
    run = read_job(job(tmp_path / "run", tmp_path, tmp_path, trackers=("wandb", "tensorboard")))
    with pytest.raises(FileError, match=r"run: a cannot write: no space left on device"):
        Trackers(run, "ab12", 0, {}).close()
    assert finished == ["a", "b"]


def test_wandb_itself_writes_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the real package, if it is installed."""
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    trackers = Trackers(read_job(job(tmp_path / "run", tmp_path, tmp_path, trackers=("wandb",))), "ab12", 0, {"a": 1})
    trackers.log("step", 1, {"loss": 2.0})
    trackers.close()
    assert list((tmp_path / "run" / "wandb").glob("offline-run-*-ab12/run-ab12.wandb"))


def test_a_missing_package_is_reported_at_once(tmp_path: Path, llamax: Callable[..., Outcome]) -> None:
    """The error says what to install."""
    model_folder(tmp_path / "model")
    write(tmp_path / "mix.jsonl", [sample(1)])
    call = ("--model", "model", "--data", "mix.jsonl", "-o", "run", "--dry-run")
    done = llamax("train", *call, "--set", "trackers=wandb")
    if find_spec("wandb") is None:
        assert done.stderr.decode() == "llamax train: trackers: wandb is not installed: pip install 'llamax[wandb]'\n"
        assert done.returncode == 2
    done = llamax("train", *call, "--set", "liger=true")
    if find_spec("liger_kernel") is None:
        assert (
            done.stderr.decode() == "llamax train: liger: liger_kernel is not installed: pip install 'llamax[liger]'\n"
        )
    done = llamax("train", *call, "--set", "trackers=tensorbord")
    assert done.stderr.decode() == "llamax train: trackers = 'tensorbord': did you mean tensorboard?\n"
