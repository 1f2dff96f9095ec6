"""Every command in every form of input and output, with small files to run on, for `faults.py`."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from support import fault_files as files
from support.faults import Case

Make = Callable[..., object]
REJECTS = ("--rejects", "rejects.jsonl")
MANIFEST = ("--manifest", "manifest.json")


def _filter(command: str, call: str, make: Make, endings: Sequence[str] = ("gz",), **more: Any) -> Iterator[Case]:
    """Yield the forms that every filter has."""
    words = [*command.split(), *call.split()]
    out = ("-o", "out.jsonl")
    yield Case(command, "stdout", words, make, **more)
    more["resumes"] = True
    yield Case(command, "-o", [*words, *out], make, **more)
    yield Case(command, "-o over an older file", [*words, *out], partial(files.older, make), **more)
    for ending in endings:
        yield Case(command, f"-o .{ending}", [*words, "-o", f"out.jsonl.{ending}"], make, **more)
    all_words = [*words, *out, *REJECTS, *MANIFEST]
    yield Case(command, "--rejects --manifest", all_words, partial(make, bad=True), logs=["rejects.jsonl"], **more)


def _workers(command: str, call: str, make: Make, **more: Any) -> Case:
    words = [*command.split(), *call.split(), "-o", "out.jsonl", *REJECTS, "--workers", "2"]
    more |= {"resumes": True, "logs": ["rejects.jsonl"]}
    return Case(command, "--workers 2", words, partial(make, bad=True), **more)


def _one(command: str, form: str, call: str, make: Make, **more: Any) -> Case:
    """Return a form in which an output can be resumed, unless `more` says otherwise."""
    return Case(command, form, [*command.split(), *call.split()], make, **{"resumes": True, **more})


def _shown(command: str, form: str, call: str, make: Make, **more: Any) -> Case:
    """Return a form that writes to standard output, or whose output cannot be resumed."""
    return _one(command, form, call, make, **{"resumes": False, **more})


def cases() -> Iterator[Case]:
    """Yield all cases of commands that load neither torch nor a model."""
    yield from _convert_cases()
    yield from _lexicon_cases()
    yield from _mix_cases()
    yield from _language_cases()
    yield from _score_cases()
    yield from _corpus_cases()
    yield from _provenance_cases()


def _convert_cases() -> Iterator[Case]:
    yield from _filter("convert", "in.jsonl --from records --pairs en-de", files.pairs, ("gz", "zst", "bz2", "xz"))
    for target in ("tsv", "hf", "text"):
        field = "--field src" if target == "text" else ""
        call = f"in.jsonl --from records --as {target} {field} -o out"
        yield _one("convert", f"--as {target}", call, files.pairs)
    for target in ("moses", "parquet"):
        name = "out.parquet" if target == "parquet" else "out"
        yield _shown("convert", f"--as {target}", f"in.jsonl --from records --as {target} -o {name}", files.pairs)
    for target in ("srt", "vtt"):
        yield _shown("convert", f"--as {target}", f"in.jsonl --as {target} -o out", files.subtitles)
    call = "in.jsonl --as srt -o out --rejects rejects.jsonl --manifest manifest.json"
    rejecting = partial(files.subtitles, bad=True)
    yield _shown("convert", "--as srt --rejects --manifest", call, rejecting, logs=["rejects.jsonl"])
    yield _one("convert", "--sample", "in.jsonl --from records --pairs en-de --sample 5 -o out.jsonl", files.pairs)
    yield _one("convert", "--part", "in.jsonl --from records --pairs en-de --part 1/2 -o out.jsonl", files.pairs)
    limits = "--filter rules.toml --min quality=1 --max quality=6 --drop-empty"
    yield _one(
        "convert",
        "--filter --min --max",
        f"in.jsonl {limits} -o out.jsonl --rejects rejects.jsonl",
        files.scored,
        logs=["rejects.jsonl"],
    )
    for name, corpus in files.CORPORA.items():
        call = " ".join([*corpus, "--from", name])
        yield _shown("convert", f"--from {name}", call, partial(files.named, corpus))
    yield _shown("convert", "--from parquet", "in.parquet", files.parquet)
    yield _shown("convert", "from .gz", "in.jsonl.gz", files.compressed)


def _lexicon_cases() -> Iterator[Case]:
    yield from _filter("augment", "in.jsonl --dict small.lex --rate 0.5", files.augmented)
    yield _workers("augment", "in.jsonl --dict small.lex --rate 0.5", files.augmented)
    yield _one("augment", "--shard", "in.jsonl --dict small.lex --shard 2/2 -o out.jsonl", files.augmented)
    copies = "in.jsonl --dict small.lex --copies 2 --append --drop-unchanged -o out.jsonl"
    yield _one("augment", "--copies", copies, files.augmented)
    yield from _filter("build-lexicon", "en-de.txt", files.dictionary)
    yield _workers("build-lexicon", "en-de.txt", files.dictionary)
    call = "en-de.txt -o out.lex --manifest manifest.json"
    yield _shown("build-lexicon", "-o .lex", call, files.dictionary)
    yield _shown("build-lexicon", "--name", "en-de.txt --name mine", files.dictionary, undone=["data/*"])
    yield _one("build-lexicon", "--hops", "en-de.txt de-fr.txt --hops 2 -o out.jsonl", files.dictionaries)
    yield _one("build-lexicon", "--stats", "en-de.txt --stats -o out.jsonl", files.dictionary)
    yield _shown("build-lexicon", "--stats --table", "en-de.txt --stats --table md -o out.md", files.dictionary)
    for name, dictionary in files.DICTIONARIES.items():
        call = f"{' '.join(dictionary)} --from {name}"
        yield _shown("build-lexicon", f"--from {name}", call, partial(files.named, dictionary))
    yield _shown("build-lexicon", "--from dictd", "eng-deu.dict.dz", files.dictd)
    yield _shown("build-lexicon", "--from lexicon", "small.lex", files.augmented)
    yield from _filter("analyze lexicon", "one.lex two.lex --corpus in.jsonl", files.two_lexicons)
    yield _workers("analyze lexicon", "one.lex two.lex --corpus in.jsonl", files.two_lexicons)
    yield _one("analyze lexicon", "--foreign", "one.lex two.lex --foreign -o out.jsonl", files.two_lexicons)
    yield _shown("analyze lexicon", "--table", "one.lex two.lex --table csv -o out.csv", files.two_lexicons)


def _mix_cases() -> Iterator[Case]:
    held_out = "--exclude held-out.txt --memory 1"
    yield from _filter("mix", f"--para in.jsonl --mono mono.jsonl {held_out}", files.mixture)
    yield _workers("mix", "--para in.jsonl --mono mono.jsonl", files.mixture)
    yield _one("mix", "--plan", "--plan --para in.jsonl -o out.jsonl", files.mixture)
    near = "--para in.jsonl --mono mono.jsonl --near-duplicates 0.5 --memory 1 -o out.jsonl"
    yield _one("mix", "--near-duplicates", near, files.mixture)
    replayed = "--para in.jsonl --replay general.jsonl --replay-share 0.3 -o out.jsonl"
    yield _one("mix", "--replay", replayed, files.mixture)
    others = "--mt in.jsonl --aug in.jsonl --augment-high --temperature 2 --flip 0 --para-size 4 -o out.jsonl"
    yield _one("mix", "--mt --aug", others, files.mixture)
    yield _one("mix", "--parallel split", "--para in.jsonl --parallel split -o out.jsonl", files.mixture)


def _language_cases() -> Iterator[Case]:
    yield from _filter("langid", "in.jsonl", files.texts)
    yield _workers("langid", "in.jsonl", files.texts)
    yield _one("langid", "--summary", "in.jsonl --field mt --summary -o out.jsonl", files.pairs)
    yield _shown("langid", "--summary --table", "in.jsonl --field mt --summary --table md -o out.md", files.pairs)
    for name in ("joined", "fasttext", "cld2", "langdetect"):
        yield _one("langid", f"--detector {name}", f"in.jsonl --detector {name} -o out.jsonl", files.texts)
    for name, make in (("off-target", files.pairs), ("match", files.texts), ("best", files.candidates)):
        call = f"in.jsonl --select {name} -o out.jsonl"
        yield _one("langid", f"--select {name}", call, make)
    yield _one("langid", "--shard", "in.jsonl --shard 1/2 -o out.jsonl", files.texts)


def _score_cases() -> Iterator[Case]:
    yield from _filter("score", "in.jsonl --metric bleu,chrf++", files.pairs)
    yield _workers("score", "in.jsonl --metric bleu,chrf++", files.pairs)
    yield _one("score", "--segments", "in.jsonl --metric bleu --segments -o out.jsonl", files.pairs)
    call = "in.jsonl --metric bleu,chrf++ --segments --workers 2 -o out.jsonl"
    yield _one("score", "--segments --workers 2", call, files.pairs)
    yield _shown("score", "--table", "in.jsonl --metric bleu --table md -o out.md", files.pairs)
    yield _one("score", "--select best", "in.jsonl --metric chrf++ --select best -o out.jsonl", files.candidates)
    yield _one("score", "--select best --by", "in.jsonl --select best --by quality -o out.jsonl", files.candidates)
    against = "in.jsonl --against other.jsonl --metric chrf++ --resamples 20 --swaps 20"
    yield _one("score", "--against", f"{against} -o out.jsonl", files.two_systems)
    yield _shown("score", "--against --table", f"{against} --table csv -o out.csv", files.two_systems)
    yield _one("score", "--ref", "in.jsonl --ref ref.jsonl --metric ter -o out.jsonl", files.two_systems)
    yield _one("score", "--summary", "in.jsonl --metric bleu --summary -o out.jsonl", files.pairs)
    call = "in.jsonl --metric bleu --heatmap map.svg -o out.jsonl"
    yield _one("score", "--heatmap", call, files.pairs)
    words = ["score", "in.jsonl", "--metric", "command-qe", "--metric-command", "python3 length.py", "-o", "out.jsonl"]
    yield Case("score", "--metric command-qe", words, files.two_systems, resumes=True)


def _corpus_cases() -> Iterator[Case]:
    yield from _filter("analyze corpus", "in.jsonl", files.texts)
    yield _workers("analyze corpus", "in.jsonl", files.texts)
    card = "in.jsonl --card card -o out.jsonl"
    yield _one("analyze corpus", "--card", card, files.texts, undone=["card/*.partial"])
    yield _one("analyze corpus", "--directions", "in.jsonl --directions -o out.jsonl", files.pairs)
    yield _shown("analyze corpus", "--matrix", "in.jsonl --table md --matrix -o out.md", files.pairs)
    yield _one("analyze corpus", "--mixture", "--mixture mix.json -o out.jsonl", files.manifest_of_mixture)


def _provenance_cases() -> Iterator[Case]:
    yield _shown("replay", "stdout", "langid.json pairs.json", files.manifests)
    yield _shown("replay", "--chain", "langid.json --chain .", files.manifests)
    made = {"varies": ["made/*/stderr"], "undone": ["made/*"], "once": "made is not empty"}
    yield _shown("replay", "-o", "langid.json pairs.json -o made", files.manifests, **made)
    yield _shown("replay", "--dry-run", "langid.json pairs.json --dry-run", files.manifests)
    yield _shown("help", "a page", "streams", lambda folder: None)
    folder = {"undone": ["page.*.partial/*"], "once": "page is not empty"}
    systems = "one=one.jsonl two=two.jsonl -o page"
    yield _shown("report", "-o FOLDER", f"{systems} --figures svg", files.scores, **folder)
    yield _shown("report", "--table csv", f"{systems} --table csv --figures none --gap one:two", files.scores, **folder)


# -- commands that load a model --------------------------------------------------------------------------------------


def model_cases() -> Iterator[Case]:
    """Yield the cases of commands that load a model, or many libraries."""
    yield from _translate_cases()
    yield from _analysis_cases()
    yield from _training_cases()


def _translate_cases() -> Iterator[Case]:
    yield from _filter("translate", "in.jsonl --model m", files.pairs)
    yield from _filter("pivot", "in.jsonl --model m --via sw", files.pairs)
    for command, more in (("translate", ""), ("pivot", "--via sw")):
        yield _one(command, "--as text", f"in.jsonl --model m {more} --as text -o out.txt", files.pairs)
        yield _one(command, "--shard", f"in.jsonl --model m {more} --shard 1/2 -o out.jsonl", files.pairs)
    yield _one("translate", "--nbest", "in.jsonl --model m --nbest 2 -o out.jsonl", files.pairs)
    yield _one("translate", "--plan", "in.jsonl --model m --plan missing.jsonl -o out.jsonl", files.planned)
    call = "in.jsonl --model m --shots shots.jsonl --shot-count 2 -o out.jsonl"
    yield _one("translate", "--shots", call, files.planned)
    for form, call in (("--engine command", "--model m"), ("--second-model", "--model m --second-model n")):
        if form == "--engine command":
            words = ["translate", "in.jsonl", "--engine", "command", "--model", "cat", "-o", "out.jsonl"]
            yield Case("translate", form, words, files.pairs, resumes=True)
        else:
            yield _one("pivot", form, f"in.jsonl {call} --via sw -o out.jsonl", files.pairs)
    yield _one("pivot", "--only off-target", "in.jsonl --model m --via sw --only off-target -o out.jsonl", files.pairs)
    model = partial(files.with_models, files.pairs)
    shown = "in.jsonl --model base --template lines --show-prompt"
    yield _shown("translate", "--show-prompt", shown, model, size="large")
    yield _one("translate", "--show-prompt -o", f"{shown} -o out.jsonl", model, size="large")


def _analysis_cases() -> Iterator[Case]:
    large = {"size": "large"}
    model = partial(files.with_models, files.texts)
    aligned = partial(files.with_models, files.parallel)
    yield from _filter("analyze fertility", "in.jsonl --tokenizer base", model, **large)
    yield _workers("analyze fertility", "in.jsonl --tokenizer base,tuned", model, **large)
    table = "in.jsonl --tokenizer base --table md -o out.md"
    yield _shown("analyze fertility", "--table", table, model, **large)
    yield _one("analyze corpus", "--tokenizer", "in.jsonl --tokenizer base -o out.jsonl", model, **large)
    call = "--mono in.jsonl --tokenizer base --mono-block 16 -o out.jsonl"
    yield _one("mix", "--tokenizer --mono-block", call, model, **large)
    yield from _filter("analyze representation", "in.jsonl --model base", aligned, **large)
    table = "in.jsonl --model base --summary --table latex -o out.tex"
    yield _shown("analyze representation", "--summary --table", table, aligned, **large)
    models = "--base base --tuned tuned"
    yield _shown("analyze shift", "stdout", models, model, **large)
    yield _one("analyze shift", "-o", f"{models} -o out.jsonl", model, **large)
    yield _one("analyze shift", "--tokens", f"{models} --tokens -o out.jsonl --manifest manifest.json", model, **large)
    yield _shown("analyze shift", "--table", f"{models} --table md -o out.md", model, **large)
    folder = {"undone": ["new.*.partial/*"], "once": "new already exists", **large}
    listed = "--model base --tokens pieces.txt in.jsonl -o new"
    yield _shown("extend-vocab", "-o FOLDER", listed, model, **folder)
    bad = partial(files.with_models, files.texts, bad=True)
    learnt = "--model base --tokens 4 in.jsonl -o new --rejects rejects.jsonl --manifest manifest.json"
    yield _shown("extend-vocab", "--rejects --manifest", learnt, bad, logs=["rejects.jsonl"], **folder)


def _training_cases() -> Iterator[Case]:
    large: dict[str, Any] = {"size": "large"}
    training = partial(files.with_models, files.samples)
    varies = ["run/cache/*", "run/checkpoints/*", "run/metrics.jsonl", "run/.lock", "run/run.json"]
    folder = {"varies": varies, "undone": ["run/run.json.*.partial"], **large}
    small = "--set block=32 --set batch=4 --set micro_batch=2 --set checkpoint_every=3 --set epochs=1"
    train = f"--model base --data mix.jsonl -o run {small}"
    yield _one("train", "-o FOLDER", train, training, **folder)
    more = "--set async_checkpoint=true --set validation=mix.jsonl --set validation_every=3 --lora 2"
    yield _one("train", "--lora, validated", f"{train} {more}", training, **folder)
    for form in ("--preflight", "--dry-run"):
        yield _shown("train", form, f"{train} {form}", training, **{**large, "varies": ["run/", "run/cache/*"]})
    tune = f"--model base --data chats.jsonl -o run {small.replace('block=32', 'block=512')}"
    yield _one("tune", "-o FOLDER", tune, training, **folder)
    yield _shown("tune", "--eval", "--model base --task xnli --eval x-en.tsv", training, **large)
    averaged = {"undone": ["mean.*.partial/*"], "once": "mean already exists", **large}
    yield _shown("tune", "--average", "--average base tuned -o mean", training, **averaged)
