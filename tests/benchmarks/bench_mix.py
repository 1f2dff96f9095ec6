"""The cost of a mixture: pairs and tokens per second, and memory and temporary disk space by the size of the corpus.

    python tests/benchmarks/bench_mix.py [--pairs 2000000] [--millions 1,5,20] [--data ../shared/data] [--folder FOLDER]
    python tests/benchmarks/bench_mix.py --duckdb 1,5 [--peers PYTHON] [--before CHECKOUT] [--folder FOLDER]

The pairs are made up: English with ten languages, 160 bytes per record, one in 25 a duplicate. FLORES-101 is excluded
if `--data` has it. Memory is the peak of the sum of the proportional set sizes (PSS) of all processes. With `--pairs 0`
nothing is measured but `--millions`. Baselines: GNU shuf and sort -R on the same bytes, which neither parse nor remove
duplicates, and Hugging Face's `interleave_datasets` over ten small streams.

With `--duckdb` nothing is measured but one worker beside a query of DuckDB that does the same on as many million pairs:
duplicates out, each pair turned or not, everything shuffled and written as samples. With the Python of an environment
that has polars, that is asked for the same. Seconds are those of processors, of whole processes, medians of rounds in
turn; memory is the peak of the resident set. `--before` is another checkout of llamax, to be measured beside this one.
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from measure import DATA, LLAMAX, Peak, environment, seconds, timed

from llamax_cli.tokenization import load

MIX = [*LLAMAX, "mix", "-q"]
CODES = "de", "fr", "es", "ru", "th", "hi", "sw", "yo", "zu", "it"
INTERLEAVE = """
import sys
from datasets import interleave_datasets, load_dataset
streams = [load_dataset("json", data_files=path, split="train", streaming=True) for path in sys.argv[1:]]
with open("/dev/null", "w") as out:
    for row in interleave_datasets(streams, seed=1, stopping_strategy="all_exhausted"):
        out.write(str(row))
"""
# The same work, but not the same mixture: hash() is DuckDB's, and polars has its own.
DUCKDB = """
import duckdb, sys
source, target, memory = sys.argv[1:]
connection = duckdb.connect(config={"threads": 1, **({"memory_limit": memory} if memory else {})})
columns = "{id: 'VARCHAR', src: 'VARCHAR', tgt: 'VARCHAR', src_lang: 'VARCHAR', tgt_lang: 'VARCHAR'}"
connection.execute(f\"\"\"COPY (
    SELECT '' AS prompt, if(flip, tgt || ' ' || src, src || ' ' || tgt) AS completion, id, 'para' AS origin,
           if(flip, tgt_lang, src_lang) AS src_lang, if(flip, src_lang, tgt_lang) AS tgt_lang
    FROM (SELECT src, tgt, src_lang, tgt_lang, min(id) AS id, hash(src, tgt) % 2 = 0 AS flip
          FROM read_json('{source}', format = 'newline_delimited', columns = {columns})
          GROUP BY src, tgt, src_lang, tgt_lang)
    ORDER BY hash(id)) TO '{target}' (FORMAT json)\"\"\")
