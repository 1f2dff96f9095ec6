"""What a large lexicon costs: time and memory to build, time to open, speed of lookups.

    python tests/benchmarks/bench_lexicon.py [--triples 10000000] [--files 100] [--workers 2] [--keep FILE.lex]

The dictionaries are made up: English to as many languages, words drawn as they are in running text. Memory is the peak
of the proportional set sizes (PSS) of all processes together, LMDB's pages included.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import LLAMAX, Peak

from llamax_cli.languages import languages
from llamax_cli.lexicon.catalog import open_lexicon

REGIONS = {
    "en": "GB RW AU CA NZ IE IN ZA KE NG GH UG TZ ZM ZW MW BW NA LS SZ",
    "fr": "FR BE CH CA LU MC SN CI ML BF NE TG BJ GA CG CD CM CF TD DJ",
}
OPEN = """
import sys, time
from llamax_cli.lexicon.catalog import open_lexicon
start = time.perf_counter()
lexicon = open_lexicon(sys.argv[1])
found = lexicon.translations("en", sys.argv[2])
print(f"{1000 * (time.perf_counter() - start):.1f} ms to open and first look up ({len(found)} languages found)")
"""


def dictionaries(folder: Path, files: int, lines: int) -> list[str]:
    """Write the dictionaries and return the English words."""
    draw = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    english = ["".join(draw.choices(letters, k=draw.randint(3, 11))) for _ in range(4 * lines)]
    codes = [code for code, each in languages().items() if each.script == "Latn" and code != "en"]
    codes += [f"{language}-{region}" for language, regions in REGIONS.items() for region in regions.split()]
    for code in codes[:files]:
        with (folder / f"en_{code}.txt").open("w") as file:
            for word in draw.choices(english, k=lines):
                file.write(f"{word}\t{word[::-1]}{draw.choice(letters)}{code[:2]}\n")
    return english


def build(folder: Path, store: Path, workers: int) -> None:
    """Build the lexicon and print what it took."""
    command = [*LLAMAX, "build-lexicon", str(folder)]
    start = time.perf_counter()
    process = subprocess.Popen([*command, "-o", str(store), "--workers", str(workers)])
    peak = Peak(process.pid)
    peak.start()
    process.wait()
    seconds = time.perf_counter() - start
    print(f"{seconds:.1f} s, {peak.bytes / 1e6:,.0f} MB at most, {store.stat().st_size / 1e6:,.0f} MB on disk")


def look_up(store: Path, english: list[str]) -> None:
    """Print the speed of first and of repeated lookups."""
    lexicon = open_lexicon(store)
    draw = random.Random(2)
    fresh = list(dict.fromkeys(draw.sample(english, min(len(english), 200_000))))
    running = [english[min(len(english) - 1, int(draw.paretovariate(0.6)) - 1)] for _ in range(500_000)]
    for name, words in (("each once", fresh), ("as in running text", running)):
        start = time.perf_counter()
        hits = sum(bool(lexicon.translations("en", word)) for word in words)
        print(f"{len(words) / (time.perf_counter() - start):,.0f} lookups/s {name}, {hits / len(words):.0%} found")


def main() -> None:
    """Make the dictionaries, build, look up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triples", type=int, default=10_000_000)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--keep", type=Path, help="leave the lexicon here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "dictionaries"
        folder.mkdir()
        english = dictionaries(folder, given.files, given.triples // given.files // 2)
        store = given.keep or Path(name) / "bench.lex"
        build(folder, store, given.workers)
        subprocess.run([sys.executable, "-c", OPEN, str(store), english[0]], check=True)
        look_up(store, english)


if __name__ == "__main__":
    main()
