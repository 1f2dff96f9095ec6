"""`llamax replay`: the same bytes again, what has changed named, and nothing that only a manifest asks for."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.processes import ROOT, Outcome, one_line
from support.records import write
from support.runs import model_folder, sample, small_tokenizer

from llamax_cli import cli
from llamax_cli.cli import COMMANDS, load
from llamax_cli.errors import FileError, LlamaxError, ReplayError
from llamax_cli.options.command import Untrusted, marks
from llamax_cli.provenance import replay
from llamax_cli.provenance.command_lines import CommandLine, Renaming
from llamax_cli.provenance.manifests import read_manifest
from llamax_cli.streams.fingerprints import sha256_of

Llamax = Callable[..., Outcome]
SCRATCH = Path("/scratch")


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder, the current one, with texts and a dictionary."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    (work / "talk.en").write_text("The black cat sleeps.\nGood morning!\n")
    (work / "talk.de").write_text("Die schwarze Katze schläft.\nGuten Morgen!\n")
    (work / "en-fr.txt").write_text("black noir\ncat chat\nmorning matin\n")
    return work


def made(*arguments: str) -> None:
    """Run a command in this process, which goes well."""
    assert cli.run([*arguments, "-q"]) == 0


def outcomes(done: Outcome) -> list[tuple[str, str, bool]]:
    """Return command, path and verdict of each record."""
    records = map(json.loads, done.stdout.decode().splitlines())
    return [(each["command"], each["path"], each["same"]) for each in records]


def changed_manifest(path: Path, **fields: Any) -> Path:
    """Write a manifest with other fields, or with other arguments, and return it."""
    manifest = json.loads(path.read_text())
    arguments = fields.pop("arguments", {})
    copy = path.with_name("changed.json")
    copy.write_text(json.dumps({**manifest, "arguments": {**manifest["arguments"], **arguments}, **fields}))
    return copy


# -- the same bytes ----------------------------------------------------------------------------------------------------


def test_a_pipeline_is_made_again_from_its_first_files(talk: Path, llamax: Llamax) -> None:
    """By the hashes that manifests share, through pipes and lexicons, though nothing in between is stored any more."""
    made("build-lexicon", "en-fr.txt", "-o", "small.lex", "--manifest", "lexicon.json")
    done = llamax("convert", "talk.en", "talk.de", "-q", "--manifest", "pairs.json", cwd=talk)
    aug = ("augment", "--dict", "small.lex", "--rate", "0.5", "-q", "--manifest", "aug.json")
    augmented = llamax(*aug, cwd=talk, stdin=done.stdout)
    (talk / "aug.jsonl").write_bytes(augmented.stdout)
    made("mix", "--aug", "aug.jsonl", "--augment-high", "-o", "epoch.jsonl.gz", "--manifest", "epoch.json")
    before = {path: path.read_bytes() for path in talk.iterdir()}
    (talk / "aug.jsonl").unlink()
    (talk / "small.lex").unlink()
    again = llamax("replay", "epoch.json", "--chain", ".", cwd=talk)
    assert (again.returncode, again.stderr.decode()[:63]) == (
        0,
        "llamax replay: 4 outputs of 4 runs made again, the same bytes; ",
    )
    assert outcomes(again) == [
        ("convert", "-", True),
        ("build-lexicon", "small.lex", True),
        ("augment", "-", True),
        ("mix", "epoch.jsonl.gz", True),
    ]
    left = {path: path.read_bytes() for path in talk.iterdir()}
    assert left == {path: data for path, data in before.items() if path.name not in ("aug.jsonl", "small.lex")}
    (talk / "epoch.jsonl.gz").write_text("the user's own by now")
    kept = llamax("replay", "epoch.json", "pairs.json", "lexicon.json", "aug.json", "-q", "-o", "kept", cwd=talk)
    assert (kept.returncode, kept.stderr) == (0, b"")
    assert (talk / "epoch.jsonl.gz").read_text() == "the user's own by now"
    (again_made,) = (talk / "kept").rglob("epoch.jsonl.gz")
    assert again_made.read_bytes() == before[talk / "epoch.jsonl.gz"]


def test_outputs_of_any_form(talk: Path, llamax: Llamax, monkeypatch: pytest.MonkeyPatch) -> None:
    """Moses files, Parquet, tables, a card, a named lexicon, shards and samples; rejects are not the user's."""
    monkeypatch.setenv("LLAMAX_DATA", str(talk / "data"))
    (talk / "data" / "lexicons").mkdir(parents=True)
    made("convert", "talk.en", "talk.de", "-o", "pairs.jsonl", "--manifest", "1.json")
    with (talk / "pairs.jsonl").open("a") as file:
        file.write("not a record\n")
    made("convert", "talk.en", "talk.de", "--as", "moses", "-o", "m", "--manifest", "2.json")
    made("convert", "talk.en", "talk.de", "--as", "parquet", "-o", "p.parquet", "--manifest", "3.json")
    made("build-lexicon", "en-fr.txt", "--name", "mine", "--manifest", "4.json")
    augment = ("augment", "pairs.jsonl", "--dict", "mine", "--not", "tgt", "--shard", "1/2", "--seed=-3", "--append")
    made(*augment, "-o", "a.jsonl.zst", "--rejects", "bad", "--manifest", "5.json")
    made("analyze", "corpus", "a.jsonl.zst", "--table", "md", "-o", "t.md", "--card", "card", "--manifest", "6.json")
    made("langid", "a.jsonl.zst", "--workers", "2", "-o", "l.jsonl", "--manifest", "7.json")
    made("convert", "pairs.jsonl", "--rejects", "bad2", "--sample", "1", "-o", "s.jsonl", "--manifest", "8.json")
    files = {path: path.read_bytes() for path in talk.rglob("*") if path.is_file()}
    done = llamax("replay", *(f"{number}.json" for number in range(2, 9)), "-q", cwd=talk, env={**os.environ})
    assert (done.returncode, done.stderr) == (0, b"")
    assert [each[:2] for each in outcomes(done)] == [
        ("convert", "m.en-de.de"),
        ("convert", "m.en-de.en"),
        ("convert", "p.parquet"),
        ("build-lexicon", str(talk / "data/lexicons/mine.lex")),
        ("augment", "a.jsonl.zst"),
        ("analyze corpus", "card/README.md"),
        ("analyze corpus", "card/croissant.json"),
        ("analyze corpus", "t.md"),
        ("langid", "l.jsonl"),
        ("convert", "s.jsonl"),
    ]
    assert all(same for *_, same in outcomes(done))
    assert {path: path.read_bytes() for path in talk.rglob("*") if path.is_file()} == files


