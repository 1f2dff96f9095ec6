"""What an earlier version left half-done, this one finishes, or refuses where it would do the rest differently.

Each archive holds what commands of a version had written when they were killed: partial outputs with their states, a
compiled lexicon, and a training run of one rank that had stopped after three steps. `support/golden.py` makes one; the
first was made before it, and has no translations and manifests.
"""

import json
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from support import golden as made
from support.golden import GOLDEN
from support.lexicons import ENGLISH, lexicon
from support.processes import Outcome, one_line
from support.runs import losses, metrics, train

from llamax_cli.augmentation.augmentation import RULES
from llamax_cli.lexicon.store.reader import Lexicon

FIRST = "0.1.0"
LATER = sorted(path.name.removesuffix(".tar.xz") for path in GOLDEN.glob("*.tar.xz") if not path.name.startswith(FIRST))
COMMANDS = {
    "langid.jsonl": ("langid", "texts.jsonl"),
    "augmented.jsonl": ("augment", "pairs.jsonl", "--dict", "small.lex"),
    "mix.jsonl": ("mix", "--para", "pairs.jsonl", "--mono", "texts.jsonl"),
}


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """Return a folder with the files of the first version."""
    return unpacked(FIRST, tmp_path)


@pytest.fixture(params=LATER)
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a folder with the files of a version since then."""
    return unpacked(request.param, tmp_path)


def unpacked(version: str, folder: Path) -> Path:
    """Unpack the files of a version, and return their folder."""
    with tarfile.open(GOLDEN / f"{version}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder / version


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


@pytest.mark.parametrize("version", [FIRST, *LATER])
def test_a_checkpoint_is_resumed(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps after it have the losses that they have in a run that never stopped."""
    monkeypatch.chdir(unpacked(version, tmp_path) / "training")
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


@pytest.mark.parametrize("output", made.COMMANDS)
def test_every_output_is_resumed_or_refused(golden: Path, output: str) -> None:
    """To the bytes of a run that never stopped; where a rule has changed since, it is named and nothing is lost."""
    ending = output.partition(".")[2]
    whole = made.start(golden, *made.COMMANDS[output], "-o", f"again.{ending}")
    assert whole.communicate(timeout=60) and whole.wait() == 0
    (golden / "asked").unlink(missing_ok=True)
    kept = (golden / f"{output}.partial").read_bytes()
    process = made.start(golden, *made.COMMANDS[output], "-o", output, "--resume")
    _, said = process.communicate(timeout=60)
    if process.wait() != 0:
        assert said.startswith(b"llamax %s: cannot resume: not the same rules of " % made.COMMANDS[output][0].encode())
        assert said.count(b"\n") == 1
        assert (golden / f"{output}.partial").read_bytes() == kept
        return
    assert (golden / output).read_bytes() == (golden / f"again.{ending}").read_bytes()
    assert not list(golden.glob(f"{output}.partial*"))


@pytest.mark.parametrize("output", ["translated.jsonl", "pivoted.jsonl"])
def test_answers_that_were_kept_are_not_asked_for_again(golden: Path, output: str) -> None:
    """The engine gets the others alone."""
    kept = (golden / f"{output}.partial.answers").read_bytes().count(b"\n") - 1
    assert kept >= made.COUNT // 2
    process = made.start(golden, *made.COMMANDS[output], "-o", output, "--resume")
    assert process.communicate(timeout=60) and process.wait() == 0
    needed = made.COUNT * (1 if output.startswith("translated") else 2)
    assert len((golden / "asked").read_text().splitlines()) == needed - kept


def test_a_lexicon_is_read(golden: Path) -> None:
    """It has the entries that it was made of."""
    now = lexicon(golden / "now.lex", ("en", ENGLISH))
    assert list(Lexicon(golden / "small.lex").entries()) == list(now.entries())


def test_a_manifest_is_read(golden: Path, llamax: Callable[..., Outcome]) -> None:
    """That of a mixture by `analyze corpus`, that of any run as JSON that says what the run was."""
    done = llamax("analyze", "corpus", "--mixture", "mixed.manifest.json", "-q", cwd=golden)
    assert done.returncode == 0, done.stderr
    assert sum(json.loads(line)["samples"] for line in done.stdout.splitlines()) >= made.COUNT
    facts = json.loads((golden / "whole.manifest.json").read_bytes())
    assert (facts["command"], facts["counts"]) == ("langid", {"in": made.COUNT, "out": made.COUNT, "rejected": 0})
    assert facts["inputs"][0]["sha256"] == sha256((golden / "texts.jsonl").read_bytes()).hexdigest()
