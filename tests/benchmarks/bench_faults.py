"""Every system call of every command fails once, or is where the process dies, and what was promised is checked.

For each case, each call and each kind of fault that suits it: the run itself, and the run that goes on afterwards. Of
the same call on many files of the same kind, only the first and the last few fail, unless `--every` is given.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import fault_cases
from support.faults import Broken, Case, Stage, thinned

HOW = ("lost", "doubled", "torn", "hung", "other")


def walk(case: Case, folder: Path, kinds: list[str], *, every: bool, sample: int | None) -> Iterator[list[Broken]]:
    """Yield what each fault has broken."""
    stage = Stage(case, folder)
    points = stage.points()
    chosen = points if every else thinned(points)
    faults = [(point.number, kind) for point in chosen for kind in point.kinds() if not kinds or kind in kinds]
    if sample is not None:
        faults = random.Random(str(case)).sample(faults, min(sample, len(faults)))
    for fault in faults:
        yield stage.broken(*fault)


def main() -> None:
    """Walk through all points of the cases whose names contain the given words, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="what the names of cases contain")
    parser.add_argument("--kind", action="append", default=[], help="kinds of faults; by default all")
    parser.add_argument("--every", action="store_true", help="also each of many calls on files of the same kind")
    parser.add_argument("--sample", type=int, help="so many faults of each case, drawn at random")
    options = parser.parse_args()
    figures: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for case in (*fault_cases.cases(), *fault_cases.model_cases()):
        if not all(word in str(case) for word in options.words):
            continue
        start = time.monotonic()
        tried = 0
        with tempfile.TemporaryDirectory(prefix="bench-faults-") as folder:
            for broken in walk(case, Path(folder).resolve(), options.kind, every=options.every, sample=options.sample):
                tried += 1
                for each in broken:
                    figures[case.command][each.how] += 1
                    print(f"  {each.how}: {each.what}", flush=True)
        figures[case.command]["points"] += tried
        print(f"{case}: {tried} faults, {time.monotonic() - start:.0f} s", flush=True)
    print(f"\n| command | faults | {' | '.join(HOW)} |\n|---|{'---:|' * (len(HOW) + 1)}")
    for command, counts in figures.items():
        print(f"| {command} | {counts['points']} | {' | '.join(str(counts[how]) for how in HOW)} |")


if __name__ == "__main__":
    main()
