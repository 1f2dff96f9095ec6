"""Resuming under other settings: each is refused by its name, or takes effect and is said."""

import os
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest
from support.records import write
from support.runs import begin, end, job, metrics, model_folder, sample, train

from llamax_cli.config import BOS_CHOICES, Training, is_fixed
from llamax_cli.errors import ResumeError
from llamax_cli.models.fingerprint import weights_fingerprint
from llamax_cli.training.dataset import Cache, open_sample_file
from llamax_cli.training.job import Job
from llamax_cli.training.resume import BASE, compare, describe_changes

# Those that say what the numbers in a checkpoint mean, or which records its position has passed.
FIXED = {"block", "seed", "loss", "optimizer", "freeze", "lora", "lora_alpha", "lora_targets", "add_bos"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small model."""
    return model_folder(tmp_path_factory.mktemp("models") / "model")


@pytest.fixture(scope="module")
def mix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of samples."""
    return write(tmp_path_factory.mktemp("data") / "mix.jsonl", [sample(number) for number in range(600)])


def other(setting: Any) -> Any:
    """Return another value of a setting than its default."""
    value, among = setting.default, setting.metadata.get("among", ())
    if isinstance(value, tuple):
        return (*value, among[0] if among else "another")
    if among:
        return next(each for each in among if each != value)
    if isinstance(value, bool):
        return not value
    return value / 2 + 0.25 if isinstance(value, float) else value + 1 if isinstance(value, int) else "another"


@pytest.mark.parametrize("setting", fields(Training), ids=lambda setting: setting.name)
def test_each_setting_is_refused_or_takes_effect(tmp_path: Path, setting: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the setting with both values; a change that is accepted is returned with them."""
    if setting.name == "optimizer":  # of which there is only one so far
        monkeypatch.setattr(setting, "metadata", {**setting.metadata, "among": ("adamw", "sgd")})
    name, here, before = setting.name, setting.default, other(setting)
    asked = Job(str(tmp_path / "model"), "", (), str(tmp_path), False, True, False, Training())
    facts = {"training": asdict(Training()) | {name: before}}
    if name in FIXED:
        with pytest.raises(ResumeError, match=rf"^{name} is .*, but .* in the checkpoint; repeat"):
            compare(asked, facts)
    else:
        found = compare(asked, facts)
        assert found == {name: (before, here)}
        assert describe_changes(found).startswith(f"{name} ")
    assert is_fixed(name) == (name in FIXED)


def test_an_earlier_version_knew_no_add_bos(tmp_path: Path) -> None:
    """It wrote the token wherever there is one; the fingerprint of the tokens tells whether that is so here."""
    given = {name: value for name, value in asdict(Training()).items() if name != "add_bos"}
    for choice in BOS_CHOICES:
        asked = Job(str(tmp_path / "model"), "", (), str(tmp_path), False, True, False, Training(add_bos=choice))
        assert compare(asked, {"training": given}) == {}


def test_a_setting_of_another_version_is_refused(tmp_path: Path) -> None:
    """Whatever it was, this version cannot continue with it."""
    asked = Job(str(tmp_path / "model"), "", (), str(tmp_path), False, True, False, Training())
    for unknown in ({"optimizer": "lion"}, {"colour": "red"}):
        with pytest.raises(ResumeError, match=rf"another version of llamax: .*{next(iter(unknown))}"):
            compare(asked, {"training": asdict(Training()) | unknown})


def test_the_base_model_is_known_by_its_weights(tmp_path: Path, model: Path) -> None:
    """Another model of the same shape is refused; another card in its folder is not."""
    asked = Job(str(model), "", (), str(tmp_path), False, True, False, Training())
    facts = {"training": asdict(Training()), BASE: weights_fingerprint(str(model))}
    (model / "README.md").write_text("read me")
    assert compare(asked, facts) == {}
    another = replace(asked, model=str(model_folder(tmp_path / "other", seed=1)))
    with pytest.raises(ResumeError, match="other is not the model that the checkpoint was trained from"):
        compare(another, facts)
    assert compare(another, {"training": facts["training"]}) == {}  # an earlier version noted no base model


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        ({}, {"freeze": ("model.layers.0.*",)}, r"freeze is [model.layers.0.*], but [] in the checkpoint"),
        ({"lora": 4}, {"lora": 4, "lora_alpha": 64}, "lora_alpha is 64, but 16 in the checkpoint"),
    ],
)
def test_what_would_spoil_the_weights_is_refused(
    tmp_path: Path, model: Path, mix: Path, before: dict[str, Any], now: dict[str, Any], reason: str
) -> None:
    """One line; the run goes on with the settings that it had."""
    train(job(tmp_path, model, mix, stop_after=2, **before))
    folder = job(tmp_path, model, mix, stop_after=4, resume=True, **now)
    codes, said = end(folder, begin(folder, 2))
    assert codes == [1, 1]
    assert said == f"llamax train: {reason}; repeat what the run was started with, or train into another folder\n"
    train(job(tmp_path, model, mix, stop_after=4, resume=True, **before))
    assert len(metrics(tmp_path)) == 4


def test_the_optimizer_takes_the_settings_of_the_resumed_run(tmp_path: Path, model: Path, mix: Path) -> None:
    """Weight decay, betas and epsilon are those of the run, not those of the checkpoint; the change is said."""
    from safetensors.torch import load_file

    changes = {"weight_decay": 0.9, "beta2": 0.5, "epsilon": 1e-3}
    results = {}
    for name, settings in (("same", {}), ("changed", changes)):
        run = tmp_path / name
        train(job(run, model, mix, stop_after=3))
        said = train(job(run, model, mix, stop_after=6, resume=True, **settings))
        expected = ", beta2 0.95 -> 0.5, epsilon 1e-08 -> 0.001" if settings else ""
        decay = ", weight_decay 0.1 -> 0.9" if settings else ""
        assert f"changed: stop_after 3 -> 6{decay}{expected}\n" in said
        results[name] = load_file(run / "model" / "model.safetensors")
    assert metrics(tmp_path / "changed", "start")[1]["changed"]["beta2"] == [0.95, 0.5]
    name = "model.embed_tokens.weight"
    assert not results["same"][name].equal(results["changed"][name])


def test_data_of_the_same_size_and_time_are_read_again(tmp_path: Path) -> None:
    """As tar and rsync leave them: the index is of the content that is there now."""
    path, cache = write(tmp_path / "a.jsonl", [sample(1), sample(2)]), Cache(tmp_path / "cache")
    before, status = open_sample_file(path, cache).digest, path.stat()
    path.write_bytes(path.read_bytes().replace(b"made:", b"MADE:"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    assert open_sample_file(path, cache).digest != before
