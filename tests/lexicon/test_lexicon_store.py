"""The compiled lexicon: read after write is identity, damage is detected, and a failed run leaves no file."""

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

import lmdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.processes import Outcome

from llamax_cli.errors import LexiconError
from llamax_cli.lexicon.catalog import open_lexicon
from llamax_cli.lexicon.statistics import LanguageStatistics
from llamax_cli.lexicon.store import pages, writer
from llamax_cli.lexicon.store.layout import MAX_KEY_BYTES, key_of
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.lexicon.store.writer import LexiconWriter
from llamax_cli.records import Entry
from llamax_cli.streams.parallel import ordered

Llamax = Callable[..., Outcome]


def entry(word: str, lang: str = "en", **translations: list[str]) -> Entry:
    """Return an entry."""
    return {"word": word, "lang": lang, "translations": translations or {"fr": ["x"]}, "sources": ["a/en-fr"]}


def stored(path: Path, entries: list[Entry], entities: int = 7) -> Lexicon:
    """Write a compiled lexicon and open it."""
    file = LexiconWriter(path, {"en": LanguageStatistics(entities=entities, entries=len(entries), longest=3)})
    file.write(file.encode(sorted(entries, key=lambda each: (each["lang"], each["word"].encode()))))
    file.complete()
    file.finish()
    file.close()
    return Lexicon(path)


def test_read_after_write_is_identity(tmp_path: Path) -> None:
    """Keys of any length and script, and words with common prefixes."""
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


@pytest.fixture
def small_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a lexicon of some hundred kilobytes take several transactions."""
    monkeypatch.setattr(writer, "TRANSACTION", 50_000)


def many_entries(count: int = 4000) -> list[Entry]:
    """Return entries of different sizes, with some keys that are hashed and values that take pages of their own."""
    return [
        entry(
            f"word{number:05}" + "x" * (600 if number % 500 == 7 else 0),
            fr=["y" * (5000 if number % 300 == 5 else number % 90 + 1)],
        )
        for number in range(count)
    ]


@pytest.mark.usefixtures("small_transactions")
def test_the_same_entries_give_the_same_bytes(tmp_path: Path) -> None:
    """Whatever number of entries comes at once, which depends on how fast the machine is."""
    entries = many_entries()
    made = set()
    for name, sizes in (("a", [1]), ("b", [4000]), ("c", [1, 2, 4, 8, 500, 1000]), ("d", [999, 3]), ("e", [70])):
        path = tmp_path / f"{name}.lex"
        file = LexiconWriter(path, {"en": LanguageStatistics(entities=7)})
        start = number = 0
        while start < len(entries):
            size = sizes[number % len(sizes)]
            file.write(file.encode(entries[start : start + size]))
            start, number = start + size, number + 1
        file.complete()
        file.finish()
        file.close()
        made.add(path.read_bytes())
    assert len(made) == 1
    with lmdb.open(str(path), subdir=False, lock=False, readonly=True) as database:
        assert database.info()["last_txnid"] > 5


def test_the_fingerprint_is_that_of_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other pages and other names of sources do not change it, another translation or number of entities does."""
    entries = many_entries(1000)
    plain = stored(tmp_path / "a.lex", entries)
    monkeypatch.setattr(writer, "TRANSACTION", 20_000)
    assert stored(tmp_path / "b.lex", entries).fingerprint == plain.fingerprint
    assert (tmp_path / "b.lex").read_bytes() != (tmp_path / "a.lex").read_bytes()
    elsewhere = [{**each, "sources": ["b/en-fr", "c"]} for each in entries]
    assert stored(tmp_path / "c.lex", elsewhere).fingerprint == plain.fingerprint  # type: ignore[arg-type]
    assert stored(tmp_path / "d.lex", entries[1:]).fingerprint != plain.fingerprint
    assert stored(tmp_path / "e.lex", [*entries[1:], entry("word00000", fr=["z"])]).fingerprint != plain.fingerprint
    assert stored(tmp_path / "f.lex", entries, entities=8).fingerprint != plain.fingerprint


