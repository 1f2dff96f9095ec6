"""Errors: one line, an exit code, and only whole records on stdout."""

import bz2
import gzip
import lzma
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import zstandard
from support.filters import fork, start
from support.processes import one_line, processor_seconds

from llamax_cli import cli
from llamax_cli.errors import DataError, FileError
from llamax_cli.streams.inputs import Input

Filters = Callable[..., subprocess.CompletedProcess[bytes]]
GOOD = b'{"text":"a","lang":"en"}\n'
NEEDED = {"upper": ["upper"], "convert": ["convert", "--from", "records", "--mono", "*"]}


BAD_LINES = {
    b"": "empty line",
    b"text": "not JSON: ",
    b"[]": "not a record: expected object, got array",
    b'{"text":1,"lang":"en"}': "'text' is a number, not a string",
    b'{"text":null,"lang":"en"}': "'text' is null, not a string",
    b'{"lang":"en"}': "no 'text' in the record (it has lang)",
    b'\xef\xbb\xbf{"text":"a"}': "starts with a byte order mark (U+FEFF); remove it",
    b'{"text":"a\0"}': "NUL byte at 10",
    rb'{"text":"\ud800","lang":"en"}': r"lone surrogate \ud800",
    rb'{"text":"a","lang":"en","x":"\udfff"}': r"lone surrogate \udfff",
    b'{"text":"a","x":NaN}': "NaN is not a JSON number; write null",
    b'{"text":"a","x":-Infinity}': "-Infinity is not a JSON number; write null",
    b'{"text":"\xff","lang":"en"}': "not UTF-8: byte 0xff at 9",
    b'{"text":"a","lang":"en","x":"\xe2\x28"}': "not UTF-8: byte 0xe2 at 29",
    b'{"text":"a\tb"}': r"a raw tab (byte 10); in a string it is written \t",
    b'{"text":"\x1b[1m"}': r"a raw control character 0x1b (byte 9); in a string it is written \u001b",
    b'{"text":"a': "Input data was truncated",
    b'{"text":"a","x":' + b"[" * 5000 + b"]" * 5000 + b"}": "nested too deeply",
}


@pytest.mark.parametrize("line", BAD_LINES, ids=lambda line: repr(line[:24]))
def test_a_bad_line_is_placed_and_explained(filters: Filters, line: bytes) -> None:
    """The line names file, line and reason, and the records before it are written."""
    outcome = filters("upper", stdin=GOOD + line + b"\n" + GOOD)
    one_line(outcome, 65, had_written=True)
    assert outcome.stderr.decode().startswith("llamax upper: stdin:2: ")
    assert BAD_LINES[line] in outcome.stderr.decode()
    assert outcome.stdout == GOOD.replace(b"a", b"A", 1).replace(b'"lAng', b'"lang')


FOR_CONVERT = {line: why for line, why in BAD_LINES.items() if line and line != b'{"lang":"en"}'}


@pytest.mark.parametrize("line", FOR_CONVERT, ids=lambda line: repr(line[:24]))
def test_convert_places_and_explains_a_bad_line(llamax: Filters, tmp_path: Path, line: bytes) -> None:
    """The real command says the same of a file of records."""
    (tmp_path / "in.jsonl").write_bytes(GOOD + line + b"\n" + GOOD)
    outcome = llamax(*NEEDED["convert"], "in.jsonl")
    one_line(outcome, 65, "llamax convert: in.jsonl:2: ", FOR_CONVERT[line], had_written=True)
    assert outcome.stdout.count(b"\n") == 1


def test_convert_refuses_an_unknown_language(llamax: Filters, tmp_path: Path) -> None:
    """An unknown language is bad data in a record and a usage error on the command line."""
    (tmp_path / "in.jsonl").write_bytes(GOOD + b'{"text":"a","lang":"klingonese"}\n')
    one_line(llamax(*NEEDED["convert"], "in.jsonl"), 65, "in.jsonl:2: ", "klingonese", had_written=True)
    one_line(llamax("convert", "--langs", "klingonese", "in.jsonl"), 2, "klingonese")


@pytest.mark.parametrize("number", [b"12345678901234567890123", b"-1e400", b"1.10", b"0.1e-7"])
def test_numbers_survive(filters: Filters, llamax: Filters, number: bytes) -> None:
    """A number too large for any machine type is kept as it is."""
    line = b'{"text":"a","lang":"en","x":%s}\n' % number
    assert b'"x":%s}' % number in filters("upper", stdin=line).stdout
    assert b'"x":%s}' % number in llamax(*NEEDED["convert"], stdin=line).stdout


