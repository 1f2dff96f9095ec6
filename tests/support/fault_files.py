"""The files that the commands of `fault_cases.py` read, each made by a function of the folder that gets them."""

import atexit
import gzip
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from support import lexicons, zygote
from support.records import pair, text, write

COUNT = 8  # records of an input, with a bad line among them where a form takes rejects
LONG = "which is said again so that a chunk is soon full"


def pairs(folder: Path, *, bad: bool = False) -> None:
    """Write translations with references, marked by langid, to `in.jsonl`."""
    words = ("the", "black", "dog", "good", "morning")
    records = [
        pair(number, "en", "de", src=f"{' '.join(words[: number % 5 + 1])} {number}", tgt=f"Satz {number} {LONG}")
        for number in range(COUNT)
    ]
    _write(folder, [{**record, "mt": f"mt {record['tgt']}", "on_target": False} for record in records], bad=bad)


def texts(folder: Path, *, bad: bool = False) -> None:
    """Write texts to `in.jsonl`."""
    _write(folder, [text(number, "en", text=f"The black dog {number}, {LONG}.") for number in range(COUNT)], bad=bad)


def candidates(folder: Path, *, bad: bool = False) -> None:
    """Write two translations of each source to `in.jsonl`."""
    records = [
        {**pair(n // 2, "en", "de"), "mt": f"Satz {n // 2} {LONG[: 20 + n]}", "candidate": n % 2 + 1, "quality": n % 3}
        for n in range(COUNT)
    ]
    _write(folder, [{**record, "on_target": True} for record in records], bad=bad)


def scored(folder: Path, *, bad: bool = False) -> None:
    """Write pairs with a score to `in.jsonl`, and filters to `rules.toml`."""
    _write(folder, [pair(n, "en", "de", src=f"a {n}", tgt=f"ein {n} {LONG}", quality=n) for n in range(COUNT)], bad=bad)
    (folder / "rules.toml").write_text('length-ratio = 20\n["en-de"]\nidentical = true\n')


def two_systems(folder: Path, *, bad: bool = False) -> None:
    """Write translations to `in.jsonl`, those of another system to `other.jsonl`, and references to `ref.jsonl`."""
    pairs(folder, bad=bad)
    records = [pair(number, "en", "de", tgt=f"Satz {number} {LONG}") for number in range(COUNT)]
    write(folder / "other.jsonl", [{**record, "mt": f"{record['tgt']} mehr"} for record in records])
    write(
        folder / "ref.jsonl", [text(number, "de", id=f"c:{number}", text=f"Satz {number}") for number in range(COUNT)]
    )
    (folder / "length.py").write_text("import sys\nfor line in sys.stdin:\n    print(len(line), flush=True)\n")


def _write(folder: Path, records: Sequence[dict[str, object]], *, bad: bool) -> None:
    lines = write(folder / "in.jsonl", records).read_bytes().splitlines(keepends=True)
    (folder / "in.jsonl").write_bytes(b"".join([*lines[:5], *([b"not JSON\n"] * bad), *lines[5:]]))


def dictionary(folder: Path, *, bad: bool = False) -> None:
    """Write a dictionary of two columns."""
    lines = [f"word{number} Wort{number}\n" for number in range(9)]
    (folder / "en-de.txt").write_text("".join(lines) + "\n" * bad + ("alone\n" if bad else ""))


def dictionaries(folder: Path) -> None:
    """Write dictionaries that share words."""
    dictionary(folder)
    (folder / "de-fr.txt").write_text("".join(f"Wort{number} mot{number}\n" for number in range(9)))


def augmented(folder: Path, *, bad: bool = False) -> None:
    """Write pairs, and a lexicon of their words."""
    pairs(folder, bad=bad)
    lexicons.lexicon(folder / "small.lex", ("en", lexicons.ENGLISH))


def mixture(folder: Path, *, bad: bool = False) -> None:
    """Write pairs, texts, general text, and what is held out of a mixture."""
    pairs(folder, bad=bad)
    write(folder / "mono.jsonl", [text(number, "de", text=f"Text {number}. {LONG}") for number in range(COUNT)])
    write(folder / "general.jsonl", [{"instruction": f"Say {n}.", "output": f"{n} {LONG}"} for n in range(COUNT)])
    (folder / "held-out.txt").write_text("Text 3.\n")


def manifest_of_mixture(folder: Path) -> None:
    """Write the manifest of a mixture to `mix.json`, and texts."""
    mixture(folder)
    call = ("mix", "--para", "in.jsonl", "--mono", "mono.jsonl", "-o", "mix.jsonl", "--manifest", "mix.json", "-q")
    _run(folder, *call)


def manifests(folder: Path) -> None:
    """Write the manifests of a run and of one that reads what it wrote, as if made where the case is played."""
    pairs(folder)
    _run(folder, "convert", "in.jsonl", "--pairs", "en-de", "-o", "pairs.jsonl", "--manifest", "pairs.json", "-q")
    _run(folder, "langid", "pairs.jsonl", "-o", "out.jsonl", "--manifest", "langid.json", "-q")
    for name in ("pairs.json", "langid.json"):
        facts = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps({**facts, "folder": str(folder.parent / "work")}, indent=2))
    (folder / "pairs.jsonl").unlink()


def _run(folder: Path, *call: str) -> None:
    done = zygote.run(*call, cwd=folder)
    assert done.returncode == 0, done.stderr


def older(make: Callable[[Path], object], folder: Path) -> None:
    """Write the files that `make` writes, and an output of before."""
    make(folder)
    (folder / "out.jsonl").write_text("older\n")


# -- corpora and dictionaries of all formats ---------------------------------------------------------------------------

TMX = """<?xml version="1.0"?><tmx version="1.4"><header srclang="en"/><body><tu><tuv xml:lang="en"><seg>a</seg></tuv>
<tuv xml:lang="de"><seg>ein</seg></tuv></tu></body></tmx>"""
XLIFF = """<xliff version="2.0" srcLang="en" trgLang="de"><file id="f"><unit id="u"><segment><source>a</source>
<target>ein</target></segment></unit></file></xliff>"""
WMT = """<dataset id="x"><doc id="d" origlang="en"><src lang="en"><p><seg id="1">a</seg></p></src>
<ref lang="de" translator="A"><p><seg id="1">ein</seg></p></ref></doc></dataset>"""
TEI = """<TEI xmlns="http://www.tei-c.org/ns/1.0"><text><body><entry><form><orth>dog</orth></form><sense>
<cit type="trans"><quote>Hund</quote></cit></sense></entry></body></text></TEI>"""
TICO = "sourceLang\ttargetLang\tsourceString\ttargetString\tstringID\turl\tlicense\ttranslatorId"
# The files of a corpus, by names that tell their format.
CORPORA: dict[str, dict[str, str]] = {
    "text": {"a.en": "a\nb\n"},
    "moses": {"a.en": "a\nb\n", "a.de": "ein\nzwei\n"},
    "tsv": {"a.tsv": "en\tde\na\tein\n"},
    "tmx": {"a.tmx": TMX},
    "wmt": {"a.xml": WMT},
    "flores": {"eng.dev": "a\n", "deu.dev": "ein\n"},
    "tatoeba": {"a.tsv": "1\teng\ta\t2\tdeu\tein\n"},
    "tico19": {"a.tsv": f"{TICO}\nen\tam\ta\tb\t1\tu\tl\tt\n"},
    "xliff": {"a.xlf": XLIFF},
    "po": {"de.po": 'msgid "a"\nmsgstr "ein"\n'},
    "subtitles": {"a.en.srt": "1\n00:00:01,000 --> 00:00:02,000\na\n\n"},
    "hf": {"a.jsonl": '{"translation":{"en":"a","de":"ein"}}\n'},
}
DICTIONARIES: dict[str, dict[str, str]] = {
    "panlex": {"eng2deu.txt": "dog\tHund\n"},
    "hunalign": {"en-de.txt": "Hund @ dog\n"},
    "mrasp": {"en-de.txt": "EN__dog\tDE__Hund\n"},
    "freedict": {"eng-deu.tei": TEI},
    "wiktionary": {
        "a.jsonl": '{"word":"dog","lang":"English","lang_code":"en","translations":[{"code":"de","word":"Hund"}]}\n'
    },
    "records": {"a.jsonl": '{"word":"dog","lang":"en","translations":{"de":["Hund"]},"sources":["x"]}\n'},
}


def named(files: dict[str, str], folder: Path) -> None:
    """Write files with these texts."""
    for name, content in files.items():
        (folder / name).write_text(content)


def compressed(folder: Path) -> None:
    """Write pairs to `in.jsonl.gz`."""
    pairs(folder)
    (folder / "in.jsonl.gz").write_bytes(gzip.compress((folder / "in.jsonl").read_bytes()))


def parquet(folder: Path) -> None:
    """Write pairs to `in.parquet`."""
    pairs(folder)
    _run(folder, "convert", "in.jsonl", "--as", "parquet", "-o", "in.parquet", "-q")


def dictd(folder: Path) -> None:
    """Write a dictionary of dictd."""
    (folder / "eng-deu.dict.dz").write_bytes(gzip.compress(b"dog\nHund\n"))
    (folder / "eng-deu.index").write_text("dog\tA\tJ\n")


def subtitles(folder: Path, *, bad: bool = False) -> None:
    """Write records with times to `in.jsonl`."""
    times = [{"begin": f"00:00:0{n}.000", "end": f"00:00:0{n}.500"} for n in range(COUNT)]
    _write(folder, [text(n, "en", text=f"Line {n}. {LONG}", **times[n]) for n in range(COUNT)], bad=bad)


# -- models and what they are given ------------------------------------------------------------------------------------


@cache
def models() -> Path:
    """Return a folder with two small models and their tokenizer, which differ in some weights."""
    from support import runs

    folder = Path(tempfile.mkdtemp(prefix="fault-models-"))
    atexit.register(shutil.rmtree, folder)
    runs.model_folder(folder / "base")
    runs.model_folder(folder / "tuned", seed=1)
    return folder


def with_models(make: Callable[..., object], folder: Path, *, bad: bool = False) -> None:
    """Write the files that `make` writes, two models, and a list of pieces."""
    make(folder, **({"bad": True} if bad else {}))
    for name in ("base", "tuned"):
        shutil.copytree(models() / name, folder / name)
    (folder / "pieces.txt").write_text("aa\nbb\n")


def samples(folder: Path) -> None:
    """Write samples, chats, and a task to train on."""
    from support import runs

    write(folder / "mix.jsonl", [runs.sample(number) for number in range(30)])
    write(folder / "chats.jsonl", [{"instruction": f"Say {n}.", "input": "", "output": f"{n}"} for n in range(30)])
    labels = ("entailment", "neutral", "contradiction")
    rows = [f"the dog sees {n}\ta dog\t{labels[n % 3]}\n" for n in range(6)]
    (folder / "x-en.tsv").write_text("".join(rows))


def parallel(folder: Path, *, bad: bool = False) -> None:
    """Write texts that are aligned by id."""
    languages = ("en", "de")
    _write(folder, [text(n // 2, languages[n % 2], id=f"s:{n // 2}", text=f"the {n}") for n in range(COUNT)], bad=bad)


def two_lexicons(folder: Path, *, bad: bool = False) -> None:
    """Write two lexicons, and a corpus."""
    texts(folder, bad=bad)
    for name in ("one", "two"):
        lexicons.lexicon(folder / f"{name}.lex", ("en", lexicons.ENGLISH))


def scores(folder: Path) -> None:
    """Write the scores of two systems."""
    score = {"src_lang": "en", "metric": "bleu", "signature": "s", "n": 5}
    for name, value in (("one", 3.5), ("two", 7.25)):
        write(folder / f"{name}.jsonl", [{**score, "tgt_lang": lang, "score": value} for lang in ("de", "sw")])


def planned(folder: Path) -> None:
    """Write pairs, examples, and how many pairs a direction lacks."""
    pairs(folder)
    write(folder / "missing.jsonl", [{"src_lang": "en", "tgt_lang": "fr", "have": 1, "missing": 5}])
    write(folder / "shots.jsonl", [pair(number, "en", "de") for number in range(90, 94)])
