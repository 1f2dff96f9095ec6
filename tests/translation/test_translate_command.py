"""Programs that translate line by line: however they buffer, lose, double, hang or fail, no translation is shifted."""

import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from support.processes import Outcome, wait_for
from support.zygote import zygote

from llamax_cli.errors import ModelError, RecordError, UsageError
from llamax_cli.models.contracts import Decoding, ModelChoice, TranslationRequest
from llamax_cli.streams import line_programs
from llamax_cli.translation.engines.command import CommandEngine
from llamax_cli.translation.engines.registry import open_engine

GREEDY = Decoding(beam=1)
Run = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait long for programs that write at the end of their input, as Python does with a pipe."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    monkeypatch.setattr(line_programs, "PATIENCE", 0.3)


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """Return a function that makes a program of the body of a loop over lines, and returns its command line.

    It notes each start in a file `starts`.
    """

    def make(body: str, before: str = "") -> str:
        file = tmp_path / "program.py"
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        file.write_text(
            f"import os, sys, time\nopen({str(tmp_path / 'starts')!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
            f"{before}\nfor line in sys.stdin:\n    line = line.rstrip('\\n')\n{lines}"
        )
        return f"{sys.executable} {file} {{src}} {{tgt}}"

    return make


def starts(tmp_path: Path) -> list[str]:
    """Return the arguments of each start of the program."""
    return (tmp_path / "starts").read_text().splitlines()


def requests(count: int, tgt_lang: str = "ca") -> list[TranslationRequest]:
    """Return requests that differ."""
    return [TranslationRequest(f"line {number}", "es", tgt_lang) for number in range(count)]


def answers(line: str, asked: list[TranslationRequest], timeout: float = 20.0) -> list[str]:
    """Return the translations of a program, or the reason where there is none."""
    engine = open_engine(ModelChoice(line, engine="command", timeout=timeout), GREEDY)
    found = dict(engine.translate(asked))
    engine.close()
    assert sorted(found) == list(range(len(asked)))
    return [
        f"! {answer}" if isinstance(answer := found[index], RecordError) else answer[0].text
        for index in range(len(asked))
    ]


ECHO = "print(line.upper(), flush=True)"


def test_one_program_a_direction_stays(tmp_path: Path, program: Callable[..., str]) -> None:
    """It gets the lines of all batches; each direction has its own, in the codes that the command line asks for."""
    asked = [*requests(600), *requests(5, "zh")]
    assert answers(program(ECHO), asked) == [request.src.upper() for request in asked]
    assert starts(tmp_path) == ["es ca", "es zh"]
    assert answers(program(ECHO).replace("{src}", "{src3}").replace("{tgt}", "{tgt3}"), requests(2)) == [
        "LINE 0",
        "LINE 1",
    ]
    assert starts(tmp_path)[-1] == "spa cat"


def test_a_program_that_writes_at_the_end(tmp_path: Path, program: Callable[..., str]) -> None:
    """It is found out once, and then started for each batch of a direction."""
    asked = [*requests(300), *requests(300, "fr"), *requests(40, "it")]
    began = time.monotonic()
    assert answers(program("print(line.upper())"), asked) == [request.src.upper() for request in asked]
    assert time.monotonic() - began < 5
    assert starts(tmp_path) == ["es ca", "es ca", "es fr", "es it"]


def test_a_program_that_is_slow_to_begin_is_kept(tmp_path: Path, program: Callable[..., str]) -> None:
    """Its input is ended once, as it might wait for that; from then on it has the time that it needs."""
    engine = open_engine(ModelChoice(program(ECHO, "time.sleep(2)"), engine="command", timeout=20.0), GREEDY)
    for _ in range(4):
        assert [answer[0].text for _, answer in engine.translate(requests(5))] == [f"LINE {n}" for n in range(5)]  # type: ignore[union-attr]
    engine.close()
    assert starts(tmp_path) == ["es ca"] * 2


def test_a_program_that_is_slow_at_a_line_is_kept(tmp_path: Path, program: Callable[..., str]) -> None:
    """One that has answered before does not wait for the end of its input."""
    engine = open_engine(ModelChoice(program(f"if line == 'line 4': time.sleep(1)\n{ECHO}"), engine="command"), GREEDY)
    for _ in range(4):
        assert [answer[0].text for _, answer in engine.translate(requests(5))] == [f"LINE {n}" for n in range(5)]  # type: ignore[union-attr]
    engine.close()
    assert starts(tmp_path) == ["es ca"] * 2


@pytest.mark.slow
@pytest.mark.parametrize("flush", [True, False])
def test_lines_that_are_lost_or_doubled(program: Callable[..., str], flush: bool) -> None:
    """They are the ones that have no answer; those beside them keep theirs."""
    body = f"if line not in ('line 200', 'line 290'): print(line.upper(), flush={flush})"
    body += "\nif line == 'line 7': print('more')"
    found = answers(program(body), requests(300))
    for number, answer in enumerate(found):
        if number in (7, 200, 290):
            assert answer.startswith("! ") and "for 1" in answer
        else:
            assert answer == f"LINE {number}"