@pytest.mark.slow
@pytest.mark.parametrize("end", [b'"}\n', b"\n"], ids=["valid", "invalid"])
@pytest.mark.parametrize("source", ["file", "pipe"])
def test_a_line_of_100_megabytes(tmp_path: Path, end: bytes, source: str) -> None:
    """A long line, good or bad, takes a few seconds at most."""
    line = b'{"text":"' + b"x" * (100 << 20) + end
    (tmp_path / "in").write_bytes(line)
    before = processor_seconds()
    arguments = ["in"] if source == "file" else []
    process = start("upper", *arguments, cwd=tmp_path)
    out, err = process.communicate(line if source == "pipe" else None, timeout=100)
    name = "in" if source == "file" else "stdin"
    if end == b"\n":
        assert (process.returncode, out) == (65, b"")
        assert (
            err.decode()
            == f"llamax upper: {name}:1: not JSON: Input data was truncated; --rejects FILE sets such lines aside\n"
        )
    else:
        assert (process.returncode, len(out)) == (0, len(line))
    assert processor_seconds() - before < 4


COMPRESS = {
    "gz": gzip.compress,
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("garbage", [b"garbage", b"\0" * 7 + b"x", b"x" * 100_000], ids=["short", "zeros", "long"])
@pytest.mark.parametrize("compression", COMPRESS)
def test_garbage_behind_compressed_data_is_told(
    filters: Filters, tmp_path: Path, compression: str, garbage: bytes
) -> None:
    """What follows the last stream and is no stream is no part of the input that may be passed over."""
    (tmp_path / "in").write_bytes(COMPRESS[compression](GOOD * 3) + garbage)
    one_line(filters("upper", "in"), 65, "llamax upper: in: the compressed ", had_written=True)


@pytest.mark.parametrize("compression", COMPRESS)
def test_several_streams_are_one_input(filters: Filters, tmp_path: Path, compression: str) -> None:
    """As `cat a.gz b.gz` makes them; the last may be followed by zeros where the format allows it."""
    padding = b"\0" * 512 if compression in ("gz", "xz") else b""
    (tmp_path / "in").write_bytes(COMPRESS[compression](GOOD * 3000) + COMPRESS[compression](GOOD * 3) + padding)
    outcome = filters("upper", "in")
    assert (outcome.returncode, outcome.stdout.count(b"\n")) == (0, 3003)


def test_streams_of_xz_may_be_padded(tmp_path: Path) -> None:
    """By a multiple of four zero bytes, also between two streams; another number of them is an error."""
    text = b"".join(b"%d\n" % number for number in range(99_999))
    for padding in (0, 4, 8, 65_536, 7):
        (tmp_path / "in").write_bytes((lzma.compress(text) + b"\0" * padding) * 2)
        source = Input(tmp_path / "in")
        if padding % 4 == 0:
            assert b"".join(source.blocks()) == text * 2
        else:
            with pytest.raises(DataError, match="7 zero bytes behind it, no multiple of 4"):
                list(source.blocks())


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("command", NEEDED)
def test_a_torn_compressed_input_is_told(
    filters: Filters, llamax: Filters, tmp_path: Path, compression: str, command: str
) -> None:
    """An input that is cut short or broken gives one line and exit code 65."""
    some = Random(7)  # always the same, as of some bytes a decompressor makes bad lines before it misses its checksum
    data = COMPRESS[compression](
        b"".join(b'{"text":"%s","lang":"en"}\n' % some.randbytes(9).hex().encode() for _ in range(999))
    )
    run = filters if command == "upper" else llamax
    (tmp_path / "in").write_bytes(data[: len(data) // 2])
    one_line(
        run(*NEEDED[command], "in"), 65, f"llamax {command}: in: the compressed file is cut short", had_written=True
    )
    flipped = bytearray(data)
    flipped[len(data) // 2 : len(data) // 2 + 50] = bytes(50)
    (tmp_path / "in").write_bytes(flipped)
    one_line(run(*NEEDED[command], "in"), 65, f"llamax {command}: in: the compressed ", had_written=True)


@pytest.mark.parametrize("garbage", [b"\x1f\x8b\x08garbage, or more of it", b"\xfd7zXZ\0bag", b"\x28\xb5\x2f\xfdg"])
def test_garbage_is_not_taken_for_a_file_that_was_cut_short(filters: Filters, garbage: bytes) -> None:
    """Bytes that only begin as compressed data do are said to be broken, too."""
    one_line(filters("upper", stdin=garbage), 65, "llamax upper: stdin: the compressed file is cut short or broken; ")


@pytest.mark.parametrize("array", [b'[{"text":"a","lang":"en"}]\n', b'[\n {"text":"a","lang":"en"}\n]\n'])
@pytest.mark.parametrize("command", [["upper"], ["mix", "--mono", "-"]], ids=["upper", "mix"])
def test_a_json_array_is_told_how_to_become_lines(
    filters: Filters, llamax: Filters, array: bytes, command: list[str]
) -> None:
    """As other commands tell it that look at a file before they read it."""
    outcome = (filters if command == ["upper"] else llamax)(*command, stdin=array)
    one_line(outcome, 65, f"llamax {command[0]}: stdin:1: not ")
    assert b"is this a JSON array? make lines of it: jq -c '.[]'" in outcome.stderr


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "score in --metric bleu chrf++",
            "chrf++: no such file or directory; if it is a value of --metric, write --metric bleu,chrf++\n",
        ),
        ("score --metric=bleu chrf++ in", "--metric, write --metric bleu,chrf++\n"),
        ("convert in --pairs en-de en-fr", "--pairs, write --pairs en-de,en-fr\n"),
    ],
)
def test_values_of_a_list_are_joined_with_commas(llamax: Filters, tmp_path: Path, line: str, told: str) -> None:
    """What stands after them is a file; where it is none, a value may have been meant."""
    (tmp_path / "in").write_bytes(GOOD)
    outcome = llamax(*line.split())
    one_line(outcome, 2)
    assert outcome.stderr.decode().endswith(told)


def test_a_file_may_follow_a_list(llamax: Filters, tmp_path: Path) -> None:
    """It is read as any other."""
    (tmp_path / "in").write_bytes(GOOD)
    assert llamax("convert", "--mono", "en", "in", "-q").returncode == 0
    one_line(llamax("convert", "--mono", "en", "in", "--from", "records", "none"), 1, "llamax convert: none: no such")


@pytest.mark.parametrize("command", NEEDED)
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing", "no such file or directory"),
        ("empty/in", "not a directory"),
        ("loop", "too many levels of symbolic links"),
        ("x" * 300, "file name too long"),
    ],
    ids=["missing", "in a file", "loop", "long"],
)
def test_an_input_that_cannot_be_opened_is_named(
    filters: Filters, llamax: Filters, tmp_path: Path, command: str, name: str, reason: str
) -> None:
    """The line has name and reason, and the exit code is 1."""
    (tmp_path / "empty").touch()
    (tmp_path / "loop").symlink_to("loop")
    run = filters if command == "upper" else llamax
    one_line(run(*NEEDED[command], name), 1, f"{name}: {reason}")


