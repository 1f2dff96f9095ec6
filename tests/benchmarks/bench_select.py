"""Choosing among candidates by minimum Bayes risk, compared with the package mbrs: the cost, and the choices.

    python -m venv mbr && mbr/bin/pip install 'setuptools<81' mbrs
    python tests/benchmarks/bench_select.py --mbrs mbr/bin/python [--segments 200] [--candidates 32] [--metric chrf]

Candidates are made of the references of FLORES-101 in eight languages by a few errors each: words that change places,
misspelt words, an end that is cut off. Both programs read the same candidates from a file, one after the other; times
are processor seconds of whole processes and their children, with start-up. mbrs computes chrF in Rust (fastchrf), and
the others with sacreBLEU, in one process besides its own. Where it chooses other candidates, it is printed how much
lower their utilities are.
"""

import argparse
import json
import os
import random
import tempfile
from pathlib import Path
from typing import Any

from measure import DATA, LLAMAX, flores, worked

from llamax_cli.languages import languages
from llamax_cli.scoring.candidate_choice import mean_utilities
from llamax_cli.scoring.metrics import MetricSettings, load_metric

LANGUAGES = ("de", "en", "sw", "ar", "hi", "am", "th", "zh")
METRICS = {
    "chrf": ["--metric", "chrf", "--metric.fastchrf", "true"],
    "chrf++": ["--metric", "chrf", "--metric.word_order", "2", "--metric.num_workers", "1"],
    "bleu": ["--metric", "bleu", "--metric.num_workers", "1"],
}


def candidate(text: str, spaced: bool, draw: random.Random) -> str:
    """Return a text with up to six errors."""
    space = " " if spaced else ""
    words = text.split(" ") if spaced else list(text)
    for _ in range(draw.randrange(7)):
        place, other = draw.randrange(len(words)), draw.randrange(len(words))
        way = draw.randrange(3)
        if way == 0:
            words[place], words[other] = words[other], words[place]
        elif way == 1:
            words[place] += words[place][-1:]
        else:
            words = words[: max(1, len(words) - draw.randrange(3))]
    return space.join(words)


def write_candidates(folder: Path, data: Path, segments: int, count: int) -> list[list[str]]:
    """Write the candidates as records and as lines, and return them."""
    lines, draw = flores(data / "flores101" / "devtest"), random.Random(1)
    groups = []
    with (folder / "candidates.jsonl").open("w") as records, (folder / "candidates.txt").open("w") as texts:
        for number in range(segments):
            code = LANGUAGES[number % len(LANGUAGES)]
            source, reference = lines["fr"][number], lines[code][number]
            group = [candidate(reference, languages()[code].spaced, draw) for _ in range(count)]
            for rank, text in enumerate(group, 1):
                segment = {"id": f"flores101/devtest:{number}", "src": source, "src_lang": "fr", "tgt_lang": code}
                records.write(json.dumps({**segment, "mt": text, "candidate": rank}, ensure_ascii=False) + "\n")
                texts.write(text + "\n")
            groups.append(group)
    return groups


def compare(name: str, python: str, folder: Path, groups: list[list[str]]) -> None:
    """Print the cost of both programs, and how many choices are the same."""
    ours = [*LLAMAX, "score", "--select", "best", "--metric", name, "--tokenize", "13a", "-q"]
    theirs = [python, "-m", "mbrs.cli.decode", folder / "candidates.txt", "-n", str(len(groups[0])), "--quiet"]
    own = worked([*ours, folder / "candidates.jsonl", "-o", folder / "ours"], OMP_NUM_THREADS="1")
    other = worked(
        [*theirs, "--format", "json", "-o", folder / "theirs", *METRICS[name]],
        OMP_NUM_THREADS="1",
        PYTHONPATH="",
    )
    chosen = [json.loads(line)["mt"] for line in (folder / "ours").read_text().splitlines()]
    others = [json.loads(line)["selected_idx"] for line in (folder / "theirs").read_text().splitlines()]
    metric: Any = load_metric(name, MetricSettings((name,), tokenize="13a"))
    gaps = []
    for group, mine, their in zip(groups, chosen, others, strict=True):
        if mine != group[their]:
            utilities = mean_utilities(metric, "", group)
            gaps.append(utilities[group.index(mine)] - utilities[their])
    shown = f"; {len(gaps)} others, whose utilities are less by {max(gaps):.1g} at most" if gaps else ""
    same = len(groups) - len(gaps)
    print(
        f"{name:7} llamax {own:6.1f} s, mbrs {other:6.1f} s, {other / own:5.1f} times; {same} choices the same{shown}"
    )


def main() -> None:
    """Parse the arguments, make candidates, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mbrs", required=True, help="a Python that has mbrs")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--segments", type=int, default=200)
    parser.add_argument("--candidates", type=int, default=32)
    parser.add_argument("--metric", choices=METRICS, action="append")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        groups = write_candidates(Path(folder), given.data, given.segments, given.candidates)
        for name in given.metric or METRICS:
            compare(name, given.mbrs, Path(folder), groups)


if __name__ == "__main__":
    main()