@pytest.mark.slow
def test_a_model_is_trained_again(tmp_path: Path, llamax: Llamax) -> None:
    """Weights, configuration and tokenizer are the same; a vocabulary that is then extended follows the chain."""
    model_folder(tmp_path / "model")
    write(tmp_path / "mix.jsonl", [sample(number, 9) for number in range(30)])
    (tmp_path / "pieces.txt").write_text("nyumba\n")
    call = ("train", "--model", "model", "--data", "mix.jsonl", "-o", "run", "-q", "--lora", "2", "--set", "block=64")
    assert llamax(*call, "epochs=2", "batch=2", "validation=mix.jsonl", cwd=tmp_path).returncode == 0
    extend = ("extend-vocab", "--model", "run/model", "--tokens", "pieces.txt", "-o", "large", "-q")
    assert llamax(*extend, "--manifest", "large.json", cwd=tmp_path).returncode == 0
    done = llamax("replay", "large.json", "--chain", "run", "-q", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    told = outcomes(done)
    assert {name for name, *_ in told} == {"train", "extend-vocab"}
    assert all(same for *_, same in told)
    assert {"run/model/model.safetensors", "run/model/tokenizer.json", "large/model.safetensors"} <= {
        path for _, path, _ in told
    }
    manifest = changed_manifest(tmp_path / "run" / "manifest.json", arguments={"set": ["block=64", "batch=2"]})
    done = llamax("replay", manifest, cwd=tmp_path)
    one_line(done, 1, "outputs differ: ", "run/model/model.safetensors", had_written=True)
    assert ("train", "run/model/model.safetensors", False) in outcomes(done)


# -- what has changed --------------------------------------------------------------------------------------------------


@pytest.fixture
def pairs(talk: Path) -> Path:
    """Return the manifest of a conversion."""
    made("convert", "talk.en", "talk.de", "-o", "pairs.jsonl", "--manifest", "pairs.json")
    return talk / "pairs.json"


def test_an_input_that_is_missing_or_has_changed_is_named(talk: Path, pairs: Path, llamax: Llamax) -> None:
    """Before anything is run."""
    (talk / "talk.en").unlink()
    (talk / "talk.de").write_text("Guten Tag!\n")
    said = one_line(llamax("replay", pairs, cwd=talk), 1)
    assert said == f"{pairs} cannot be made again: input missing: talk.en; input changed: talk.de"
    made("convert", "talk.de", "--langs", "de", "--limit", "1", "-o", "one.jsonl", "--manifest", "one.json")
    (talk / "stdin.json").write_text((talk / "one.json").read_text().replace('"path": "talk.de"', '"path": "-"'))
    one_line(llamax("replay", "stdin.json", cwd=talk), 1, "standard input: no manifest here tells what wrote it")


def test_other_versions_and_other_contents_are_named(talk: Path, pairs: Path, llamax: Llamax) -> None:
    """Where the bytes differ, in the line of the error too."""
    manifest = json.loads(pairs.read_text())
    output = {**manifest["outputs"][0], "sha256": "0" * 64}
    copy = changed_manifest(pairs, versions={**manifest["versions"], "llamax": "0.0.1"}, outputs=[output])
    done = llamax("replay", copy, cwd=talk)
    version = manifest["versions"]["llamax"]
    assert one_line(done, 1, had_written=True) == (f"1 of 1 output differs: pairs.jsonl (llamax {version}, was 0.0.1)")
    assert json.loads(done.stdout)["changed"] == [f"llamax {version}, was 0.0.1"]
    copy = changed_manifest(pairs, arguments={"model_content": ["abc"]})
    done = llamax("replay", copy, cwd=talk)
    assert json.loads(done.stdout) | {"manifest": ""} == {
        "manifest": "", "command": "convert", "path": "pairs.jsonl", "same": True,
        "changed": ["model_content not there, was abc"],
    }  # fmt: skip


def test_what_the_run_says_as_it_fails_is_passed_on(talk: Path, pairs: Path, llamax: Llamax) -> None:
    """In the one line of the error."""
    copy = changed_manifest(pairs, arguments={"pairs": "en-xx1"})
    one_line(llamax("replay", copy, cwd=talk), 1, "llamax convert ended with exit code 2: ", "xx1")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"outputs": None}, "does not say what was written"),
        ({"command": "rm"}, "llamax has no command 'rm'"),
        ({"command": "help"}, "llamax help writes no manifest"),
        ({"folder": "relative"}, "a path that cannot be one"),
        ({"inputs": 3}, "is no manifest"),
        ({"arguments": {"pairs": {"a": 1}}}, "--pairs has a value that is none"),
        ({"arguments": {"pairs": "en\0"}}, "an argument holds NUL"),
    ],
)
def test_what_is_no_manifest_is_refused(
    talk: Path, pairs: Path, llamax: Llamax, fields: dict[str, Any], message: str
) -> None:
    """As bad data, in one line."""
    one_line(llamax("replay", changed_manifest(pairs, **fields), "-q", cwd=talk), 65, message)


