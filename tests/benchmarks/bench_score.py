"""The cost of scoring: sacreBLEU's API, segments beside directions, and the whole matrix of FLORES-101.

    SACREBLEU=FOLDER python tests/benchmarks/bench_score.py FLORES [--spm flores200] [--sources 102] [--workers 2]

FLORES is the folder of the devtest. Hypotheses are made from the references: a quarter of the words change places, one
in twenty is misspelt, the end is cut off. For each target language there are a few such versions, which directions into
it take in turn. Both sides of the comparison are timed in turn, in this process, on one core, in processor seconds;
both have already seen the references, as in all but 102 of 10,302 directions. The other figures are of whole processes.
"""

import argparse
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import sacrebleu.metrics
from measure import LLAMAX, flores, timed, worked

from llamax_cli.languages import languages
from llamax_cli.scoring.metrics import Metric, MetricSettings, load_metric

VARIANTS = 4
COMPARED = ("de", "en", "sw", "ar", "hi", "am", "th", "zh")


def edited(text: str, spaced: bool, draw: random.Random) -> str:
    """Return a text with the errors of a mediocre translation."""
    space = " " if spaced else ""
    words = text.split(" ") if spaced else list(text)
    for _ in range(len(words) // 4):
        one, other = draw.randrange(len(words)), draw.randrange(len(words))
        words[one], words[other] = words[other], words[one]
    words = words[: max(1, len(words) - draw.randrange(4))]
    for _ in range(-(-len(words) // 20)):
        place = draw.randrange(len(words))
        words[place] += words[place][:1]
    return space.join(words)


def corpus(folder: Path) -> tuple[dict[str, list[str]], dict[str, list[list[str]]]]:
    """Return the lines of each language and several edits of them."""
    lines, edits = flores(folder), {}
    for code, each in languages().items():
        draw = random.Random(code)
        edits[code] = [[edited(line, each.spaced, draw) for line in lines[code]] for _ in range(VARIANTS)]
    return lines, edits


def least(score: Callable[[list[str], list[str]], float], hypotheses: list[list[str]], references: list[str]) -> float:
    """Return the least processor seconds of a call with a new hypothesis; the first call does not count."""
    taken = []
    for hypothesis in hypotheses:
        taken.append(timed(lambda given=hypothesis: score(given, references))[0])
    return min(taken[1:])


def compare(spm: str, lines: dict[str, list[str]], edits: dict[str, list[list[str]]]) -> None:
    """Print the times of sacreBLEU and llamax for some languages."""
    makers = {
        "spbleu": lambda: sacrebleu.metrics.BLEU(tokenize=spm, force=True),
        "bleu": lambda: sacrebleu.metrics.BLEU(force=True),
        "chrf++": lambda: sacrebleu.metrics.CHRF(word_order=2),
    }
    for name, make in makers.items():
        own, other = load_metric(name, MetricSettings(spm=spm, tokenize="13a")), make()

        def ours(hypothesis: list[str], reference: list[str], own: Metric = own) -> float:
            return own.score(own.statistics("", hypothesis, reference).sum(axis=0))

        def theirs(hypothesis: list[str], reference: list[str], other: Any = other) -> float:
            return float(other.corpus_score(hypothesis, [reference]).score)

        rows = {code: [least(each, edits[code], lines[code]) for each in (theirs, ours)] for code in COMPARED}
        assert all(ours(edits[code][0], lines[code]) == theirs(edits[code][0], lines[code]) for code in COMPARED)
        middle = statistics.median(other / own for other, own in rows.values())
        shown = ", ".join(f"{code} {1000 * a:.0f}/{1000 * b:.0f}" for code, (a, b) in rows.items())
        print(f"{name:8}{middle:5.1f} times as fast (median); sacreBLEU/llamax, ms: {shown}")


def directions(
    sources: Iterable[str], targets: Iterable[str], lines: dict[str, list[str]], edits: dict[str, list[list[str]]]
) -> Iterator[bytes]:
    """Yield the lines of each direction."""
    pairs = ((source, target) for source in sources for target in targets if source != target)
    for count, (source, target) in enumerate(pairs, 1):
        columns = zip(lines[source], lines[target], edits[target][count % VARIANTS], strict=True)
        pair = {"src_lang": source, "tgt_lang": target}
        yield msgspec.json.Encoder().encode_lines(
            {"id": f"flores101/devtest:{number}", "src": src, "tgt": tgt, **pair, "mt": mt}
            for number, (src, tgt, mt) in enumerate(columns, 1)
        )


def by_segment(given: argparse.Namespace, lines: dict[str, list[str]], edits: dict[str, list[list[str]]]) -> None:
    """Print the processor seconds of `--segments` and of the scores of directions, for those after the first ones.

    The first 32 directions take the start and the words that are new.
    """
    command = [*LLAMAX, "score", "--spm", given.spm, "--workers", str(given.workers), "-q", "-o", os.devnull]
    others = [code for code in languages() if code not in COMPARED]
    taken = {}
    for flags in ((), ("--segments",)):
        for count in (4, 12):
            with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
                file.writelines(directions(others[:count], COMPARED, lines, edits))
                file.flush()
                taken[flags, count] = worked([*command, *flags, file.name])
    whole, single = (taken[flags, 12] - taken[flags, 4] for flags in ((), ("--segments",)))
    print(f"64 directions: {whole:.2f} s; --segments: {single:.2f} s, {single / whole:.1f} times")


def matrix(given: argparse.Namespace, lines: dict[str, list[str]], edits: dict[str, list[list[str]]]) -> None:
    """Print how long all directions out of `--sources` languages take; the records are made on the fly in a pipe."""
    command = [*LLAMAX, "score", "--spm", given.spm, "--workers", str(given.workers), "-o", os.devnull]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    count = 0
    for records in directions(list(languages())[: given.sources], languages(), lines, edits):
        count += 1
        process.stdin.write(records)
    process.stdin.close()
    _, _, usage = os.wait4(process.pid, 0)
    wall, used = time.perf_counter() - start, usage.ru_utime + usage.ru_stime
    print(
        f"{count:,} directions in {wall:.0f} s, {1000 * wall / count:.1f} ms each; {used:.0f} s of processors, "
        f"{1000 * used / count:.1f} ms each; {usage.ru_maxrss >> 10} MiB at most"
    )


def main() -> None:
    """Parse the arguments, make hypotheses, compare, run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("flores", type=Path)
    parser.add_argument("--spm", default="flores200")
    parser.add_argument("--sources", type=int, default=102, help="languages translated out of; 0 leaves the matrix out")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    lines, edits = corpus(given.flores)
    compare(given.spm, lines, edits)
    by_segment(given, lines, edits)
    if given.sources:
        matrix(given, lines, edits)


if __name__ == "__main__":
    main()