def test_an_unreadable_input_is_named(tmp_path: Path) -> None:
    """The line gives the reason of the operating system."""
    (tmp_path / "in").touch(mode=0)
    user = os.geteuid()
    os.seteuid(user or 65534)
    try:
        with pytest.raises(FileError, match=r"/in: permission denied$"):
            Input(tmp_path / "in").open()
    finally:
        os.seteuid(user)


def test_a_folder_is_no_file(filters: Filters, tmp_path: Path) -> None:
    """A folder as an argument gives a line that says so."""
    (tmp_path / "folder").mkdir()
    one_line(filters("upper", "folder"), 1, "llamax upper: folder is a folder, not a file")


def test_an_empty_input_is_a_stream_of_nothing(filters: Filters, tmp_path: Path) -> None:
    """An empty input, compressed or not, gives no record and no error."""
    for name, data in {"empty": b"", "empty.gz": gzip.compress(b""), "none.xz": lzma.compress(b"")}.items():
        (tmp_path / name).write_bytes(data)
        outcome = filters("upper", name)
        assert (outcome.returncode, outcome.stdout) == (0, b"")
        assert outcome.stderr.startswith(b"llamax upper: 0 records; ")


# -- places that take nothing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["upper", "upper --workers 2", "ahead"])
def test_a_full_disk_behind_stdout(command: str) -> None:
    """One line, exit code 1."""
    name, *more = command.split()
    with open("/dev/full", "wb") as full:
        process = start(name, *more, stdout=full)
        _, err = process.communicate(GOOD * 100, timeout=20)
    assert (process.returncode, err) == (1, f"llamax {name}: standard output: no space left on device\n".encode())


