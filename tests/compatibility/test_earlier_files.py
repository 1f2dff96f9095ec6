"""What an earlier version left half-done, this one finishes, or refuses where it would do the rest differently.

`0.1.0.tar.xz` holds what commands of version 0.1.0 had written when they were killed: partial outputs with their
states, a compiled lexicon, and a training run of one rank that had stopped after three steps.
"""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.lexicons import lexicon
from support.processes import Outcome, one_line
from support.runs import losses, metrics, train

from llamax_cli.augmentation.augmentation import RULES

ARCHIVE = Path(__file__).with_name("0.1.0.tar.xz")
COMMANDS = {
    "langid.jsonl": ("langid", "texts.jsonl"),
    "augmented.jsonl": ("augment", "pairs.jsonl", "--dict", "small.lex"),
    "mix.jsonl": ("mix", "--para", "pairs.jsonl", "--mono", "texts.jsonl"),
}


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """Return a folder with the files of the earlier version."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "0.1.0"


def test_an_interrupted_run_is_resumed(earlier: Path, llamax: Callable[..., Outcome]) -> None:
    """The same bytes as a run that never stopped."""
    output = "mix.jsonl"
    command = COMMANDS[output]
    assert llamax(*command, "-o", "whole.jsonl", cwd=earlier).returncode == 0
    resumed = llamax(*command, "-o", output, "--resume", cwd=earlier)
    assert resumed.returncode == 0, resumed.stderr
    assert (earlier / output).read_bytes() == (earlier / "whole.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("output", "was", "now", "rules"),
    [
        ("mix.jsonl", b'"para_size":null', ("--para-size", 50), "sampling"),
        ("langid.jsonl", b"", (), "identification"),
        ("augmented.jsonl", b"", (), "augmentation"),
    ],
)
def test_what_this_version_does_differently_is_refused(
    earlier: Path, llamax: Callable[..., Outcome], output: str, was: bytes, now: tuple[object, ...], rules: str
) -> None:
    """Other pairs, languages and replacements come out: the reason is named, and what was written stays."""
    state, partial = earlier / f"{output}.partial.state", earlier / f"{output}.partial"
    state.write_bytes(state.read_bytes().replace(was, b'"para_size":50') if was else state.read_bytes())
    kept = partial.read_bytes()
    resumed = llamax(*COMMANDS[output], *now, "-o", output, "--resume", cwd=earlier)
    one_line(resumed, 1, f"cannot resume: not the same rules of {rules} as in the first part; drop --resume")
    assert partial.read_bytes() == kept


def test_what_was_written_is_not_written_again(earlier: Path, llamax: Callable[..., Outcome]) -> None:
    """A mark set in the part that was safe on disk is still there in the end, under the same rules."""
    output = "augmented.jsonl"
    state = earlier / f"{output}.partial.state"
    state.write_bytes(state.read_bytes().replace(b'"lexicons":', b'"rules of augmentation":%d,"lexicons":' % RULES))
    partial = earlier / f"{output}.partial"
    kept = partial.read_bytes()
    partial.write_bytes(kept[:10] + b"#" + kept[11:])
    assert llamax(*COMMANDS[output], "-o", output, "--resume", cwd=earlier).returncode == 0
    assert (earlier / output).read_bytes()[10:11] == b"#"


def test_what_was_split_otherwise_is_not_resumed(llamax: Callable[..., Outcome], tmp_path: Path) -> None:
    """0.1.0 split texts without spaces in another way; its state says nothing about it."""
    lexicon(tmp_path / "thai.lex", ("th", {"แมว": {"en": ["cat"]}}), entities={"en": 1})
    texts = [json.dumps({"text": "แมว", "lang": "th"}), "not JSON"]
    (tmp_path / "texts.jsonl").write_text("\n".join(texts), encoding="utf-8")
    command = ("augment", "--dict", "thai.lex", "texts.jsonl", "-o", "out.jsonl")
    assert llamax(*command, cwd=tmp_path).returncode == 65
    state = tmp_path / "out.jsonl.partial.state"
    head, _, pending = state.read_bytes().partition(b"\n")
    saved = json.loads(head)
    assert saved["run"]["arguments"].pop("segmentation") == ["th=dictionary 2"]
    assert saved["run"]["arguments"]["segmenter"] == "jieba"  # as 0.1.0 wrote it
    state.write_bytes(json.dumps(saved).encode() + b"\n" + pending)
    refused = llamax(*command, "--resume", cwd=tmp_path)
    assert one_line(refused, 1) == "cannot resume: not the same segmentation as in the first part; drop --resume"


def test_a_checkpoint_is_resumed(earlier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps after it have the losses that they have in a run that never stopped."""
    monkeypatch.chdir(earlier / "training")
    run, whole = Path("run"), Path("whole")
    facts = json.loads((run / "run.json").read_text())
    facts["training"]["stop_after"] = 0
    (run / "run.json").write_text(json.dumps({**facts, "resume": True}))
    whole.mkdir()
    (whole / "run.json").write_text(json.dumps({**facts, "output": "whole"}))
    train(run)
    train(whole)
    assert metrics(run, "start")[1]["resumed"].endswith("step-00000003")
    # Checkpoints round nothing, but the machine that wrote them may have added in another order.
    assert losses(run) == pytest.approx(losses(whole), rel=1e-5)
    assert len(losses(run)) > 3
