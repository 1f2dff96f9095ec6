"""How runs with workers end when a signal reaches their process group, as a terminal sends it, at random moments.

python tests/benchmarks/bench_signals.py --tries 1000
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from measure import LLAMAX

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
MODES = ("once", "twice", "unread")  # unread: standard output is a pipe that nobody reads
WORDS = ("the", "house", "cat", "is", "black", "and", "runs", "over", "a", "long", "green", "river", "with", "friends")
LIMIT = 10.0  # seconds after which a run counts as hanging
LONGEST = 2.5  # seconds that a run may have before the signal


def write_inputs(folder: Path, records: int) -> None:
    """Write pairs with translations, and a lexicon."""
    draw = random.Random(0)
    with (folder / "pairs.jsonl").open("w") as file:
        for number in range(records):
            text = " ".join(draw.choices(WORDS, k=14))
            pair = {"id": f"x:{number}", "src": text, "tgt": f"{text} x", "src_lang": "en", "tgt_lang": "de"}
            file.write(json.dumps({**pair, "mt": text[:40]}) + "\n")
    (folder / "en-de.txt").write_text("".join(f"{word} {word}e\n" for word in WORDS))
    subprocess.run([*LLAMAX, "build-lexicon", "-q", "en-de.txt", "-o", "x.lex"], cwd=folder, check=True)


def processes_of(session: int) -> list[int]:
    """Return the processes of a session that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, sid = path.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(sid) == session and state != "Z":
            found.append(int(path.parent.name))
    return found


def attempt(command: list[str], folder: Path, number: int, mode: str, delay: float) -> tuple[str, float]:
    """Start a command, send the signal to its group after a while; return what was wrong, if anything, and seconds."""
    reader, writer = os.pipe()
    stdout = writer if mode == "unread" else subprocess.DEVNULL
    target = [] if mode == "unread" else ["-o", "out.jsonl"]
    process = subprocess.Popen(
        [*command, *target], cwd=folder, stdout=stdout, stderr=subprocess.PIPE, start_new_session=True
    )
    os.close(writer)
    time.sleep(delay)
    start = time.monotonic()
    try:
        os.killpg(process.pid, number)
        if mode == "twice":
            time.sleep(random.random() * 0.05)
            os.killpg(process.pid, number)
    except ProcessLookupError:
        pass
    try:
        _, said = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        for pid in processes_of(process.pid):
            os.kill(pid, signal.SIGKILL)
        _, said = process.communicate()
        os.close(reader)
        return f"hangs: {said.decode()[-1000:]}", LIMIT
    seconds = time.monotonic() - start
    os.close(reader)
    time.sleep(0.05)
    if left := processes_of(process.pid):
        return f"leaves {len(left)} processes", seconds
    if process.returncode not in (0, SIGNALS[number], -number):
        return f"exit code {process.returncode}: {said.decode()[-300:]}", seconds
    if said.count(b"\n") > 1:
        return f"says {said.decode()[-1500:]}", seconds
    return f"ended with {process.returncode}" if process.returncode <= 0 else "", seconds


def main() -> None:
    """Print how many runs ended otherwise than they should, and how long the others took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tries", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=60, help="Stop after so many, if the tries take longer.")
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random.seed(options.seed)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # commands inherit what is ignored: this under nohup,
    signal.signal(signal.SIGINT, signal.default_int_handler)  # and this in the background of a script
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["TMPDIR"] = name
        write_inputs(folder, options.records)
        files = ["pairs.jsonl", "--workers", "2", "-q"]
        commands = {
            "augment": ["augment", "--dict", "x.lex", "--copies", "9", *files],
            "langid": ["langid", *files],
            "mix": ["mix", "--para", "pairs.jsonl", "--aug", "pairs.jsonl", "--per-pair", "60000", *files[1:]],
            "score": ["score", "--metric", "bleu,chrf++", "--segments", *files],
        }
        lasts = {}
        for each, arguments in commands.items():
            start = time.monotonic()
            subprocess.run([*LLAMAX, *arguments, "-o", "/dev/null"], cwd=folder, check=True)
            lasts[each] = time.monotonic() - start
        print("seconds of a whole run:", {each: round(seconds, 2) for each, seconds in lasts.items()}, flush=True)
        wrong: Counter[str] = Counter()
        end = time.monotonic() + 60 * options.minutes
        times: list[float] = []
        for place in range(options.tries):
            each = random.choice([*commands])
            mode, number = random.choice(MODES), random.choice([*SIGNALS])
            delay = random.random() * min(LONGEST, lasts[each])
            outcome, seconds = attempt([*LLAMAX, *commands[each]], folder, number, mode, delay)
            times.append(seconds)
            what = f"{place}: {each} {mode} {signal.Signals(number).name} after {delay:.3f}"
            if seconds > 1:
                print(f"{what} took {seconds:.2f} s", flush=True)
            if outcome:
                wrong[outcome if outcome.startswith("ended") else f"{each}, {mode}: {outcome}"] += 1
                if not outcome.startswith("ended"):
                    print(f"{what}: {outcome}", flush=True)
            if time.monotonic() > end:
                break
        print(f"{len(times)} tries; longest {max(times):.2f} s, median {sorted(times)[len(times) // 2]:.3f} s")
        print(f"{sum(seconds > 2 for seconds in times)} took more than 2 s")
        for outcome, count in sorted(wrong.items()):
            print(f"{count:5} {outcome}")


if __name__ == "__main__":
    sys.exit(main())