@pytest.mark.usefixtures("small_transactions")
def test_pages_hold_nothing_but_their_items(tmp_path: Path) -> None:
    """The gap in each page of the tree is empty; the tree has as many pages as LMDB says."""
    path = tmp_path / "x.lex"
    stored(path, many_entries())
    with lmdb.open(str(path), subdir=False, lock=False, readonly=True) as database:
        counts = database.stat()
    with path.open("rb") as file:
        found = list(pages._tree(file.fileno(), counts["psize"]))
    assert len(found) == counts["branch_pages"] + counts["leaf_pages"] > 50
    for _, page in found:
        lower, upper = struct.unpack_from("<HH", page, 12)
        assert not any(page[lower:upper])


@pytest.mark.usefixtures("small_transactions")
def test_the_map_grows_with_the_lexicon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both before a transaction and after one for which it was too small after all."""
    monkeypatch.setattr(pages, "FIRST_MAP", 1 << 16)
    monkeypatch.setattr(pages, "ITEM_OVERHEAD", 0)
    for factor in (pages.MAP_PER_BYTE, 0):
        monkeypatch.setattr(pages, "MAP_PER_BYTE", factor)
        entries = many_entries()
        lexicon = stored(tmp_path / f"{factor}.lex", entries)
        assert lexicon.size > 8 << 16
        assert list(lexicon.entries()) == sorted(entries, key=lambda each: key_of("en", each["word"]))


def limited(script: str, path: Path, megabytes: int) -> tuple[bytes, bytes]:
    """Run Python with this much more address space than it has at its start; return what it prints."""
    limit = "import os, resource, sys, lmdb; from pathlib import Path\n"
    limit += "from llamax_cli.lexicon.store.writer import LexiconWriter\n"
    limit += "from llamax_cli.lexicon.store.reader import Lexicon\n"
    limit += "now = int(open('/proc/self/statm').read().split()[0]) * os.sysconf('SC_PAGE_SIZE')\n"
    limit += f"resource.setrlimit(resource.RLIMIT_AS, (now + ({megabytes} << 20),) * 2)\n"
    done = subprocess.run([sys.executable, "-c", limit + script, path], capture_output=True, timeout=60)
    return done.stdout, done.stderr


def test_a_limit_on_address_space(tmp_path: Path) -> None:
    """A lexicon takes little more than its size, as on clusters that limit it; the message says what is too small."""
    path = tmp_path / "x.lex"
    write = "file = LexiconWriter(Path(sys.argv[1]), {}); file.complete(); file.finish()"
    assert limited(write, path, 40) == (b"", b"")
    message = b"x.lex.partial: no 16 MiB of address space to map it; raise the limit (ulimit -v)"
    assert message in limited(write, path, 8)[1]
    stored(path, [entry(f"word{number}", fr=["y" * 2000]) for number in range(40_000)])
    look = "print(Lexicon(sys.argv[1]).translations('en', 'word7')['fr'] == ['y' * 2000])"
    size = round(path.stat().st_size / 2**20)
    assert size > 64  # so that it is not read when it is opened
    assert limited(look, path, size + 20) == (b"True\n", b"")
    message = f"x.lex: no {size} MiB of address space to map it; raise the limit (ulimit -v)".encode()
    assert message in limited(look, path, size - 10)[1]


def test_keys_fit() -> None:
    """Keys have at most the 511 bytes that LMDB allows; long words that differ only at the end have different keys."""
    assert len(key_of("en", "x" * 5000)) == MAX_KEY_BYTES
    assert key_of("en", "x" * 5000) != key_of("en", "x" * 4999 + "y")


words = st.text(alphabet="ab c\1é", min_size=1, max_size=4)


@given(st.sets(words, min_size=1, max_size=12), words, st.sampled_from(["", " "]))
@settings(max_examples=60)
def test_longer_entries_are_announced(have: set[str], asked: str, joint: str) -> None:
    """`find` says whether longer entries exist, whatever characters follow the word."""
    with TemporaryDirectory() as folder:
        ordered = sorted(have, key=str.encode)
        lexicon = stored(Path(folder) / "x.lex", [entry(each) for each in ordered])
        found, opens = lexicon.find("en", asked, joint)
        assert (found is not None) == (asked in have)
        assert opens == any(each.startswith(asked + joint) and each != asked for each in have)


def test_a_lexicon_is_pickled_by_its_path(tmp_path: Path) -> None:
    """Other processes can use a lexicon, whether they unpickle it or are forked."""
    lexicon = stored(tmp_path / "x.lex", [entry("a")])
    assert lexicon.translations("en", "a") == {"fr": ["x"]}
    data = pickle.dumps(lexicon)
    assert len(data) < 500
    assert pickle.loads(data).translations("en", "a") == {"fr": ["x"]}
    for shared in (lexicon, pickle.loads(data)):
        found = ordered(partial(partial, shared.translations, "en"), ["a", "b", "a"], 2)
        assert [each for _, each in found] == [{"fr": ["x"]}, {}, {"fr": ["x"]}]


def test_a_damaged_lexicon_is_refused(tmp_path: Path) -> None:
    """A changed byte anywhere, a missing end and another format version raise LexiconError with the path."""
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
    with pytest.raises(LexiconError, match=r"x\.lex has format 3 instead of 2; build it again"):
        Lexicon(path)
    path.write_text("en fr\n" * 100)
    with pytest.raises(LexiconError, match=r"x\.lex is not a compiled lexicon"):
        Lexicon(path)


def test_values_are_checked_where_pages_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a lexicon too large to be verified when it is opened, a damaged value is detected when it is looked up."""
    path = tmp_path / "x.lex"
    stored(path, [entry("word", fr=["translation"])])
    path.write_bytes(path.read_bytes().replace(b"translation", b"transmation"))
    monkeypatch.setattr("llamax_cli.lexicon.store.reader.VERIFIED_ON_OPEN", 0)
    with pytest.raises(LexiconError, match="damaged; build it again"):
        Lexicon(path).translations("en", "word")


