"""What reading and writing cost, against a bare msgspec loop over the same file, and how memory grows with the input.

    python tests/benchmarks/bench_streams.py [--records 400000] [--gigabytes 1] [--peers PYTHON]
    python tests/benchmarks/bench_streams.py --manifests

With the Python of an environment that has DuckDB and polars, records in and out are measured beside these, too: all
languages of FLORES-101 devtest, three times.

The bare loop decodes and encodes each line and nothing else: no checks, no line numbers, no counts. All times are user
and system seconds of whole processes, start-up included, medians of several runs taken in turn.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import DATA, LLAMAX, ROOT, worked

BARE = """
import sys, msgspec
decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
with open(sys.argv[1], "rb") as lines, open("/dev/null", "wb") as out:
    for line in lines:
        out.write(encode(decode(line)) + b"\\n")
"""
DUCKDB = """
import duckdb, sys
source, target = sys.argv[1:]
connection = duckdb.connect(config={"threads": 1})
connection.execute(f"COPY (SELECT * FROM read_json_auto('{source}')) TO '{target}' (FORMAT json)")
"""
POLARS = "import polars, sys; polars.scan_ndjson(sys.argv[1]).sink_ndjson(sys.argv[2])"
FILTERS = str(ROOT / "tests" / "support" / "filters.py")


def corpus(folder: Path, count: int) -> tuple[list[str], Path, Path]:
    """Write the same pairs as Moses files, as translation lines and as records; return their paths."""
    english = [
        f"Sentence {n}: the “quick” brown fox jumps over {n % 97} lazy dogs, goes home, and sleeps until "
        f"somebody who read about it in the newspaper comes by and asks for number {n}."
        for n in range(count)
    ]
    chinese = [
        f"第{n}句：敏捷的棕色狐狸跳过了{n % 97}只懒狗，然后回家睡觉，直到有人读到这件事并打电话来问第{n}号的情况。"
        for n in range(count)
    ]
    for code, lines in (("en", english), ("zh", chinese)):
        (folder / f"bench.{code}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    moses = [str(folder / "bench.en"), str(folder / "bench.zh")]
    records, lines = folder / "bench.jsonl", folder / "bench.hf.jsonl"
    subprocess.run([*LLAMAX, "convert", "-q", *moses, "-o", records], check=True)
    subprocess.run([*LLAMAX, "convert", "-q", records, "--as", "hf", "-o", lines], check=True)
    return moses, records, lines


def speed(folder: Path, count: int, rounds: int) -> None:
    """Print the time of each way of reading and writing as a multiple of the bare loop's over the file it writes."""
    moses, records, lines = corpus(folder, count)
    texts = folder / "texts.jsonl"
    subprocess.run([*LLAMAX, "convert", "-q", moses[0], "-o", texts], check=True)
    convert = [*LLAMAX, "convert", "-q"]
    rows: dict[str, tuple[Path, list[str]]] = {
        "Moses files to records": (records, [*convert, *moses]),
        "records to records": (records, [*convert, str(records)]),
        "translation lines to records": (lines, [*convert, str(lines)]),
        "records to translation lines": (records, [*convert, str(records), "--as", "hf"]),
        "a filter that does nothing": (texts, [sys.executable, FILTERS, "pass-on", "-q", str(texts)]),
    }
    print(f"{count:,} records, {records.stat().st_size / count:.0f} bytes each; medians of {rounds} rounds in turn")
    print(f"{'':32}{'records/s':>12}{'bare loop':>12}{'ratio':>8}")
    for name, (path, command) in rows.items():
        pairs = [(worked(command), worked([sys.executable, "-c", BARE, str(path)])) for _ in range(rounds)]
        own, bare = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(own / bare for own, bare in pairs)
        print(f"{name:32}{count / own:>12,.0f}{count / bare:>12,.0f}{ratio:>8.2f}")