"""
POLARS = """
import polars as pl, sys
source, target = sys.argv[1:]
col, pair = pl.col, ["src", "tgt", "src_lang", "tgt_lang"]
flip = pl.struct("src", "tgt").hash() % 2 == 0
turned = lambda one, other: pl.when(flip).then(other).otherwise(one)
(
    pl.scan_ndjson(source, schema=dict.fromkeys(["id", *pair], pl.String))
    .group_by(pair)
    .agg(col("id").min())
    .sort(col("id").hash())
    .select(
        pl.lit("").alias("prompt"),
        turned(col("src") + " " + col("tgt"), col("tgt") + " " + col("src")).alias("completion"),
        "id",
        pl.lit("para").alias("origin"),
        turned(col("src_lang"), col("tgt_lang")).alias("src_lang"),
        turned(col("tgt_lang"), col("src_lang")).alias("tgt_lang"),
    )
    .sink_ndjson(target)
)
"""


def corpus(path: Path, count: int) -> Path:
    """Write `count` pairs and return their path."""
    draw = random.Random(1)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 8))) for _ in range(4000)]
    phrases = [" ".join(draw.choices(words, k=4)) for _ in range(4096)]
    tails = [f'","src_lang":"en","tgt_lang":"{code}"}}\n' for code in CODES]
    with path.open("w") as file:
        for start in range(0, count, 1 << 16):
            rows = []
            for n in range(start, min(count, start + (1 << 16))):
                m = n if n % 25 else n // 2  # one in 25 is a duplicate
                one, two, three = phrases[m & 4095], phrases[m >> 6 & 4095], phrases[m * 7 >> 3 & 4095]
                rows.append(f'{{"id":"c:{n}","src":"{m} {one} {two}.","tgt":"{three} é {m}.{tails[m % 10]}')
            file.write("".join(rows))
    return path


def speed(folder: Path, count: int, excluded: list[str], rounds: int) -> None:
    """Print pairs per second of wall time, and processor time per pair."""
    path = corpus(folder / "pairs.jsonl", count)
    mix = [*MIX, "--para", str(path), "-o", str(folder / "out.jsonl")]
    rows = {
        "mix, 1 worker": mix,
        "mix, 2 workers": [*mix, "--workers", "2"],
        "mix, 2 workers, FLORES-101 excluded": [*mix, "--workers", "2", *excluded],
        "shuf": ["shuf", str(path), "-o", str(folder / "out.jsonl")],
        "sort -R": ["sort", "-R", "--parallel=2", str(path), "-o", str(folder / "out.jsonl")],
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in rows}
    for _ in range(rounds):
        for name, command in rows.items():
            times[name].append(seconds(command, LC_ALL="C"))
    print(f"{count:,} pairs, {path.stat().st_size / count:.0f} bytes each; medians of {rounds} rounds in turn")
    print(f"{'':40}{'pairs/s':>12}{'processor':>14}")
    for name, found in times.items():
        wall, used = (statistics.median(each) for each in zip(*found, strict=True))
        print(f"{name:40}{count / wall:>12,.0f}{1e6 * used / count:>11.2f} us")
    small = [str(corpus(folder / f"{code}.jsonl", 2000)) for code in CODES]
    wall, used = seconds([sys.executable, "-c", INTERLEAVE, *small], HF_HOME=str(folder / "hf"))
    print(f"{'interleave_datasets, 20,000 rows':40}{20_000 / wall:>12,.0f}{1e6 * used / 20_000:>11.2f} us")


def engines(folder: Path, millions: int, python: str, before: Path | None, rounds: int) -> None:
    """Print processor seconds and peak memory of one worker, and of other engines that shuffle the same pairs."""
    source, target = corpus(folder / "pairs.jsonl", millions * 1_000_000), folder / "out.jsonl"
    mix = [*MIX, "--para", str(source), "-o", str(target)]
    commands = {
        "mix, 1 worker": mix,
        "DuckDB, 1 thread": [python, "-c", DUCKDB, str(source), str(target), ""],
        "DuckDB, 1 thread, memory_limit 150MB": [python, "-c", DUCKDB, str(source), str(target), "150MB"],
        "polars, 1 thread": [python, "-c", POLARS, str(source), str(target)],
        **({"mix before, 1 worker": mix} if before else {}),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            path = {"PYTHONPATH": str(before)} if "before" in name else {}
            variables = environment(POLARS_MAX_THREADS="1", TMPDIR=str(folder), **path)
            silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
            process = subprocess.Popen(command, env=variables, cwd=folder, **silent)
            assert process.stderr is not None
            said = process.stderr.read().decode()
            _, status, usage = os.wait4(process.pid, 0)
            if status == 0:
                found[name].append((usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))
            else:
                print(f"{name} failed: {said.strip().splitlines()[-1]}")
            target.unlink(missing_ok=True)
    print(f"{millions} million pairs, {source.stat().st_size / 1e6:.0f} MB; medians of {rounds} rounds in turn")
    peer = found["DuckDB, 1 thread"]
    for name, results in found.items():
        if len(results) == len(peer):
            ratio = statistics.median(own[0] / other[0] for own, other in zip(results, peer, strict=True))
            used, memory = (statistics.median(each) for each in zip(*results, strict=True))
            print(f"{name:40}{used:>8.2f} s{ratio:>8.2f} of DuckDB{memory:>10.1f} MiB", flush=True)


def blocks(folder: Path, data: Path) -> None:
    """Print tokens per second with blocks of 512, and of the tokenizer alone on the same texts."""
    texts = []
    for file in sorted((data / "flores101" / "devtest").glob("*.devtest")):
        lines = file.read_text(encoding="utf-8").split("\n")
        texts += [" ".join(lines[start : start + 100]) for start in range(0, 1000, 100)]
    path = folder / "texts.jsonl"
    path.write_text(
        "".join(json.dumps({"id": str(n), "text": text, "lang": "en"}) + "\n" for n, text in enumerate(texts))
    )
    for name in ("llama2", "llama3"):
        tokenizer = load(data / "tokenizers" / name)
        alone, tokens = timed(lambda count=tokenizer.count: sum(map(count, texts)))
        mix = [*MIX, "--mono", str(path), "--mono-block", "512", "--tokenizer", str(data / "tokenizers" / name)]
        for workers in (1, 2):
            wall, used = seconds([*mix, "--workers", str(workers)])
            rates = [f"{tokens / each:,.0f}" for each in (wall, used, alone)]
            print(
                f"blocks of 512, {name}, {workers} workers: tokens/s {rates[0]} by the clock, {rates[1]} of processor"
            )
            print(f"    the tokenizer alone {rates[2]}")


def memory(folder: Path, millions: int, excluded: list[str]) -> None:
    """Print time, peak memory of all processes and peak of the disk used beside a corpus of some million records."""
    path = corpus(folder / "many.jsonl", millions * 1_000_000)
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    output = folder / "mix.jsonl"
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(
        [*MIX, "--para", str(path), "--workers", "2", *excluded, "-o", str(output)],
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    peak, temporary_peak, disk_peak = Peak(process.pid), 0, 0
    peak.start()
    while process.poll() is None:
        in_temporary, in_output = _on_disk(temporary.glob("*/*")), _on_disk(folder.glob("mix.jsonl*"))
        temporary_peak, disk_peak = max(temporary_peak, in_temporary), max(disk_peak, in_temporary + in_output)
        time.sleep(0.2)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"{millions:>3} million records, {path.stat().st_size / 1e9:.1f} GB: {wall:.0f} s, {used:.0f} s of processors, "
        f"{peak.bytes / 1e6:.0f} MB of memory, {temporary_peak / 1e9:.1f} GB of temporary files, with the output "
        f"{disk_peak / 1e9:.1f} GB, exit {process.returncode}",
        flush=True,
    )
    path.unlink()
    output.unlink(missing_ok=True)


def _on_disk(paths: Iterable[Path]) -> int:
    total = 0
    for path in paths:
        with suppress(OSError):  # it may have been deleted
            total += path.stat().st_blocks * 512
    return total


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--millions", default="1,5,20")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--folder", type=Path, help="where the files go; needs 40 GB for 50 million pairs")
    parser.add_argument("--duckdb", metavar="MILLIONS", default="")
    parser.add_argument("--peers", metavar="PYTHON", default=sys.executable)
    parser.add_argument("--before", metavar="CHECKOUT", type=Path)
    given = parser.parse_args()
    flores = Path(given.data) / "flores101"
    excluded = ["--exclude", str(flores)] if flores.is_dir() else []
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        for millions in filter(None, given.duckdb.split(",")):
            engines(folder, int(millions), given.peers, given.before, given.rounds)
        if given.duckdb:
            return
        if given.pairs:
            speed(folder, given.pairs, excluded, given.rounds)
        if given.pairs and excluded:
            blocks(folder, Path(given.data))
        for millions in filter(None, given.millions.split(",")):
            memory(folder, int(millions), excluded)


if __name__ == "__main__":
    main()
