"""Fuzz readers of files by coverage, with atheris: python tests/fuzz/fuzz.py SECONDS [READER...].

Without names, each reader in turn. An input that raises what no reader documents is written to a folder of its reader
in tests/fuzz/corpus, one for each place in the code that raises; tests/test_fuzz.py reads these ever after. What ends
the process itself, such as a fault in a library in C, is left in tests/fuzz/corpus as READER-crash-*.
"""

import subprocess
import sys
import traceback
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE.parent)]


def main(seconds: int, names: list[str]) -> None:
    """Fuzz each reader in a process of its own, as one may kill it."""
    from support.fuzz_targets import READERS

    for name in names or READERS:
        command = [sys.executable, __file__, "--one", name, str(seconds)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        lines = [
            line for line in done.stdout.splitlines() if line.startswith(("stat::", "FOUND", "==")) or "DONE" in line
        ]
        print(f"{name}: exit code {done.returncode}; " + "; ".join(lines[-6:]), flush=True)


def one(name: str, seconds: int) -> None:
    """Fuzz one reader for some seconds."""
    import atheris

    with atheris.instrument_imports(include=["llamax_cli"]):
        from support import fuzz_targets

        for seed in [b"", *fuzz_targets.seeds(name)]:  # what readers import as they read is instrumented, too
            with suppress(Exception):
                fuzz_targets.check(name, seed)

    corpus = fuzz_targets.CORPUS / name
    places: set[str] = set()
    given = fuzz_targets.folder() / "seeds"
    given.mkdir()
    corpus.parent.mkdir(exist_ok=True)
    for number, seed in enumerate(fuzz_targets.seeds(name)):
        (given / str(number)).write_bytes(seed)

    def test(data: bytes) -> None:
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

    options = [
        f"-max_total_time={seconds}",
        "-max_len=4096",
        "-rss_limit_mb=6000",
        "-timeout=20",
        "-print_final_stats=1",
    ]
    options += [f"-artifact_prefix={corpus.parent}/{name}-"]
    atheris.Setup([sys.argv[0], *options, str(given)], test)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], int(sys.argv[3]))
    else:
        main(int(sys.argv[1]), sys.argv[2:])
