"""The settings of a run, from TOML and --set: types, and errors that name the key."""

from pathlib import Path

import pytest

from llamax_cli.config import ALIASES, Training, read_training
from llamax_cli.errors import FileError, UsageError


def test_a_file_and_settings_make_a_training(tmp_path: Path) -> None:
    """Settings override the file, and the file the defaults; a whole number is a number too."""
    path = tmp_path / "run.toml"
    path.write_text('learning_rate = 1e-4\nfreeze = ["a.*", "b"]\nclip = 2\ncompile = true\n')
    training = read_training(
        path, ["learning_rate=3e-5", "block=512", "schedule=linear", 'freeze=["c"]', "validation=no"]
    )
    assert training == Training(
        learning_rate=3e-5, freeze=("c",), clip=2.0, compile=True, block=512, schedule="linear", validation=("no",)
    )
    assert read_training(None) == Training()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("learning_rat=1", "--set learning_rat=1: unknown key 'learning_rat'; did you mean learning_rate?"),
        ("lr=1", "--set lr=1: unknown key 'lr'; did you mean learning_rate?"),
        ("max_grad_norm=1", "--set max_grad_norm=1: unknown key 'max_grad_norm'; did you mean clip?"),
        ("zzz=1", "--set zzz=1: unknown key 'zzz'; have: block, "),
        ("block=2.5", "--set block=2.5: block takes a whole number, not 2.5"),
        ("block=true", "--set block=true: block takes a whole number, not True"),
        ("compile=1", "--set compile=1: compile takes true or false, not 1"),
        ("schedule=3", "--set schedule=3: schedule takes a string, not 3"),
        ("schedule=cosin", "schedule = 'cosin': did you mean cosine?"),
        ("freeze=[1]", "--set freeze=[1]: freeze takes a list of strings, not [1]"),
        ("batch=0", "batch = 0: must be at least 1"),
        ("warmup=2", "warmup = 2.0: must be at most 1"),
        ("learning_rate=nan", "learning_rate = nan: must be a finite number of at most 64 bits"),
        ("learning_rate=inf", "learning_rate = inf: must be a finite number of at most 64 bits"),
        ("weight_decay=" + "9" * 400, "weight_decay = 999"),
        ("seed=" + "9" * 30, "seed = 999"),
        ("seed=" + "9" * 5000, "--set seed=999"),
        ("block", "--set block: write key=value"),
    ],
)
def test_what_cannot_be_is_refused(setting: str, message: str) -> None:
    """Each error names the key, and the nearest key if there is one."""
    with pytest.raises(UsageError) as raised:
        read_training(None, [setting])
    assert str(raised.value).startswith(message)


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    """The error names the file and says what is wrong."""
    path = tmp_path / "run.toml"
    path.write_text("block: 2\n")
    with pytest.raises(UsageError, match=r"run.toml: not TOML: "):
        read_training(path)
    path.write_text("blok = 2\n")
    with pytest.raises(UsageError, match=r"run.toml: unknown key 'blok'; did you mean block\?"):
        read_training(path)
    with pytest.raises(FileError, match="no such file"):
        read_training(tmp_path / "none.toml")


def test_every_setting_says_what_it_is() -> None:
    """Each setting has a description, for the README and for readers of the code."""
    from dataclasses import fields

    assert all(each.metadata["help"] for each in fields(Training))


def test_what_others_call_a_setting_is_one() -> None:
    """No alias is a setting, and each stands for one."""
    from dataclasses import fields

    names = {each.name for each in fields(Training)}
    assert not names & set(ALIASES) and set(ALIASES.values()) <= names
