"""Pairs per second through the filters of convert, and through OpusFilter's with the same thresholds.

    python -m venv opus && opus/bin/pip install opusfilter
    python -m venv nemo && nemo/bin/pip install nemo-curator
    python tests/benchmarks/bench_filter.py --opusfilter opus/bin/opusfilter [--pairs 40000] [--data ../shared/data]
    python tests/benchmarks/bench_filter.py --nemo nemo/bin/python

English-Russian sentences of FLORES-101 and NTREX-128, most of them spoilt in one way or another: another sentence's
translation, the source again, half a translation, a phrase repeated, other digits. Both programs read text, and run
once for each filter alone, then for all of them; the pairs that they keep are compared. Then mix is timed on the same
pairs, without and with near duplicates. OpusFilter keeps what is below a threshold, llamax what is not above it, so its
thresholds of ratios and lengths are a little higher here.

NeMo Curator has filters for each side alone. They are called here as it calls them for a batch, without Ray; reading
and writing JSON lines counts, starting does not, though it does for llamax. Times are processor seconds. Its filters of
letters are for English.
"""

import argparse
import json
import random
import subprocess
import tempfile
from pathlib import Path

from measure import DATA, LLAMAX, environment, seconds, worked

LATN, CYRL = "Latin", "Cyrillic"
SAME = {  # a filter of llamax, and OpusFilter's
    "length-ratio=2": ("LengthRatioFilter", {"threshold": 2.000001, "unit": "char"}),
    "word-ratio=2": ("LengthRatioFilter", {"threshold": 2.000001, "unit": "word"}),
    "min-words=1,max-words=60": ("LengthFilter", {"min_length": 1, "max_length": 60, "unit": "word"}),
    "long-word=30": ("LongWordFilter", {"threshold": 31}),
    "letter-share=0.6": ("AlphabetRatioFilter", {"threshold": 0.6}),
    "script-share=0.7": ("CharacterScoreFilter", {"scripts": [LATN, CYRL], "thresholds": [0.7, 0.7]}),
    "digits=0.5": ("NonZeroNumeralsFilter", {"threshold": 0.5}),
    "repetition=2": ("RepetitionFilter", {"threshold": 2}),
}
NEMO = {  # and NeMo Curator's for a side
    "min-words=1,max-words=60": "WordCountFilter(1, 60)",
    "long-word=30": "LongWordFilter(30)",
}
CURATOR = """
import sys, time
import pandas
from nemo_curator.stages.text.filters.heuristic.string import LongWordFilter, WordCountFilter
from nemo_curator.stages.text.filters.score_filter import ScoreFilter
from nemo_curator.tasks import DocumentBatch
given, out, *filters = sys.argv[1:]
start = time.process_time()
batch = DocumentBatch(dataset_name="pairs", data=pandas.read_json(given, lines=True))
kinds = [eval(each) for each in filters for _ in range(2)]
kept = ScoreFilter(kinds, text_field=["src", "tgt"] * len(filters)).process(batch)
kept.to_pandas().to_json(out, orient="records", lines=True, force_ascii=False)
print(time.process_time() - start)
"""


def sentences(data: Path) -> list[tuple[str, str]]:
    """Return English sentences with their Russian translations."""
    found = []
    for first, second in (
        ("flores101/devtest/eng.devtest", "flores101/devtest/rus.devtest"),
        ("ntrex128/NTREX-128/newstest2019-src.eng.txt", "ntrex128/NTREX-128/newstest2019-ref.rus.txt"),
    ):
        sides = [
            (data / name).read_text(encoding="utf-8").replace("\r", "").split("\n")[:-1] for name in (first, second)
        ]
        found += zip(*sides, strict=True)
    return found