def test_a_folder_that_is_not_empty_is_not_written_to(talk: Path, pairs: Path, llamax: Llamax) -> None:
    """Nor is anything else there replaced."""
    (talk / "full").mkdir()
    (talk / "full" / "a").touch()
    one_line(llamax("replay", pairs, "-o", "full", cwd=talk), 1, "full is not empty")
    one_line(llamax("replay", pairs, "--chain", "none", cwd=talk), 1, "none: no such folder")


# -- a manifest from elsewhere -----------------------------------------------------------------------------------------


def test_a_dry_run_shows_command_lines_and_makes_nothing(talk: Path, pairs: Path, llamax: Llamax) -> None:
    """Quoted for a shell; a control character cannot reach the terminal."""
    before = sorted(talk.rglob("*"))
    copy = changed_manifest(pairs, arguments={"name": "$(touch x); \x1b[2J"})
    done = llamax("replay", copy, "--dry-run", cwd=talk)
    assert done.returncode == 0
    line = done.stdout.decode()
    assert line.startswith(f"cd {talk} && llamax convert ")
    assert "'--name=$(touch x); \\x1b[2J'" in line
    assert f"--output=/SCRATCH/1-convert{talk}/pairs.jsonl" in line
    assert sorted(talk.rglob("*")) == sorted([*before, copy])