@pytest.mark.parametrize(("place", "code"), [("/dev/full", 1), ("gone", 141)])
def test_what_is_printed_reaches_standard_output_or_is_an_error(place: str, code: int) -> None:
    """Also where Python writes it only at its end, as into a file or a pipe; an exit code of its own is 120."""
    program = (
        "import sys; from llamax_cli import cli; cli.application = lambda: Group(); "
        "Context = type('Context', (), {'__enter__': lambda self: self, '__exit__': lambda *_: None}); "
        "Group = type('Group', (), {'make_context': lambda *_: Context(), 'invoke': lambda *_: print('text')}); "
        "sys.exit(cli.run(['help']))"
    )
    reader, gone = os.pipe()
    os.close(reader)
    with open(gone, "wb") as pipe, open("/dev/full", "wb") as full:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        output = full if place == "/dev/full" else pipe
        done = subprocess.run([sys.executable, "-c", program], stdout=output, stderr=subprocess.PIPE, env=environment)
    said = b"llamax help: standard output: no space left on device\n" if code == 1 else b""
    assert (done.returncode, done.stderr) == (code, said)


def test_a_full_disk_behind_the_rejects(filters: Filters) -> None:
    """A bad line that cannot be written to the rejects ends the run."""
    one_line(filters("upper", "--rejects", "/dev/full", stdin=b"x\n"), 1, "/dev/full: no space left on device")


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("command", ["upper", "ahead"])
def test_a_full_disk_behind_the_output(tmp_path: Path, ending: str, command: str) -> None:
    """No FILE appears and an old one stays; when there is space again, --resume continues to the same bytes."""
    draw = Random(0).randbytes
    text = b"".join(b'{"text":"%s"}\n' % draw(200).hex().encode() for _ in range(8_000))
    (tmp_path / "in").write_bytes(text)
    (tmp_path / f"out{ending}").write_bytes(b"old")

    process = fork(command, "in", "-o", f"out{ending}", cwd=tmp_path, limit=1_400_000)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.count(b"\n")) == (1, 1), err
    assert f"out{ending}.partial: file too large" in err.decode()
    assert (tmp_path / f"out{ending}").read_bytes() == b"old"
    again = fork(command, "in", "-o", f"out{ending}", "--resume", cwd=tmp_path)
    _, err = again.communicate(timeout=60)
    assert again.wait() == 0, err
    whole = (tmp_path / f"out{ending}").read_bytes()
    assert (gzip.decompress(whole) if ending else whole) == text.upper().replace(b'"TEXT"', b'"text"')


def test_a_full_disk_behind_the_manifest(tmp_path: Path) -> None:
    """The output is there before the manifest is written, and the line says so."""

    process = fork("upper", "-o", "out", "--manifest", "m", cwd=tmp_path, limit=100)
    _, err = process.communicate(GOOD, timeout=60)
    assert process.returncode == 1
    assert err.decode().endswith("m.partial: file too large; out is complete, and only the manifest is missing\n")
    assert (tmp_path / "out").read_bytes() == GOOD.replace(b'"a"', b'"A"')
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("arguments", [["upper"], ["upper", "--rejects", "r"], ["upper", "-o", "out"]], ids=str)
def test_standard_input_may_be_closed(tmp_path: Path, arguments: list[str]) -> None:
    """`<&-` gives one line, and no other file is taken for the input."""
    process = start(*arguments, stdin=None, cwd=tmp_path, preexec_fn=lambda: os.close(0))
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (1, b"", b"llamax upper: standard input is closed\n")


@pytest.mark.parametrize("arguments", [["upper"], ["upper", "--rejects", "r"]], ids=str)
def test_standard_output_may_be_closed(tmp_path: Path, arguments: list[str]) -> None:
    """`>&-` gives one line, and no other file gets the records."""
    process = start(*arguments, stdout=None, cwd=tmp_path, preexec_fn=lambda: os.close(1))
    _, err = process.communicate(GOOD, timeout=20)
    assert (process.returncode, err) == (1, b"llamax upper: standard output: bad file descriptor\n")
    assert not (tmp_path / "r").exists() or (tmp_path / "r").read_bytes() == b""


