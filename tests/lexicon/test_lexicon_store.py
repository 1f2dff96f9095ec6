"""The compiled lexicon: it is read back as it was written, refused if damaged, and written whole or not at all."""

import json
import os
import pickle
import resource
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from conftest import Outcome
from hypothesis import given, settings
from hypothesis import strategies as st

from llamax_cli.errors import LexiconError
from llamax_cli.lexicon.catalog import open_lexicon
from llamax_cli.lexicon.statistics import LanguageStatistics
from llamax_cli.lexicon.store.layout import MAX_KEY_BYTES, key_of
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.lexicon.store.writer import LexiconWriter
from llamax_cli.records import Entry
from llamax_cli.streams.parallel import ordered

Llamax = Callable[..., Outcome]


def entry(word: str, lang: str = "en", **translations: list[str]) -> Entry:
    """Return an entry."""
    return {"word": word, "lang": lang, "translations": translations or {"fr": ["x"]}, "sources": ["a/en-fr"]}


def stored(path: Path, entries: list[Entry]) -> Lexicon:
    """Write a lexicon and open it."""
    file = LexiconWriter(path, {"en": LanguageStatistics(entities=7, entries=len(entries), longest=3)})
    file.write(file.encode(sorted(entries, key=lambda each: (each["lang"], each["word"].encode()))))
    file.finish()
    file.close()
    return Lexicon(path)


def test_read_after_write_is_identity(tmp_path: Path) -> None:
    """Keys of any length and script, and words with a common prefix."""
    words = [
        "a",
        "a b",
        "ab",
        "é",
        "人",
        *("x" * size for size in (MAX_KEY_BYTES - 4, MAX_KEY_BYTES - 3, MAX_KEY_BYTES - 2, MAX_KEY_BYTES, 3000)),
    ]
    entries = [entry(word, fr=[word + "!", "y"], de=["z"]) for word in [*words, "x" * 3000 + "y"]]
    lexicon = stored(tmp_path / "x.lex", entries)
    for each in entries:
        assert lexicon.translations("en", each["word"]) == each["translations"]
    assert sorted(lexicon.entries(), key=lambda each: each["word"]) == sorted(entries, key=lambda each: each["word"])
    assert sorted(lexicon.words("en")) == sorted(each["word"] for each in entries)
    assert lexicon.translations("en", "nothing") == lexicon.translations("en", "x" * 4000) == {}
    assert lexicon.translations("fr", "a") == {}
    assert (list(lexicon.languages), lexicon.entities("en"), lexicon.max_words("en"), len(lexicon)) == (
        ["en"],
        7,
        3,
        11,
    )
    assert lexicon.entities("fr") == lexicon.max_words("fr") == 0


def test_keys_fit() -> None:
    """LMDB keys have at most 511 bytes; long words that differ at the end have different keys."""
    assert len(key_of("en", "x" * 5000)) == MAX_KEY_BYTES
    assert key_of("en", "x" * 5000) != key_of("en", "x" * 4999 + "y")


words = st.text(alphabet="ab c\1é", min_size=1, max_size=4)


@given(st.sets(words, min_size=1, max_size=12), words, st.sampled_from(["", " "]))
@settings(max_examples=60)
def test_longer_entries_are_announced(have: set[str], word: str, joiner: str) -> None:
    """`find` says whether longer entries follow, whatever characters sort between them."""
    with TemporaryDirectory() as folder:
        ordered = sorted(have, key=str.encode)
        lexicon = stored(Path(folder) / "x.lex", [entry(each) for each in ordered])
        found, has_longer = lexicon.find("en", word, joiner)
        assert (found is not None) == (word in have)
        assert has_longer == any(each.startswith(word + joiner) and each != word for each in have)


def test_a_lexicon_is_pickled_by_its_path(tmp_path: Path) -> None:
    """Another process opens the file itself; a fork can read too."""
    lexicon = stored(tmp_path / "x.lex", [entry("a")])
    assert lexicon.translations("en", "a") == {"fr": ["x"]}
    data = pickle.dumps(lexicon)
    assert len(data) < 500
    assert pickle.loads(data).translations("en", "a") == {"fr": ["x"]}
    for shared in (lexicon, pickle.loads(data)):
        found = ordered(partial(partial, shared.translations, "en"), ["a", "b", "a"], 2)
        assert [each for _, each in found] == [{"fr": ["x"]}, {}, {"fr": ["x"]}]