UNTRUSTED = {
    "translate": {"engine": "command", "server": "http://x", "trust_remote_code": True},
    "pivot": {"engine": "openai", "server": "http://x", "trust_remote_code": True},
    "score": {
        "comet_python": "/bin/sh",
        "comet_model": "evil/model",
        "metric_model": "xcomet-xl=Unbabel/XCOMET-XL,ssa-comet=evil/model",
        "metric_command": "rm -r /",
    },
    "analyze lexicon": {"trust_remote_code": True},
    "analyze representation": {"trust_remote_code": True},
    "train": {"trust_remote_code": True, "flags": ["--module", "evil"]},
    "tune": {"trust_remote_code": True, "flags": ["-m"]},
}
CASES = [(command, name, value) for command, options in UNTRUSTED.items() for name, value in options.items()]


@pytest.mark.parametrize(("command", "name", "value"), CASES)
def test_what_would_run_code_or_reach_a_server_is_refused(
    talk: Path, pairs: Path, command: str, name: str, value: object
) -> None:
    """By every command that has such an option."""
    line = CommandLine(read_manifest(changed_manifest(pairs, command=command, arguments={name: value, "files": []})))
    with pytest.raises(ReplayError, match="which a manifest may not ask for"):
        line.check()


def test_every_option_that_runs_code_is_marked() -> None:
    """Those are all; whoever adds one adds it here."""
    found = {
        (name, option.name)
        for name in COMMANDS
        for option in cli_options(name)
        if any(isinstance(mark, Untrusted) for mark in marks(option))
    }
    assert found == {(command, name) for command, name, _ in CASES}
    risky = {"server", "engine", "trust_remote_code", "flags", *UNTRUSTED["score"]}
    assert {(name, each.name) for name in COMMANDS for each in load(name).params if each.name in risky} == found


def cli_options(name: str) -> list[Any]:
    """Return the options of a command as they are declared."""
    import inspect

    return list(inspect.signature(cli.function_of(name)).parameters.values())  # type: ignore[arg-type]