@pytest.mark.parametrize(
    "read",
    [
        lambda lexicon: lexicon.translations("en", "w1"),
        lambda lexicon: lexicon.translations("en", "w" * 1000),
        lambda lexicon: lexicon.find("en", "w1", " "),
        lambda lexicon: list(lexicon.words("en")),
        lambda lexicon: list(lexicon.entries()),
    ],
)
def test_a_damaged_page_is_refused_where_pages_are_not_checked(
    read: Callable[[Lexicon], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LMDB's errors are one line, whichever way the page is read."""
    path = tmp_path / "x.lex"
    stored(path, [entry(f"w{number}", fr=["x"]) for number in range(4)])
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + bytes(4096) + whole[12288:])  # the first page after the two of LMDB's own
    monkeypatch.setattr("llamax_cli.lexicon.store.reader.VERIFIED_ON_OPEN", 0)
    with pytest.raises(LexiconError, match=r"x\.lex is damaged \(.*\); build it again"):
        read(Lexicon(path))


def test_a_damaged_key_is_read_as_another_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys have no checksum of their own; one that is not UTF-8 ends no run."""
    path = tmp_path / "x.lex"
    stored(path, [entry("word", fr=["x"])])
    path.write_bytes(path.read_bytes().replace(b"en\0word", b"en\0wor\xff"))
    monkeypatch.setattr("llamax_cli.lexicon.store.reader.VERIFIED_ON_OPEN", 0)
    assert list(Lexicon(path).words("en")) == ["wor\ufffd"] == [each["word"] for each in Lexicon(path).entries()]
    assert Lexicon(path).next_characters("en", "wor", 9) == {"\ufffd"}


# -- as a command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of named lexicons that does not exist yet."""
    monkeypatch.setenv("LLAMAX_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "lexicons"


def test_a_named_lexicon(llamax: Llamax, tmp_path: Path, shelf: Path) -> None:
    """It is found by its name, listed, and replaced as a whole."""
    (tmp_path / "en-fr.txt").write_text("cat chat\n")
    assert llamax("build-lexicon", "--list").stdout == b""
    done = llamax("build-lexicon", "en-fr.txt", "--name", "small")
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.startswith(b"llamax build-lexicon: 2 records; 1 pair read; ")
    listed = json.loads(llamax("build-lexicon", "--list").stdout)
    assert (listed["name"], listed["entries"], listed["languages"]) == ("small", 2, ["en", "fr"])
    assert open_lexicon("small").translations("en", "cat") == {"fr": ["chat"]}
    assert json.loads(llamax("build-lexicon", shelf / "small.lex", "--stats").stdout.splitlines()[0])["entities"] == 1
    (tmp_path / "en-fr.txt").write_text("dog chien\n")
    assert llamax("build-lexicon", "en-fr.txt", "--name", "small").returncode == 0
    assert open_lexicon("small").translations("en", "cat") == {}
    assert os.listdir(shelf) == ["small.lex"]


def test_a_name_that_is_not_there(llamax: Llamax, shelf: Path) -> None:
    """The message lists the lexicons that exist; a damaged lexicon is listed with its error."""
    with pytest.raises(LexiconError, match=r"no lexicon named 'mine'; have: none; to build it: llamax build-lexicon"):
        open_lexicon("mine")
    shelf.mkdir(parents=True)
    (shelf / "torn.lex").write_bytes(b"x")
    assert (
        json.loads(llamax("build-lexicon", "--list").stdout)["error"]
        .partition(";")[0]
        .endswith("torn.lex is not a compiled lexicon")
    )


def test_where_the_shelf_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """LLAMAX_DATA, else the user's data folder according to XDG."""
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
    """Two outputs, statistics into a compiled lexicon, compression, a path as a name, and too many hops."""
    for arguments, message in (
        ("x --name a -o b.lex", "--name and -o both set the output file"),
        ("x --stats -o b.lex", "--stats writes records"),
        (
            "x -o b.lex.gz",
            "-o b.lex.gz: a compiled lexicon cannot be compressed, because it is read in place; drop .gz",
        ),
        ("x --name ../a", "--name '../a': a name contains only letters"),
        ("x --hops 3", "Invalid value for '--hops'"),
    ):
        done = llamax("build-lexicon", *arguments.split())
        assert (done.returncode, done.stderr.decode().startswith(f"llamax build-lexicon: {message}")) == (2, True), done


def test_figures_of_some_languages(llamax: Llamax, tmp_path: Path) -> None:
    """The statistics are counted again if only some languages of a compiled lexicon are chosen."""
    (tmp_path / "en-fr.txt").write_text("cat chat\ncat felin\n")
    (tmp_path / "en-de.txt").write_text("cat Katze\n")
    assert llamax("build-lexicon", "en-fr.txt", "en-de.txt", "-o", "x.lex").returncode == 0
    lines = llamax("build-lexicon", "x.lex", "--stats", "--only", "en,fr").stdout.splitlines()
    assert [json.loads(line)["lang"] for line in lines] == ["en", "fr"]


def test_a_person_is_shown_a_table(llamax: Llamax, tmp_path: Path, shelf: Path) -> None:
    """On a terminal `--list` prints a table."""
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


def test_two_writers_of_one_name(tmp_path: Path) -> None:
    """The second writer fails with a message; the file is completely that of the first."""
    path = tmp_path / "x.lex"
    first = LexiconWriter(path, {})
    first.write(first.encode([entry("first")]))
    script = "import sys; from pathlib import Path; from llamax_cli.lexicon.store.writer import LexiconWriter; "
    script += "LexiconWriter(Path(sys.argv[1]), {})"
    for step in (lambda: None, first._put_batch):
        step()
        done = subprocess.run([sys.executable, "-c", script, path], capture_output=True)
        assert b"another run is writing" in done.stderr
    first.complete()
    first.finish()
    first.close()
    assert Lexicon(path).translations("en", "first") == {"fr": ["x"]}
    assert os.listdir(tmp_path) == ["x.lex"]


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """Neither a partial lexicon nor temporary files are left, and an older file is unchanged."""
    (tmp_path / "tmp").mkdir()
    (tmp_path / "en-fr.txt").write_text("".join(f"word{number} mot{number}\n" for number in range(30_000)))
    (tmp_path / "x.lex").write_text("older")

    def little(limit: int) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    for limit in (1_000, 100_000, 3_000_000):  # the limit is reached in the sorted runs or in the lexicon
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
    """A run that fails leaves no files except its inputs."""
    (tmp_path / "en-fr.txt").write_text("cat chat\nalone\n")
    assert llamax("build-lexicon", "en-fr.txt", "-o", "x.lex").returncode == 65
    assert os.listdir(tmp_path) == ["en-fr.txt"]
