"""Every command in every form of output, with small files to run on, for `faults.py`."""

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from support import lexicons
from support.faults import Case
from support.records import pair, text, write

COUNT = 8  # records of an input, with a bad line among them where a form takes rejects
LONG = "which is said again so that a chunk is soon full"


def _pairs(folder: Path, *, bad: bool = False) -> None:
    words = ("the", "black", "dog", "good", "morning")
    records = [
        pair(number, "en", "de", src=f"{' '.join(words[: number % 5 + 1])} {number}", tgt=f"Satz {number} {LONG}")
        for number in range(COUNT)
    ]
    _write(folder, [{**record, "mt": f"mt {record['tgt']}", "on_target": False} for record in records], bad=bad)


def _texts(folder: Path, *, bad: bool = False) -> None:
    _write(folder, [text(number, "en", text=f"The black dog {number}, {LONG}.") for number in range(COUNT)], bad=bad)


def _write(folder: Path, records: Sequence[dict[str, object]], *, bad: bool) -> None:
    lines = write(folder / "in.jsonl", records).read_bytes().splitlines(keepends=True)
    (folder / "in.jsonl").write_bytes(b"".join([*lines[:5], *([b"not JSON\n"] * bad), *lines[5:]]))


def _dictionary(folder: Path, *, bad: bool = False) -> None:
    lines = [f"word{number} Wort{number}\n" for number in range(9)]
    (folder / "en-de.txt").write_text("".join(lines) + "\n" * bad + ("alone\n" if bad else ""))


def _augmented(folder: Path, *, bad: bool = False) -> None:
    _pairs(folder, bad=bad)
    lexicons.lexicon(folder / "small.lex", ("en", lexicons.ENGLISH))


def _mixture(folder: Path, *, bad: bool = False) -> None:
    _pairs(folder, bad=bad)
    write(folder / "mono.jsonl", [text(number, "de", text=f"Text {number}. {LONG}") for number in range(COUNT)])
    (folder / "held-out.txt").write_text("Text 3.\n")


def _older(make: Callable[[Path], object], folder: Path) -> None:
    make(folder)
    (folder / "out.jsonl").write_text("older\n")


REJECTS = ("--rejects", "rejects.jsonl")
MANIFEST = ("--manifest", "manifest.json")


def _filter(command: str, call: str, make: Callable[..., object], endings: Sequence[str] = ("gz",)) -> Iterator[Case]:
    """Yield the forms that every filter has."""
    words = [*command.split(), *call.split()]
    out = ("-o", "out.jsonl")
    yield Case(command, "stdout", words, make)
    yield Case(command, "-o", [*words, *out], make, resumes=True)
    yield Case(command, "-o over an older file", [*words, *out], partial(_older, make), resumes=True)
    for ending in endings:
        yield Case(command, f"-o .{ending}", [*words, "-o", f"out.jsonl.{ending}"], make, resumes=True)
    more = [*words, *out, *REJECTS, *MANIFEST]
    yield Case(command, "--rejects --manifest", more, partial(make, bad=True), resumes=True, logs=["rejects.jsonl"])


def _workers(command: str, call: str, make: Callable[..., object]) -> Case:
    words = [*command.split(), *call.split(), "-o", "out.jsonl", *REJECTS, "--workers", "2"]
    return Case(command, "--workers 2", words, partial(make, bad=True), resumes=True, logs=["rejects.jsonl"])


def _one(command: str, form: str, call: str, make: Callable[..., object], **more: Any) -> Case:
    return Case(command, form, [*command.split(), *call.split()], make, **{"resumes": True, **more})


def cases() -> Iterator[Case]:
    """Yield all cases of commands that load neither torch nor a model."""
    yield from _filter("convert", "in.jsonl --from records --pairs en-de", _pairs, ("gz", "zst", "bz2", "xz"))
    for target in ("tsv", "hf", "text"):
        field = ["--field", "src"] if target == "text" else []
        words = ["convert", "in.jsonl", "--from", "records", "--as", target, *field, "-o", "out"]
        yield Case("convert", f"--as {target}", words, _pairs, resumes=True)
    for target in ("moses", "parquet"):
        name = "out.parquet" if target == "parquet" else "out"
        words = ["convert", "in.jsonl", "--from", "records", "--as", target, "-o", name]
        yield Case("convert", f"--as {target}", words, _pairs)
    sampled = ["convert", "in.jsonl", "--from", "records", "--pairs", "en-de", "--sample", "5", "-o", "out.jsonl"]
    yield Case("convert", "--sample", sampled, _pairs, resumes=True)
    yield from _filter("augment", "in.jsonl --dict small.lex --rate 0.5", _augmented)
    yield _workers("augment", "in.jsonl --dict small.lex --rate 0.5", _augmented)
    yield _one("augment", "--shard", "in.jsonl --dict small.lex --shard 2/2 -o out.jsonl", _augmented)
    yield from _filter("build-lexicon", "en-de.txt", _dictionary)
    yield Case("build-lexicon", "-o .lex", ["build-lexicon", "en-de.txt", "-o", "out.lex", *MANIFEST], _dictionary)
    yield Case(
        "build-lexicon", "--name", ["build-lexicon", "en-de.txt", "--name", "mine"], _dictionary, undone=["data/*"]
    )
    yield from _filter("mix", "--para in.jsonl --mono mono.jsonl --exclude held-out.txt --memory 1", _mixture)
    yield _workers("mix", "--para in.jsonl --mono mono.jsonl", _mixture)
    yield from _filter("langid", "in.jsonl", _texts)
    yield _workers("langid", "in.jsonl", _texts)
    yield _one("langid", "--summary", "in.jsonl --field mt --summary -o out.jsonl", _pairs)
    yield from _filter("score", "in.jsonl --metric bleu,chrf++", _pairs)
    yield _one("score", "--segments", "in.jsonl --metric bleu --segments -o out.jsonl", _pairs)
    yield _one("score", "--table", "in.jsonl --metric bleu --table md -o out.md", _pairs, resumes=False)
    yield from _filter("analyze corpus", "in.jsonl", _texts)
    card = ["analyze", "corpus", "in.jsonl", "--card", "card", "-o", "out.jsonl"]
    yield Case("analyze corpus", "--card", card, _texts, resumes=True, undone=["card/*.partial"])