def test_a_damaged_lexicon_is_refused(tmp_path: Path) -> None:
    """A flipped byte anywhere, a missing end and another version are an error of one line."""
    path = tmp_path / "x.lex"
    stored(path, [entry(f"w{number}") for number in range(300)])
    whole = path.read_bytes()
    for place in range(0, len(whole), len(whole) // 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        with pytest.raises(LexiconError, match=r"x\.lex is"):
            Lexicon(path)
    for size in (0, 10, 5000, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(LexiconError, match=r"cut short|not a compiled lexicon"):
            Lexicon(path)
    path.write_bytes(whole[:-12] + struct.pack("<I", 3) + whole[-8:])
    with pytest.raises(LexiconError, match=r"x\.lex is of format 3, not 2; build it again"):
        Lexicon(path)
    path.write_text("en fr\n" * 100)
    with pytest.raises(LexiconError, match=r"x\.lex is not a compiled lexicon"):
        Lexicon(path)


def test_values_are_checked_where_pages_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lexicon too large to be verified when it opens notices a damaged value when the word is looked up."""
    path = tmp_path / "x.lex"
    stored(path, [entry("word", fr=["translation"])])
    path.write_bytes(path.read_bytes().replace(b"translation", b"transmation"))
    monkeypatch.setattr("llamax_cli.lexicon.store.reader.VERIFIED_ON_OPEN", 0)
    with pytest.raises(LexiconError, match="damaged; build it again"):
        Lexicon(path).translations("en", "word")


# -- as a command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder for named lexicons."""
    monkeypatch.setenv("LLAMAX_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "lexicons"


def test_a_named_lexicon(llamax: Llamax, tmp_path: Path, folder: Path) -> None:
    """It is found by its name, listed, and replaced as a whole."""
    (tmp_path / "en-fr.txt").write_text("cat chat\n")
    assert llamax("build-lexicon", "--list").stdout == b""
    done = llamax("build-lexicon", "en-fr.txt", "--name", "small")
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.startswith(b"llamax build-lexicon: 2 records; 1 pair read; ")
    listed = json.loads(llamax("build-lexicon", "--list").stdout)
    assert (listed["name"], listed["entries"], listed["languages"]) == ("small", 2, ["en", "fr"])
    assert open_lexicon("small").translations("en", "cat") == {"fr": ["chat"]}
    assert json.loads(llamax("build-lexicon", folder / "small.lex", "--stats").stdout.splitlines()[0])["entities"] == 1
    (tmp_path / "en-fr.txt").write_text("dog chien\n")
    assert llamax("build-lexicon", "en-fr.txt", "--name", "small").returncode == 0
    assert open_lexicon("small").translations("en", "cat") == {}
    assert os.listdir(folder) == ["small.lex"]


def test_an_unknown_name(llamax: Llamax, folder: Path) -> None:
    """The error lists the known names."""
    with pytest.raises(LexiconError, match=r"no lexicon named 'mine'; have: none; to build it: llamax build-lexicon"):
        open_lexicon("mine")
    folder.mkdir(parents=True)
    (folder / "torn.lex").write_bytes(b"x")
    assert json.loads(llamax("build-lexicon", "--list").stdout)["error"].endswith("torn.lex is not a compiled lexicon")


def test_where_named_lexicons_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """In LLAMAX_DATA, or in the user's data directory of XDG."""
    from llamax_cli.lexicon.catalog import lexicon_folder

    monkeypatch.setenv("LLAMAX_DATA", "/a")
    assert lexicon_folder() == Path("/a/lexicons")
    monkeypatch.delenv("LLAMAX_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", "/b")
    assert lexicon_folder() == Path("/b/llamax/lexicons")
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "/c")
    assert lexicon_folder() == Path("/c/.local/share/llamax/lexicons")


def test_contradictions(llamax: Llamax) -> None:
    """Two outputs, statistics as a compiled lexicon, a compressed one, a name that is a path, too many hops."""
    for arguments, message in (
        ("x --name a -o b.lex", "--name and -o both say where to write"),
        ("x --stats -o b.lex", "--stats writes records"),
        (
            "x -o b.lex.gz",
            "-o b.lex.gz: a compiled lexicon cannot be compressed; leave out .gz",
        ),
        ("x --name ../a", "--name '../a': a name has only letters"),
        ("x --hops 3", "Invalid value for '--hops'"),
    ):
        done = llamax("build-lexicon", *arguments.split())
        assert (done.returncode, done.stderr.decode().startswith(f"llamax build-lexicon: {message}")) == (2, True), done


def test_statistics_of_some_languages(llamax: Llamax, tmp_path: Path) -> None:
    """A compiled lexicon is counted again where only some languages are requested."""
    (tmp_path / "en-fr.txt").write_text("cat chat\ncat felin\n")
    (tmp_path / "en-de.txt").write_text("cat Katze\n")
    assert llamax("build-lexicon", "en-fr.txt", "en-de.txt", "-o", "x.lex").returncode == 0
    lines = llamax("build-lexicon", "x.lex", "--stats", "--only", "en,fr").stdout.splitlines()
    assert [json.loads(line)["lang"] for line in lines] == ["en", "fr"]


def test_a_terminal_shows_a_table(llamax: Llamax, tmp_path: Path, folder: Path) -> None:
    """On a terminal `--list` draws a table."""
    (tmp_path / "en-fr.txt").write_text("cat chat\n")
    assert llamax("build-lexicon", "en-fr.txt", "--name", "small").returncode == 0
    shown = subprocess.run(
        ["script", "-qec", f"{sys.executable} -m llamax_cli build-lexicon --list", "/dev/null"],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=60,
    ).stdout
    assert "small" in shown and "entries" in shown and "0.0 MB" in shown


def test_two_writers_of_one_file(tmp_path: Path) -> None:
    """The second writer is refused; the file is that of the first, whole."""
    path = tmp_path / "x.lex"
    first = LexiconWriter(path, {})
    first.write(first.encode([entry("first")]))
    script = "import sys; from pathlib import Path; from llamax_cli.lexicon.store.writer import LexiconWriter; "
    script += "LexiconWriter(Path(sys.argv[1]), {})"
    for step in (lambda: None, first._put_batch):
        step()
        done = subprocess.run([sys.executable, "-c", script, path], capture_output=True)
        assert b"another run is writing" in done.stderr
    first.finish()
    first.close()
    assert Lexicon(path).translations("en", "first") == {"fr": ["x"]}
    assert os.listdir(tmp_path) == ["x.lex"]


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """No part of a lexicon and no temporary files are left; the file that was there before stays."""
    (tmp_path / "tmp").mkdir()
    (tmp_path / "en-fr.txt").write_text("".join(f"word{number} mot{number}\n" for number in range(30_000)))
    (tmp_path / "x.lex").write_text("older")

    def little(limit: int) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    for limit in (1_000, 100_000, 3_000_000):  # in the runs, in the lexicon
        done = subprocess.run(
            [sys.executable, "-m", "llamax_cli", "build-lexicon", "en-fr.txt", "-o", "x.lex"],
            cwd=tmp_path,
            env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
            preexec_fn=partial(little, limit),
            capture_output=True,
        )
        assert done.returncode == 1, done
        assert done.stderr.count(b"\n") == 1, done.stderr
        assert sorted(os.listdir(tmp_path)) == ["en-fr.txt", "tmp", "x.lex"]
        assert os.listdir(tmp_path / "tmp") == []
        assert (tmp_path / "x.lex").read_text() == "older"


def test_a_bad_line_leaves_no_lexicon(llamax: Llamax, tmp_path: Path) -> None:
    """A run that fails leaves no file."""
    (tmp_path / "en-fr.txt").write_text("cat chat\nalone\n")
    assert llamax("build-lexicon", "en-fr.txt", "-o", "x.lex").returncode == 65
    assert os.listdir(tmp_path) == ["en-fr.txt"]