@pytest.mark.parametrize("fault", ["sys.exit('no such word')", "time.sleep(60)", "os.kill(os.getpid(), 9)"])
def test_a_line_at_which_it_fails(tmp_path: Path, program: Callable[..., str], fault: str) -> None:
    """Has the reason; it is started again for the others."""
    found = answers(program(f"if line == 'line 9': {fault}\n{ECHO}"), requests(20), timeout=1.0)
    assert [answer for number, answer in enumerate(found) if number != 9] == [
        f"LINE {number}" for number in range(20) if number != 9
    ]
    reasons = ("it failed with exit code 1: no such word", "no answer within 1 s", "it was killed by signal 9")
    assert any(found[9].endswith(reason) for reason in reasons)
    assert len(starts(tmp_path)) <= 4


def test_a_program_that_never_works_ends_the_run(tmp_path: Path, program: Callable[..., str]) -> None:
    """At once, with what it says last."""
    with pytest.raises(ModelError, match=r"program\.py es ca: it failed with exit code 1: no mode es-ca"):
        answers(program(ECHO, "sys.exit('no mode es-ca')"), requests(300))
    assert len(starts(tmp_path)) <= 5
    with pytest.raises(ModelError, match=r"no answer within 1 s"):
        answers(program("time.sleep(30)"), requests(300), timeout=1.0)
    body = "if int(line.split()[1]) > 20: sys.exit('out of words')"
    with pytest.raises(ModelError, match=r"out of words"):
        answers(program(f"{body}\n{ECHO}"), requests(600))


def test_a_program_that_says_more_is_refused(program: Callable[..., str]) -> None:
    """A greeting would shift all translations by a line."""
    with pytest.raises(ModelError, match=r"wrote more (than|lines)|for \d"):
        answers(program(ECHO, "print('Loading the model', flush=True)"), requests(30))


def test_what_is_no_text(program: Callable[..., str]) -> None:
    """Bytes that are not UTF-8 are a bad record; a source of several lines is one line."""
    body = "sys.stdout.buffer.write(b'\\xff\\n' if line == 'line 1' else line.encode() + b'\\n'); sys.stdout.flush()"
    assert answers(program(body), requests(3)) == ["line 0", "! the answer of the program is not UTF-8", "line 2"]
    assert answers(program(ECHO), [TranslationRequest("a\nb\u2028c\r\nd", "es", "ca")]) == ["A B C D"]


def test_what_cannot_be_a_program(tmp_path: Path) -> None:
    """Is refused before anything is read."""
    for line, reason in {
        "": "needs the command line of a program",
        "no-such-program {src}": "there is no program no-such-program",
        "'open": "is not a command line",
    }.items():
        with pytest.raises((UsageError, ModelError), match=reason):
            open_engine(ModelChoice(line, engine="command"), GREEDY)
    (tmp_path / "es").write_text("")
    engine = CommandEngine(ModelChoice(f"{tmp_path}/{{src}}", engine="command"), GREEDY)
    with pytest.raises(ModelError, match="cannot be run: Permission denied"):
        list(engine.translate(requests(1)))


@pytest.mark.slow
def test_in_a_pipe(llamax: Run, tmp_path: Path, program: Callable[..., str]) -> None:
    """`llamax translate` with bad lines set aside, and resumed; what it does not support is refused."""
    texts = [{"id": str(number), "text": f"line {number}", "lang": "es"} for number in range(30)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(each) + "\n" for each in texts))
    line = program(f"if line == 'line 3': sys.exit(3)\n{ECHO}")
    call = ["translate", "in.jsonl", "--engine", "command", "--model", line, "--into", "ca", "-o", "out.jsonl"]
    stopped = llamax(*call)
    assert stopped.returncode == 65
    assert b"in.jsonl:4: " in stopped.stderr and b"failed with exit code 3" in stopped.stderr
    done = llamax(*call, "--resume", "--rejects", "bad.jsonl")
    assert done.returncode == 0, done.stderr
    out = [json.loads(each)["mt"] for each in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert out == [f"LINE {number}" for number in range(30) if number != 3]
    assert len((tmp_path / "bad.jsonl").read_text().splitlines()) == 1
    for more in (
        ["--sample"],
        ["--beam", "2"],
        ["--nbest", "2", "--beam", "2"],
        ["--lora", "x"],
        ["--template", "lines"],
    ):
        assert llamax(*call, *more).returncode == 2
    assert llamax(*call, "--add-bos", "true").returncode == 2


def test_an_interrupted_run_leaves_no_program(tmp_path: Path, program: Callable[..., str]) -> None:
    """Neither it nor what it has started."""
    line = program("time.sleep(60)", "import subprocess; subprocess.Popen(['sleep', '77']); open('begun', 'w')")
    (tmp_path / "in.jsonl").write_text('{"text":"a","lang":"es"}\n')
    call = ["translate", "in.jsonl", "--engine", "command", "--model", line, "--into", "ca"]
    process = zygote().start(["llamax_cli", *call], cwd=tmp_path)
    wait_for(tmp_path / "begun")
    before = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    process.wait(10)
    for _ in range(50):
        if not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in before):
            break
        time.sleep(0.1)
    else:
        pytest.fail("a program is still running")
    assert len(before) == 2