def spoilt(pairs: list[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    """Return `count` pairs, two of seven as they were."""
    draw = random.Random(1)
    made = []
    for _ in range(count):
        source, target = draw.choice(pairs)
        way = draw.randrange(7)
        if way == 1:
            target = draw.choice(pairs)[1]
        elif way == 2:
            target = source
        elif way == 3:
            target = target[: len(target) // draw.randint(2, 4)]
        elif way == 4:
            source = f"{source} " + f"{source[:12].strip()} " * draw.randint(1, 4)
        elif way == 5:
            target = f"{target} {draw.randint(1, 10**6)}"
        made.append((" ".join(source.split()), " ".join(target.split())))
    return made


def opusfilter(folder: Path, program: str, filters: dict[str, dict[str, object]]) -> tuple[float, list[str]]:
    """Return how long OpusFilter takes, and what it keeps."""
    outputs = ["kept.en", "kept.ru"]
    parameters = {"inputs": ["pairs.en", "pairs.ru"], "outputs": outputs, "filters": filters}
    listed = [{name.partition(" ")[0]: values} for name, values in filters.items()]
    parameters["filters"] = listed  # a list, in which a filter may stand twice
    steps = {"common": {"output_directory": str(folder)}, "steps": [{"type": "filter", "parameters": parameters}]}
    (folder / "opus.yaml").write_text(json.dumps(steps))
    wall, _ = seconds([program, "--overwrite", str(folder / "opus.yaml")])
    sides = [(folder / name).read_text(encoding="utf-8").split("\n")[:-1] for name in outputs]
    return wall, ["\t".join(pair) for pair in zip(*sides, strict=True)]


def llamax(folder: Path, filters: str) -> tuple[float, list[str]]:
    """Return how long convert takes from text to a table, and what it keeps."""
    files = [str(folder / "pairs.en"), str(folder / "pairs.ru")]
    out = folder / "kept.tsv"
    wanted = ["--filter", filters] if filters else []
    wall, _ = seconds([*LLAMAX, "convert", "-q", *files, *wanted, "--as", "tsv", "-o", str(out)])
    return wall, out.read_text(encoding="utf-8").split("\n")[:-1]


def against_nemo(folder: Path, python: str) -> None:
    """Print a row for each filter of a side and one for all."""
    records, out = folder / "pairs.jsonl", folder / "out.jsonl"

    def kept() -> set[str]:
        return {json.loads(line)["id"] for line in out.read_text(encoding="utf-8").splitlines()}

    print(f"{'processor seconds':28}{'llamax':>9}{'NeMo':>12}{'times':>7}{'kept':>9}{'differ':>8}")
    for filters, same in {
        **{ours: [theirs] for ours, theirs in NEMO.items()},
        ",".join(NEMO): [*NEMO.values()],
    }.items():
        line = [python, "-c", CURATOR, str(records), str(out), *same]
        printed = subprocess.run(line, check=True, env=environment(), stdout=subprocess.PIPE, text=True).stdout
        theirs, others = float(printed.split()[-1]), kept()
        ours = worked([*LLAMAX, "convert", "-q", str(records), "--filter", filters, "-o", str(out)])
        shown = filters if len(same) == 1 else "all of them"
        differ = len(kept() ^ others)
        print(f"{shown:28}{ours:>7.2f} s{theirs:>10.2f} s{theirs / ours:>7.1f}{len(kept()):>9,}{differ:>8}", flush=True)


def near(folder: Path, count: int) -> None:
    """Print the speed of mix without and with near duplicates, of the same pairs."""
    for wanted in ([], ["--near-duplicates", "0.8"]):
        given = ["--para", str(folder / "pairs.jsonl"), "--copies", "1", *wanted]
        wall, used = seconds([*LLAMAX, "mix", "-q", *given, "-o", str(folder / "mix.jsonl")])
        with (folder / "mix.jsonl").open("rb") as file:
            kept = sum(1 for _ in file)
        shown = " ".join(["mix", *wanted])
        print(
            f"{shown:28}{count / wall:>9,.0f} pairs/s, {1e6 * used / count:.0f} us of a processor each, {kept:,} kept"
        )


def against_opusfilter(folder: Path, program: str, count: int) -> None:
    """Print a row for each filter and one for all."""
    alone, _ = llamax(folder, "")
    print(f"{count:,} pairs; convert without a filter takes {alone:.1f} s")
    print(f"{'':28}{'llamax':>9}{'OpusFilter':>12}{'times':>7}{'kept':>9}{'differ':>8}")
    every = {f"{kind} {number}": values for number, (kind, values) in enumerate(SAME.values())}
    rows = {filters: {kind: values} for filters, (kind, values) in SAME.items()} | {",".join(SAME): every}
    for filters, same in rows.items():
        theirs, kept = opusfilter(folder, program, same)
        ours, own = llamax(folder, filters)
        differ = len(set(kept) ^ set(own))
        shown = filters if len(same) == 1 else "all of them"
        print(f"{shown:28}{ours:>7.1f} s{theirs:>10.1f} s{theirs / ours:>7.1f}{len(own):>9,}{differ:>8}", flush=True)


def main() -> None:
    """Compare with the programs that are given, and time near duplicates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--opusfilter", help="the program, in an environment of its own")
    parser.add_argument("--nemo", help="a Python that has nemo-curator")
    parser.add_argument("--pairs", type=int, default=40_000)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs = spoilt(sentences(options.data), options.pairs)
        sides = [folder / "pairs.en", folder / "pairs.ru"]
        for side, path in enumerate(sides):
            path.write_text("".join(pair[side] + "\n" for pair in pairs), encoding="utf-8")
        seconds([*LLAMAX, "convert", "-q", *map(str, sides), "-o", str(folder / "pairs.jsonl")])
        if options.opusfilter:
            against_opusfilter(folder, options.opusfilter, options.pairs)
            near(folder, options.pairs)
        if options.nemo:
            against_nemo(folder, options.nemo)


if __name__ == "__main__":
    main()