@pytest.mark.parametrize(("text", "code"), [(GOOD, 0), (b"x\n", 65)])
def test_standard_error_may_be_closed(tmp_path: Path, text: bytes, code: int) -> None:
    """`2>&-` only silences messages; they are not written to any other file."""
    process = start("upper", "-o", "out", stderr=None, cwd=tmp_path, preexec_fn=lambda: os.close(2))
    process.communicate(text, timeout=20)
    assert process.returncode == code
    if not code:
        assert (tmp_path / "out").read_bytes() == b'{"text":"A","lang":"en"}\n'


def test_output_needs_no_standard_output(tmp_path: Path) -> None:
    """With -o, `>&-` is no error."""
    process = start("upper", "-o", "out", stdout=None, cwd=tmp_path, preexec_fn=lambda: os.close(1))
    process.communicate(GOOD, timeout=20)
    assert process.returncode == 0
    assert (tmp_path / "out").read_bytes() == b'{"text":"A","lang":"en"}\n'


# -- the command line ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["convrt"], ["No such command 'convrt'", "'convert'"]),
        (["zzz"], ["No such command 'zzz'"]),
        (["convert", "--form", "tsv"], ["No such option: --form", "--from"]),
        (["convert", "--from", "tsb"], ["'tsb' is unknown; did you mean tsv?"]),
        (["convert", "--from", "zzzz"], ["'zzzz' is unknown; have: "]),
        (["convert", "--as", "tsb"], ["'tsb' is unknown; did you mean tsv?"]),
        (["convert", "--limit", "0"], ["--limit"]),
        (["convert", "--limit", "many"], ["--limit", "'many'"]),
        (["convert", "-o"], ["-o"]),
        (["convert", "--part", "4/3"], ["'4/3' is not I/N with I from 1 to N, such as 3/8"]),
        (["convert", "--part", "x"], ["'x' is not I/N"]),
        (["convert", "--max-rejects", "x"], ["--max-rejects", "'x'"]),
        (["convert", "--rejects", "r.gz"], ["name the file without .gz"]),
        (["--wersion"], ["--wersion", "--version"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_usage_error_is_one_line(llamax: Filters, arguments: list[str], words: list[str]) -> None:
    """The line names the option or command, what is wrong, and the nearest name; the exit code is 2."""
    outcome = llamax(*arguments, stdin=b"")
    one_line(outcome, 2, *words)
    assert outcome.stdout == b""


def test_an_unknown_command_is_not_told_in_another_one_s_name(llamax: Filters) -> None:
    """A later word that is the name of a command does not run that command."""
    assert llamax("zzz", "convert").stderr.startswith(b"llamax: ")


def test_standard_input_is_read_once(filters: Filters) -> None:
    """Standard input named twice is a usage error."""
    one_line(filters("upper", "-", "-", stdin=GOOD), 2, "standard input can be read only once", had_written=True)


def test_a_limit_of_rejects_without_rejects_is_refused(filters: Filters) -> None:
    """`--max-rejects` alone would have no effect."""
    one_line(filters("upper", "--max-rejects", "3", stdin=GOOD), 2, "--rejects")


def test_debug_shows_where_an_error_came_from(filters: Filters) -> None:
    """With --debug there is a traceback."""
    outcome = filters("upper", "--debug", "missing")
    assert b"Traceback" in outcome.stderr
    assert outcome.returncode == 1


def test_too_little_memory_is_one_line(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """The system refuses memory: that is no fault of the program, and it says what to do."""

    def take_memory() -> None:
        raise MemoryError

    monkeypatch.setattr(cli, "application", take_memory)
    assert cli.run(["convert"]) == 1
    assert capfd.readouterr().err == "llamax convert: out of memory; free some, or raise the limit (ulimit -v)\n"


def test_no_arguments_show_the_help() -> None:
    """`llamax` alone lists the commands."""
    outcome = subprocess.run([sys.executable, "-m", "llamax_cli"], capture_output=True, timeout=60)
    assert b"convert" in outcome.stdout + outcome.stderr
    assert b"Traceback" not in outcome.stderr