def test_modules_of_the_folder_are_not_imported(talk: Path, pairs: Path, llamax: Llamax) -> None:
    """A manifest names the folder of its run, which may hold anything."""
    (talk / "msgspec.py").write_text("raise SystemExit('evil')")
    (talk / "llamax_cli").mkdir()
    (talk / "llamax_cli" / "__main__.py").write_text("raise SystemExit('evil')")
    elsewhere = talk.parent / "elsewhere"
    elsewhere.mkdir()
    done = llamax("replay", pairs, "-q", cwd=elsewhere, fresh=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_environment_of_a_run(talk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that a manifest names are not downloaded, and a relative path of Python's means another folder there."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("PYTHONPATH", f".::modules:{talk}")
    environment = replay._environment()
    assert environment["HF_HUB_OFFLINE"] == environment["PYTHONSAFEPATH"] == "1"
    assert environment["PYTHONPATH"].split(":") == [str(ROOT), str(talk)]


def test_a_pipe_is_not_waited_for(talk: Path, pairs: Path, llamax: Llamax) -> None:
    """What is neither a file nor a folder has no hash, and could keep a run waiting for ever."""
    os.mkfifo(talk / "fifo")
    one_line(llamax("replay", changed_manifest(pairs, arguments={"files": ["fifo"]}), cwd=talk), 1, "fifo is neither")


def test_manifests_in_a_circle_end(talk: Path, pairs: Path, llamax: Llamax) -> None:
    """Each names the output of the other as its input."""
    manifest = json.loads(pairs.read_text())
    entry = manifest["outputs"][0]
    (talk / "a.json").write_text(json.dumps({**manifest, "inputs": [entry]}))
    (talk / "b.json").write_text(json.dumps({**manifest, "inputs": [entry]}))
    assert llamax("replay", "a.json", "b.json", "--dry-run", cwd=talk).stdout.count(b"\n") == 2


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["..", "/etc", "-"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
REPLAYABLE = [name for name in COMMANDS if name not in ("help", "replay", "report")]


@given(data=st.data(), command=st.sampled_from(REPLAYABLE), output=st.text(max_size=20))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(data=None, command="convert", output="../../../../etc/passwd")
def test_nothing_is_written_outside(data: Any, command: str, output: str, tmp_path: Path) -> None:
    """Whatever the arguments are: only options of the command, and all paths that it writes in the scratch folder."""
    arguments: dict[str, Any] = {
        "output": output,
        "manifest": "/etc/m",
        "rejects": "/../r",
        "card": "../c",
        "name": "n",
    }
    if data is not None:
        names = [each.name.rstrip("_") for each in load(command).params]
        arguments |= data.draw(st.dictionaries(st.sampled_from([*names, "--evil"]), VALUES, max_size=4))
    manifest = {"command": command, "arguments": arguments, "folder": "/x", "versions": {}, "inputs": [], "outputs": []}
    path = tmp_path / "m.json"
    path.write_text(json.dumps(manifest))
    try:
        line = CommandLine(read_manifest(path))
        words = line.words(Renaming(SCRATCH, {}), manifest=SCRATCH / "m")
        written = line.written(Renaming(SCRATCH, {}))
    except LlamaxError:
        return
    assert words[: len(command.split())] == command.split()
    flags = {flag for each in load(command).params for flag in each.opts}
    options = words[len(command.split()) : words.index("--") if "--" in words else None]
    assert {word.partition("=")[0] for word in options} <= flags
    paths = [word.partition("=")[2] for word in options if word.startswith(("--output=", "--manifest=", "--rejects="))]
    for each in [*map(Path, paths), *written]:
        assert SCRATCH in each.parents or each == SCRATCH
        assert ".." not in each.parts


# -- options -----------------------------------------------------------------------------------------------------------


def test_the_options_of_a_run_are_those_of_the_replay(talk: Path, llamax: Llamax) -> None:
    """The arguments that a manifest tells give a command line whose manifest tells the same."""
    small_tokenizer().backend_tokenizer.save("tokenizer.json")
    made("convert", "talk.en", "talk.de", "-o", "p.jsonl")
    made("convert", "talk.en", "--langs", "en", "-o", "t.jsonl")
    (talk / "mt.jsonl").write_text((talk / "p.jsonl").read_text().replace('"tgt"', '"mt"'))
    runs = [
        "mix --para p.jsonl --mono t.jsonl --mono-block 32 --tokenizer tokenizer.json --flip 0.1 --memory 2M",
        "convert talk.en talk.de --pairs *-* --part 2/3 --drop-empty --langs en,de",
        "score --metric bleu,chrf++ --lowercase mt.jsonl --ref p.jsonl --summary --not de",
        "langid p.jsonl --field src --min-score 0.5 --select match",
        "analyze fertility talk.en --tokenizer tokenizer.json --unit word",
    ]
    for number, run in enumerate(runs):
        first, second = Path(f"{number}.json"), Path(f"{number}-again.json")
        made(*run.split(), "-o", "out", "--manifest", str(first))
        words = CommandLine(read_manifest(first)).words(Renaming(talk / "s", {}), manifest=second)
        (talk / "s").joinpath(*talk.parts[1:]).mkdir(parents=True, exist_ok=True)
        assert cli.run(words) == 0
        one, two = (json.loads(path.read_text()) for path in (first, second))
        same = {"output", "manifest", "rejects"}
        assert {**one["arguments"], **dict.fromkeys(same)} == {**two["arguments"], **dict.fromkeys(same)}
        assert [each["sha256"] for each in one["outputs"]] == [each["sha256"] for each in two["outputs"]]


def test_the_hash_of_standard_output_is_that_of_the_bytes(talk: Path, llamax: Llamax) -> None:
    """And of a table and of Parquet, which other code writes."""
    for number, form in enumerate((["--as", "records"], ["--as", "parquet"])):
        done = llamax("convert", "talk.en", "talk.de", *form, "-q", "--manifest", f"{number}.json", cwd=talk)
        (talk / "out").write_bytes(done.stdout)
        (told,) = json.loads((talk / f"{number}.json").read_text())["outputs"]
        assert sha256_of(talk / "out") == (told["bytes"], told["sha256"])
        assert told["path"] == "-"


def test_a_manifest_that_cannot_be_read_is_not_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of the run made again: nothing is known of what has changed."""
    step: Any = SimpleNamespace(manifest=None, written_manifest=tmp_path / "manifest.json")
    assert replay._changes(step) == ["the run made again has no manifest"]
    step.written_manifest.write_text("{}")

    def failing(path: Path) -> None:
        raise FileError(f"{path}: input/output error")

    monkeypatch.setattr(replay, "read_manifest", failing)
    with pytest.raises(FileError, match=r"/manifest\.json: input/output error"):
        replay._changes(step)
