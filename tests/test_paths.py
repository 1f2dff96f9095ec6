"""No run writes a file that it reads, or one file twice; paths that are wrong are told before anything is loaded."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from inspect import Parameter, signature
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from support.processes import ROOT, one_line

from llamax_cli import cli
from llamax_cli.options.command import Reads, Writes

Llamax = Callable[..., subprocess.CompletedProcess[bytes]]
FILTERS = ("convert", "build-lexicon", "augment", "mix", "translate", "pivot", "langid", "score")
REQUIRED = {"augment": ["--dict", "other.lex"], "translate": ["--model", "m"], "pivot": ["--model", "m"]}
INPUT_OPTIONS = {("mix", "--para"), ("mix", "--mono"), ("mix", "--aug"), ("mix", "--mt"), ("mix", "--replay")}
RECORD = b'{"id":"1","text":"one","lang":"en"}\n'
LINKS: dict[str, Callable[[Path], str]] = {
    "the same name": lambda path: path.name,
    "another name": lambda path: f"../{path.parent.name}/{path.name}",
    "a symbolic link": lambda path: str(linked(path, os.symlink)),
    "a hard link": lambda path: str(linked(path, os.link)),
}


def linked(path: Path, link: Callable[[Path, Path], None]) -> Path:
    """Return a link to a file, in the same folder."""
    link(path, path.with_name("link"))
    return path.with_name("link")


def options(command: str) -> dict[str, Parameter]:
    """Return the options of a command by their flags; mix has the files of its input among them."""
    module = import_module(f"llamax_cli.commands.{command.replace('-', '_')}")
    parameters = signature(getattr(module, command.replace("-", "_"))).parameters.values()
    return {f"--{each.name.strip('_').replace('_', '-')}": each for each in parameters}


def marked(command: str, kind: type) -> list[str]:
    """Return the options that are declared to read or to write."""
    return [flag for flag, option in options(command).items() if kind in map(type, _metadata(option))]


def _metadata(option: Parameter) -> tuple[Any, ...]:
    return getattr(option.annotation, "__metadata__", ())


CONFLICTS = [(each, *pair) for each in FILTERS for pair in product(marked(each, Reads), marked(each, Writes))]


@pytest.mark.parametrize("command", [*FILTERS, "train", "tune"])
def test_every_option_that_names_a_path_declares_it(command: str) -> None:
    """An option whose value is shown as a file or folder says whether the run reads or writes it."""
    for flag, option in options(command).items():
        metavars = [mark.metavar for mark in _metadata(option) if getattr(mark, "metavar", None)]
        if any(re.search("FILE|DIR|PATH|FOLDER", metavar) for metavar in metavars) and flag != "--files":
            declared = flag in marked(command, Reads) + marked(command, Writes)
            assert declared or (command, flag) in INPUT_OPTIONS, f"{command} {flag}"


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("name", ["metrics.jsonl", "run.json"])
@pytest.mark.parametrize("command", ["train", "tune"])
def test_a_run_does_not_write_what_it_reads(
    files: Path, capsys: pytest.CaptureFixture[str], command: str, name: str, link: str
) -> None:
    """Neither data nor settings nor the model: exit code 2 before anything is opened."""
    (files / "run").mkdir()
    read = files / "run" / name
    read.write_bytes(RECORD)
    path = os.path.relpath(files / "run" / LINKS[link](read))
    options = {"--data": ["--model", "m"], "--config": ["--model", "m", "--data", "in.jsonl"]}
    for option, others in options.items():
        said = refused(capsys, command, *others, option, path, "-o", "run")
        assert f"--output run/{name} is the file that {option} reads; name another file" in said
    setting = refused(
        capsys, command, "--model", "m", "--data", "in.jsonl", "--set", f'validation=["{path}"]', "-o", "run"
    )
    assert f"--output run/{name} is the file that validation reads" in setting
    (files / "run" / "model").mkdir()
    assert "--model reads" in refused(capsys, command, "--model", "run/model", "--data", "in.jsonl", "-o", "run")
    assert read.read_bytes() == RECORD


@pytest.mark.parametrize("folder", ["checkpoints", "cache", "translations", "model"])
@pytest.mark.parametrize("command", ["train", "tune"])
def test_a_run_reads_nothing_that_it_may_remove(
    files: Path, capsys: pytest.CaptureFixture[str], command: str, folder: str
) -> None:
    """What is in the folders of its checkpoints, its cache, its translations and its model, also by way of a link."""
    place = files / "run" / folder / "step-10"
    place.mkdir(parents=True)
    (place / "a.jsonl").write_bytes(RECORD)
    (files / "link").symlink_to(place)
    wrong = {"--data": "run/{}/step-10/a.jsonl", "--config": "run/{}/a.toml", "--tokenizer": "link", "--model": "link"}
    for option, path in wrong.items():
        given = {"--model": "m", "--data": "in.jsonl"} | {option: path.format(folder)}
        (place.parent / "a.toml").touch()
        said = refused(capsys, command, *(word for pair in given.items() for word in pair), "-o", "run")
        assert f"{option} {path.format(folder)} is in run/{folder}, where this run writes; move it" in said
    settings = ["--set", f'translate=["run/{folder}/step-10/a.jsonl"]']
    said = refused(capsys, command, "--model", "m", "--data", "in.jsonl", *settings, "-o", "run")
    assert f"translate run/{folder}/step-10/a.jsonl is in run/{folder}, where" in said


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that is wrong usage, and return what it says."""
    assert cli.run([*arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def call(command: str, *arguments: str) -> list[str]:
    """Return a command line with an input, and with what else the command requires."""
    required = REQUIRED.get(command, [])
    files = ["--para", "in.jsonl"] if command == "mix" else ["in.jsonl"]
    return [command, *files, *([] if required[:1] == list(arguments[:1]) else required), *arguments]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the run, which has an input and a file beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLAMAX_DATA", str(tmp_path / "data"))
    (tmp_path / "in.jsonl").write_bytes(RECORD)
    (tmp_path / "beside.lex").write_bytes(b"what the run reads")
    return tmp_path


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize(("command", "reads", "writes"), CONFLICTS, ids="-".join)
def test_no_output_is_a_file_that_an_option_reads(
    files: Path, capsys: pytest.CaptureFixture[str], command: str, reads: str, writes: str, link: str
) -> None:
    """Exit code 2 and one line that names both options; no file is opened for writing."""
    output = LINKS[link](files / "beside.lex")
    before = sorted(files.iterdir())
    value = "xcomet-xl=beside.lex" if reads == "--metric-model" else "beside.lex"
    said = refused(capsys, *call(command, reads, value, writes, output))
    assert f"{writes} {output} is the file that {reads} reads; name another file" in said
    assert (files / "beside.lex").read_bytes() == b"what the run reads"
    assert sorted(files.iterdir()) == before


@pytest.mark.parametrize("command", FILTERS)
@pytest.mark.parametrize("writes", ["--rejects", "--manifest"])
@pytest.mark.parametrize("link", LINKS)
def test_only_the_output_may_be_an_input(
    files: Path, capsys: pytest.CaptureFixture[str], command: str, writes: str, link: str
) -> None:
    """Rejects and manifest would destroy the input while it is read; -o replaces it at the end."""
    output = LINKS[link](files / "in.jsonl")
    said = refused(capsys, *call(command, writes, output))
    assert f"{writes} {output} is the file that this run reads" in said
    assert (files / "in.jsonl").read_bytes() == RECORD


@pytest.mark.parametrize("command", FILTERS)
def test_no_file_is_written_twice(files: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    """Whether it is there already or not, and also where it is the name of an unfinished output."""
    for name in ("new", "beside.lex"):
        flags = [flag for flag in marked(command, Writes) if flag != "--name"]
        for one in flags:
            for other in flags:
                if one != other:
                    said = refused(capsys, *call(command, one, name, other, name))
                    assert "name another file" in said and one in said and other in said
    said = refused(capsys, *call(command, "-o", "out", "--rejects", "out.partial"))
    assert "--rejects out.partial is where --output out is written until it is complete" in said
    assert sorted(path.name for path in files.iterdir()) == ["beside.lex", "in.jsonl"]


def test_a_lexicon_is_guarded_under_its_name(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--dict NAME` and `--name NAME` stand for a file in the folder of lexicons."""
    path = files / "data" / "lexicons" / "mine.lex"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a lexicon")
    assert "--dict reads" in refused(capsys, *call("augment", "--dict", "other.lex,mine", "--rejects", str(path)))
    assert "--rejects" in refused(capsys, *call("build-lexicon", "--name", "mine", "--rejects", str(path)))
    assert path.read_bytes() == b"a lexicon"


def test_an_unfinished_output_is_not_an_input(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What an interrupted run has kept would be emptied before it is read."""
    (files / "out.partial").write_bytes(RECORD)
    said = refused(capsys, "langid", "out.partial", "-o", "out")
    assert "out.partial is where --output out is written until it is complete; rename it first" in said
    assert (files / "out.partial").read_bytes() == RECORD


def test_a_file_in_a_folder_that_is_read(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not replaced, unless it is what an earlier run with the same options wrote there."""
    dev = files / "corpus" / "dev"
    dev.mkdir(parents=True)
    (dev / "eng.dev").write_bytes(b"one\n\0\n")
    (dev / "deu.dev").write_bytes(b"eins\nzwei\n")
    run = ["convert", "corpus", "--pairs", "en-de", "-q", "-o", "out"]
    for option in (["--rejects", "corpus/dev/eng.dev"], ["--manifest", "corpus/dev/deu.dev"]):
        said = refused(capsys, *run, *option)
        assert f"{' '.join(option)} is a file in corpus, which this run reads" in said
    assert "--exclude corpus" in refused(capsys, *call("mix", "--exclude", "corpus", "-o", "corpus/dev/eng.dev"))
    assert (dev / "eng.dev").read_bytes() == b"one\n\0\n"
    for _ in range(2):
        assert cli.run([*run, "--rejects", "corpus/bad", "--manifest", "corpus/how"]) == 0
        assert (files / "corpus" / "bad").read_bytes().startswith(b'{"input":')


def test_an_output_in_a_folder_that_is_read(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not read, unfinished as it is; once it is there, the folder is another one."""
    (files / "muse").mkdir()
    (files / "muse" / "en-fr.txt").write_bytes(b"house\tmaison\n")
    (files / "muse" / "en-es.txt.partial").write_bytes(b"what another run has not completed\n")
    run = ["build-lexicon", "muse", "-o", "muse/en-de.txt"]
    assert cli.run(run) == 0
    assert "2 entries" in capsys.readouterr().err or (files / "muse" / "en-de.txt").read_bytes().count(b"\n") == 2
    whole = (files / "muse" / "en-de.txt").read_bytes()
    assert "--output muse/en-de.txt is a file in muse, which this run reads; name another file" in refused(capsys, *run)
    assert (files / "muse" / "en-de.txt").read_bytes() == whole


@pytest.mark.parametrize("mode", ["ab", "r+b"])
def test_standard_output_is_no_input(files: Path, llamax: Llamax, mode: str) -> None:
    """A run that reads what it writes has no end: `llamax langid in.jsonl >> in.jsonl`, with `<` too."""
    for arguments in (["in.jsonl"], ["-"], []):
        with (files / "in.jsonl").open(mode) as stdout, (files / "in.jsonl").open("rb") as stdin:
            outcome = subprocess.run(
                [sys.executable, "-m", "llamax_cli", "langid", *arguments],
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.PIPE,
                timeout=60,
            )
        outcome.stdout = b""
        one_line(outcome, 2, "in.jsonl" if "in.jsonl" in arguments else "standard input", "is also standard output")
        assert (files / "in.jsonl").read_bytes() == RECORD


def test_standard_output_is_no_file_of_an_option(files: Path, llamax: Llamax) -> None:
    """Neither one that the run reads, nor one that it writes, nor one in a folder that it reads."""
    (files / "corpus" / "dev").mkdir(parents=True)
    (files / "corpus" / "dev" / "eng.dev").write_bytes(b"one\n")
    (files / "corpus" / "dev" / "deu.dev").write_bytes(b"eins\n")
    cases = {
        "beside.lex": [["langid", "in.jsonl", option, "beside.lex"] for option in ("--lid-model", "--rejects")],
        "corpus/dev/deu.dev": [["convert", "corpus", "--pairs", "en-de"]],
    }
    for name, commands in cases.items():
        before = (files / name).read_bytes()
        for arguments in commands:
            with (files / name).open("ab") as stdout:
                command = [sys.executable, "-m", "llamax_cli", *arguments]
                outcome = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, timeout=60)
            outcome.stdout = b""
            one_line(outcome, 2, "is also standard output")
            assert (files / name).read_bytes() == before


def test_devices_may_be_named_several_times(files: Path) -> None:
    """`/dev/null` is not a file that could be lost."""
    null = "/dev/null"
    assert cli.run(["langid", "in.jsonl", "-q", "-o", null, "--rejects", null, "--manifest", null]) == 0


def test_rejects_do_not_go_into_a_file_of_moses(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the languages of the records say which files `--as moses` writes."""
    (files / "pairs").write_bytes(b'{"src":"one","tgt":"eins","src_lang":"en","tgt_lang":"de"}\n')
    said = refused(capsys, "convert", "pairs", "--as", "moses", "-o", "out", "--rejects", "out.en-de.de")
    assert "--rejects out.en-de.de is a file that --as moses writes; name another file" in said


EARLY = (
    ("translate --model m nowhere.jsonl", 1, "nowhere.jsonl: no such file or directory"),
    ("translate --model m .", 1, ". is a folder, not a file"),
    ("translate --model m in.jsonl -o no/x.jsonl", 1, "cannot write {}/no/x.jsonl.partial: no such file or directory"),
    ("translate --model m in.jsonl -o .", 1, "{} is a folder, not a file"),
    ("translate --model m in.jsonl -o in.jsonl/x", 1, "cannot write {}/in.jsonl/x.partial: not a directory"),
    ("translate --model m in.jsonl --rejects no/x", 1, "no/x: no such file or directory"),
    ("translate --model m in.jsonl --rejects x.gz", 2, "--rejects writes uncompressed text; name the file without .gz"),
    ("translate --model m in.jsonl --manifest no/x", 1, "cannot write the manifest no/x: no such file or directory"),
    ("translate --model ./no in.jsonl", 1, "./no: no such folder"),
    ("translate --model m in.jsonl --lora ./no", 1, "--lora ./no: no such folder"),
    (
        "translate --model m in.jsonl --device gpu",
        2,
        "--device gpu is unknown; have: auto, all, cpu, cuda, cuda:N, mps",
    ),
    ("pivot --model m nowhere.jsonl", 1, "nowhere.jsonl: no such file or directory"),
    ("pivot --model m in.jsonl --second-model ./no", 1, "./no: no such folder"),
    ("langid in.jsonl nowhere.jsonl", 1, "nowhere.jsonl: no such file or directory"),
    ("score --metric comet nowhere.jsonl", 1, "nowhere.jsonl: no such file or directory"),
    ("mix --para in.jsonl --mono nowhere.jsonl", 1, "nowhere.jsonl: no such file or directory"),
    ("tune --model m --task xnli --eval nowhere.tsv", 1, "nowhere.tsv: no such file or directory"),
    ("tune --average m no -o mean", 1, "no: no such folder; download a model of the hub first"),
    ("train --model m --data nowhere.jsonl -o run", 1, "nowhere.jsonl: no such file or directory"),
)


def test_paths_are_looked_at_before_anything_is_loaded(tmp_path: Path) -> None:
    """A path that is wrong is told without a model, without torch, and without a file that was not there."""
    poison = tmp_path / "poison"
    poison.mkdir()
    for name in ("torch", "transformers", "fasttext", "sacrebleu"):
        (poison / f"{name}.py").write_text(f"import os\nos.write(2, b'{name} was loaded\\n')\nos._exit(99)\n")
    work = tmp_path / "work"
    (work / "m").mkdir(parents=True)
    (work / "m" / "config.json").write_text("{}")
    (work / "in.jsonl").write_text('{"src":"a","tgt":"b","src_lang":"en","tgt_lang":"de"}\n')
    script = "import sys; from llamax_cli import cli\nfor call in sys.argv[1:]:\n code = cli.run(call.split())\n"
    script += " print(f'{code}: {call}', file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script, *(call for call, *_ in EARLY)],
        cwd=work,
        env={**os.environ, "PYTHONPATH": f"{poison}:{ROOT}"},
        capture_output=True,
        timeout=60,
    )
    told = [f"llamax {call.partition(' ')[0]}: {message.format(work)}\n{code}: {call}" for call, code, message in EARLY]
    assert done.stderr.decode().splitlines() == "\n".join(told).splitlines()
    assert (done.returncode, done.stdout) == (0, b"")
    assert sorted(path.name for path in work.iterdir()) == ["in.jsonl", "m"]


def test_a_pipe_is_not_opened_to_see_whether_it_is_there(llamax: Llamax, tmp_path: Path) -> None:
    """A named pipe gives its lines once."""
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=('{"text":"Where is it?","lang":"en"}\n',))
    writer.start()
    done = llamax("langid", "pipe", "-q")
    writer.join(10)
    assert done.returncode == 0 and done.stdout.count(b'"lid":"en"') == 1