# -- commands that load a model --------------------------------------------------------------------------------------


@cache
def _models() -> Path:
    """Return a folder with two small models and a tokenizer, which differ in some weights."""
    from support import runs

    folder = Path(tempfile.mkdtemp(prefix="fault-models-"))
    atexit.register(shutil.rmtree, folder)
    runs.model_folder(folder / "base")
    runs.model_folder(folder / "tuned", seed=1)
    return folder


def _with_models(make: Callable[[Path], object], folder: Path) -> None:
    make(folder)
    for name in ("base", "tuned"):
        shutil.copytree(_models() / name, folder / name)
    (folder / "pieces.txt").write_text("aa\nbb\n")


def _samples(folder: Path) -> None:
    from support import runs

    write(folder / "mix.jsonl", [runs.sample(number) for number in range(30)])
    write(folder / "chats.jsonl", [{"instruction": f"Say {n}.", "input": "", "output": f"{n}"} for n in range(30)])


def _parallel(folder: Path) -> None:
    _write(
        folder,
        [text(n // 2, lang, id=f"s:{n // 2}", text=f"the {n}") for n in range(8) for lang in [("en", "de")[n % 2]]],
        bad=False,
    )


def _two_lexicons(folder: Path) -> None:
    for name in ("one", "two"):
        lexicons.lexicon(folder / f"{name}.lex", ("en", lexicons.ENGLISH))


def _scores(folder: Path) -> None:
    score = {"src_lang": "en", "metric": "bleu", "signature": "s", "n": 5}
    for name, value in (("one", 3.5), ("two", 7.25)):
        write(folder / f"{name}.jsonl", [{**score, "tgt_lang": lang, "score": value} for lang in ("de", "sw")])


def model_cases() -> Iterator[Case]:
    """Yield the cases of commands that load a model, or many libraries."""
    yield from _filter("translate", "in.jsonl --model m", _pairs)
    yield from _filter("pivot", "in.jsonl --model m --via sw", _pairs)
    yield _one("translate", "--as text", "in.jsonl --model m --as text -o out.txt", _pairs)
    yield _one("analyze lexicon", "-o", "one.lex two.lex -o out.jsonl", _two_lexicons)
    yield _one("analyze lexicon", "stdout", "one.lex two.lex", _two_lexicons, resumes=False)
    large = {"size": "large"}
    model = partial(_with_models, _texts)
    yield _one("analyze fertility", "-o", "in.jsonl --tokenizer base -o out.jsonl", model, **large)
    yield _one(
        "analyze representation", "-o", "in.jsonl --model base -o out.jsonl", partial(_with_models, _parallel), **large
    )
    yield _one("analyze shift", "-o", "--base base --tuned tuned -o out.jsonl", model, **large)
    folder = {"resumes": False, **large}
    yield _one(
        "extend-vocab",
        "-o FOLDER",
        "--model base --tokens pieces.txt in.jsonl -o new",
        model,
        undone=["new.*.partial/*"],
        **folder,
    )
    yield _one(
        "report", "-o FOLDER", "one=one.jsonl two=two.jsonl -o page", _scores, undone=["page.*.partial/*"], **folder
    )
    training = partial(_with_models, _samples)
    varies = ["run/cache/*", "run/checkpoints/*", "run/metrics.jsonl", "run/.lock", "run/run.json"]
    small = "--set block=32 --set batch=4 --set micro_batch=2 --set checkpoint_every=3 --set epochs=1"
    yield _one("train", "-o FOLDER", f"--model base --data mix.jsonl -o run {small}", training, varies=varies, **large)
    yield _one("tune", "-o FOLDER", f"--model base --data chats.jsonl -o run {small}", training, varies=varies, **large)
