"""Fuzz readers of files by coverage, with atheris: python tests/fuzz/fuzz.py [--keep FOLDER] SECONDS [READER...].

SECONDS are those of a processor, so that a busy machine tries as much. Without names, each reader in turn. Inputs that
reach new places in the code are kept in FOLDER, and a later search with the same folder goes on from there. An input
that raises what no reader documents is written to a folder of its reader in tests/fuzz/corpus, one for each place in
the code that raises; tests/test_fuzz.py reads these ever after. What ends the process itself, such as a fault in a
library in C, is left in tests/fuzz/corpus as READER-crash-*.
"""

import argparse
import os
import re
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE.parent)]


def main() -> None:
    """Fuzz each reader in a process of its own, as one may kill it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("seconds", type=int, metavar="SECONDS")
    parser.add_argument("readers", nargs="*", metavar="READER")
    given = parser.parse_args()
    if given.one:  # before it imports any reader, since only what atheris imports is instrumented
        one(given.readers[0], given.seconds, given.keep)
        return
    from support.fuzz_targets import READERS

    if unknown := set(given.readers) - set(READERS):
        parser.error(f"no such reader: {', '.join(sorted(unknown))}; there are {', '.join(READERS)}")
    for name in given.readers or READERS:
        kept = ["--keep", str(given.keep)] if given.keep else []
        command = [sys.executable, __file__, "--one", *kept, str(given.seconds), name]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        lines = [line for line in done.stdout.splitlines() if line.startswith(("FOUND", "TRIED", "=="))]
        new = re.findall(r"^#(\d+)\s+(?:INITED|NEW) .*cov: (\d+)", done.stdout, re.MULTILINE)[-1:]
        lines += [f"{places} places, the last one reached by input {number}" for number, places in new]
        lines += ["searched blindly: none of the code that it reached is instrumented"] if not new else []
        print(f"{name}: exit code {done.returncode}; " + "; ".join(lines[-6:]), flush=True)


def one(name: str, seconds: int, keep: Path | None) -> None:
    """Fuzz one reader for some seconds of a processor."""
    import atheris

    with atheris.instrument_imports(include=["llamax_cli"]):
        from support import fuzz_targets

        for seed in [b"", *fuzz_targets.seeds(name)]:  # what readers import as they read is instrumented, too
            with suppress(Exception):
                fuzz_targets.check(name, seed)

    corpus = fuzz_targets.CORPUS / name
    places: set[str] = set()
    tried = 0
    begun = time.process_time()
    given = fuzz_targets.folder() / "seeds"
    given.mkdir()
    folders = [keep / name, given] if keep else [given]  # libFuzzer writes what is new to the first
    folders[0].mkdir(parents=True, exist_ok=True)
    corpus.parent.mkdir(exist_ok=True)
    seeds = fuzz_targets.seeds(name)
    for number, seed in enumerate(seeds):
        (given / str(number)).write_bytes(seed)

    def test(data: bytes) -> None:
        nonlocal tried
        tried += 1
        if time.process_time() - begun > seconds:
            print(f"TRIED {tried:,} inputs in {seconds} s", flush=True)
            os._exit(0)
        try:
            fuzz_targets.check(name, data)
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            ours = [frame for frame in frames if "llamax_cli" in frame.filename]
            place = f"{type(error).__name__} {ours[-1].filename}:{ours[-1].lineno}" if ours else str(error)
            if place not in places:
                places.add(place)
                corpus.mkdir(parents=True, exist_ok=True)
                (corpus / sha256(data).hexdigest()[:12]).write_bytes(data)
                print(f"FOUND {place} {str(error)[:120]!r} {data[:80]!r}", flush=True)

    # An input that hangs ends the search, by the clock, which a busy machine must not do.
    longest = 2 * max(map(len, [*seeds, bytes(2048)]))  # libFuzzer cuts what is longer
    options = [f"-max_len={longest}", "-rss_limit_mb=6000", "-timeout=120", "-report_slow_units=120"]
    options += [f"-artifact_prefix={corpus.parent}/{name}-"]
    atheris.Setup([sys.argv[0], *options, *map(str, folders)], test)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