def manifests(folder: Path, count: int, rounds: int) -> None:
    """Print what `--manifest` adds to runs: the hashes of what is read, and of the output, which is read once more."""
    moses, records, _ = corpus(folder, count)
    dictionary, target, manifest = folder / "en-zh.txt", folder / "out.jsonl", folder / "manifest.json"
    dictionary.write_text("quick 敏捷\nbrown 棕色\nfox 狐狸\ndogs 狗\n", encoding="utf-8")
    lexicon, quiet = folder / "small.lex", ["-q", "-o", str(target)]
    subprocess.run([*LLAMAX, "build-lexicon", "-q", dictionary, "-o", lexicon], check=True)
    rows: dict[str, list[str]] = {
        "convert, records to records": [*LLAMAX, "convert", str(records), *quiet],
        "convert, Moses files to records": [*LLAMAX, "convert", *moses, *quiet],
        "a filter that does nothing": [sys.executable, FILTERS, "pass-on", str(records), *quiet],
        "augment": [*LLAMAX, "augment", str(records), "--dict", str(lexicon), *quiet],
        "mix": [*LLAMAX, "mix", "--para", str(records), *quiet],
    }
    print(f"{count:,} records, {records.stat().st_size / 1e6:.0f} MB; medians of {rounds} rounds in turn")
    print(f"{'':32}{'without':>10}{'manifest':>10}{'ratio':>8}")
    for name, command in rows.items():
        pairs = [(worked(command), worked([*command, "--manifest", str(manifest)])) for _ in range(rounds)]
        without, with_manifest = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(after / before for before, after in pairs)
        print(f"{name:32}{without:>8.2f} s{with_manifest:>8.2f} s{ratio:>8.2f}")


def memory(gigabytes: float) -> None:
    """Print the peak memory of a filter for growing inputs, made on the fly in a pipe."""
    line = json.dumps({"id": "x", "text": "word " * 60, "lang": "en"}) + "\n"
    for size in (1 << 20, 1 << 27, int(gigabytes * (1 << 30))):
        producer = f"import sys; w = sys.stdout.write\nfor _ in range({size // len(line)}): w({line!r})"
        source = subprocess.Popen([sys.executable, "-c", producer], stdout=subprocess.PIPE)
        command = [sys.executable, FILTERS, "pass-on", "-q"]
        sink = subprocess.Popen(command, stdin=source.stdout, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(sink.pid, 0)
        source.wait()
        print(f"memory at {size / (1 << 20):>8,.0f} MiB of input: {usage.ru_maxrss / 1024:6.1f} MiB (exit {status})")


def peers(folder: Path, python: str, rounds: int) -> None:
    """Print the seconds of records in and out, of llamax and of others, and their peak memory."""
    once, source, target = folder / "once.jsonl", folder / "flores.jsonl", folder / "out.jsonl"
    subprocess.run([*LLAMAX, "convert", "-q", DATA / "flores101" / "devtest", "--mono", "*", "-o", once], check=True)
    with source.open("wb") as file:  # without reading it: a child starts with the memory of this process
        for _ in range(3):
            with once.open("rb") as lines:
                shutil.copyfileobj(lines, file)
    commands: dict[str, list[str | Path]] = {
        "convert": [*LLAMAX, "convert", "-q", source, "-o", target],
        "a filter that does nothing": [sys.executable, FILTERS, "pass-on", "-q", source, "-o", target],
        "DuckDB, one thread": [python, "-c", DUCKDB, source, target],
        "polars, one thread": [python, "-c", POLARS, source, target],
    }
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            found[name].append(worked(command, POLARS_MAX_THREADS="1"))
            target.unlink()
    for name, times in found.items():
        ratio = statistics.median(own / peer for own, peer in zip(times, found["DuckDB, one thread"], strict=True))
        _, status, usage = os.wait4(subprocess.Popen(commands[name]).pid, 0)
        assert status == 0, name
        print(f"{name:32}{statistics.median(times):>6.2f} s{ratio:>8.2f} of DuckDB{usage.ru_maxrss / 1024:>8.1f} MiB")


def main() -> None:
    """Parse, make the corpus, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--peers", metavar="PYTHON")
    parser.add_argument("--manifests", action="store_true", help="measure only what --manifest adds")
    given = parser.parse_args()
    if given.manifests:
        with tempfile.TemporaryDirectory() as folder:
            manifests(Path(folder), given.records, given.rounds)
        return
    memory(given.gigabytes)  # first: a child starts with the memory of the process that made it
    with tempfile.TemporaryDirectory() as folder:
        if given.peers:
            peers(Path(folder), given.peers, given.rounds)
        speed(Path(folder), given.records, given.rounds)


if __name__ == "__main__":
    main()
