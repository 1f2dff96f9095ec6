"""Processor time of mix for near duplicates, and of datatrove's MinHash for the same documents.

    python -m venv datatrove && datatrove/bin/pip install 'datatrove[io,processing]' spacy
    python tests/benchmarks/bench_near.py --datatrove datatrove/bin/python [--documents 10000] [--data ../shared/data]

Documents are one to eight English sentences of FLORES-101 and NTREX-128; three of ten are an earlier document with up
to a twelfth of its words replaced. datatrove runs its four steps one after the other, each with one worker, with its
own settings: word 5-grams, 14 bands of 8 hashes, near from about 0.72 on, by the bands alone. llamax compares character
5-grams from 0.8 on, by bands and then by the 5-grams themselves. Both read and write JSON lines.
"""

import argparse
import json
import random
import shutil
import tempfile
from pathlib import Path

from measure import DATA, LLAMAX, worked

PEER = """
import sys
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
folder, config = sys.argv[1], MinhashConfig()
read, write = JsonlReader(f"{folder}/in"), JsonlWriter(f"{folder}/out", compression=None)
steps = [
    [read, MinhashDedupSignature(output_folder=f"{folder}/signatures", config=config)],
    [MinhashDedupBuckets(f"{folder}/signatures", f"{folder}/buckets", config=config)],
    [MinhashDedupCluster(f"{folder}/buckets", f"{folder}/removed", config=config)],
    [read, MinhashDedupFilter(f"{folder}/removed"), write],
]
for number, pipeline in enumerate(steps):
    tasks = config.num_buckets if number == 1 else 1
    LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=f"{folder}/logs/{number}").run()
"""


def documents(data: Path, count: int) -> list[str]:
    """Return documents, of which some are nearly the same."""
    lines = [
        line
        for name in ("flores101/devtest/eng.devtest", "ntrex128/NTREX-128/newstest2019-src.eng.txt")
        for line in (data / name).read_text(encoding="utf-8").replace("\r", "").split("\n")[:-1]
    ]
    draw, words, made = random.Random(1), " ".join(lines).split(), list[str]()
    while len(made) < count:
        if made and draw.random() < 0.3:
            text = draw.choice(made).split(" ")
            for _ in range(draw.randint(0, len(text) // 12)):
                text[draw.randrange(len(text))] = draw.choice(words)
            made.append(" ".join(text))
        else:
            made.append(" ".join(draw.choices(lines, k=draw.randint(1, 8))))
    return made


def count_lines(folder: Path) -> int:
    """Return how many lines the files of a folder have."""
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("*.jsonl"))


def main() -> None:
    """Print a row for mix without near duplicates, for mix with them, and for datatrove."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datatrove", required=True, help="a Python that has datatrove and spaCy")
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    made = documents(options.data, options.documents)
    for count in (10, options.documents):  # the first shows what starting takes
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "in").mkdir()
            given = folder / "in" / "documents.jsonl"
            records = [{"id": f"d:{number}", "text": text, "lang": "en"} for number, text in enumerate(made[:count])]
            given.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
            mix = [*LLAMAX, "mix", "-q", "--mono", str(given), "--copies", "1", "-o", str(folder / "out" / "out.jsonl")]
            lines = {
                "mix": mix,
                "mix --near-duplicates 0.8": [*mix, "--near-duplicates", "0.8"],
                "datatrove": [options.datatrove, "-c", PEER, str(folder)],
            }
            print(f"{count:,} documents, processor seconds")
            for shown, line in lines.items():
                shutil.rmtree(folder / "out", ignore_errors=True)
                (folder / "out").mkdir()
                print(f"{shown:28}{worked(line):>8.1f} s{count_lines(folder / 'out'):>9,} kept", flush=True)


if __name__ == "__main__":
    main()
