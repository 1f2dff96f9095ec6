"""Pairs per second through the filters of convert, and through OpusFilter's with the same thresholds.

    python -m venv opus && opus/bin/pip install opusfilter
    python tests/benchmarks/bench_filter.py --opusfilter opus/bin/opusfilter [--pairs 40000] [--data ../shared/data]

English-Russian sentences of FLORES-101 and NTREX-128, most of them spoilt in one way or another: another sentence's
translation, the source again, half a translation, a phrase repeated, other digits. Both programs read text, and run
once for each filter alone, then for all of them; the pairs that they keep are compared. Then mix is timed on the same
pairs, without and with near duplicates. OpusFilter keeps what is below
a threshold, llamax what is not above it, so that its thresholds of ratios and lengths are a little higher here.
"""

import argparse
import json
import random
import tempfile
from pathlib import Path

from measure import DATA, LLAMAX, seconds

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


def near(folder: Path, count: int) -> None:
    """Print the speed of mix without and with near duplicates, of the same pairs."""
    records = folder / "pairs.jsonl"
    seconds([*LLAMAX, "convert", "-q", str(folder / "pairs.en"), str(folder / "pairs.ru"), "-o", str(records)])
    for wanted in ([], ["--near-duplicates", "0.8"]):
        mix = [*LLAMAX, "mix", "-q", "--para", str(records), "--copies", "1", *wanted, "-o", str(folder / "mix.jsonl")]
        wall, used = seconds(mix)
        with (folder / "mix.jsonl").open("rb") as file:
            kept = sum(1 for _ in file)
        shown = " ".join(["mix", *wanted])
        print(
            f"{shown:28}{count / wall:>9,.0f} pairs/s, {1e6 * used / count:.0f} us of a processor each, {kept:,} kept"
        )


def main() -> None:
    """Print a row for each filter and one for all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--opusfilter", required=True, help="the program, in an environment of its own")
    parser.add_argument("--pairs", type=int, default=40_000)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs = spoilt(sentences(options.data), options.pairs)
        for side, code in enumerate(("en", "ru")):
            (folder / f"pairs.{code}").write_text("".join(pair[side] + "\n" for pair in pairs), encoding="utf-8")
        alone, _ = llamax(folder, "")
        print(f"{options.pairs:,} pairs; convert without a filter takes {alone:.1f} s")
        print(f"{'':28}{'llamax':>9}{'OpusFilter':>12}{'times':>7}{'kept':>9}{'differ':>8}")
        every = {f"{kind} {number}": values for number, (kind, values) in enumerate(SAME.values())}
        rows = {filters: {kind: values} for filters, (kind, values) in SAME.items()} | {",".join(SAME): every}
        for filters, same in rows.items():
            theirs, kept = opusfilter(folder, options.opusfilter, same)
            ours, own = llamax(folder, filters)
            differ = len(set(kept) ^ set(own))
            shown = filters if len(same) == 1 else "all of them"
            print(
                f"{shown:28}{ours:>7.1f} s{theirs:>10.1f} s{theirs / ours:>7.1f}{len(own):>9,}{differ:>8}", flush=True
            )
        near(folder, options.pairs)


if __name__ == "__main__":
    main()
