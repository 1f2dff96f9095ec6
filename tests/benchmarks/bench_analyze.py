"""How long the analyses take: corpora, fertility against the tokenizer itself, models of 7B, and lexicons.

    python tests/benchmarks/bench_analyze.py [NAME,...] [--lexicon TEN_MILLION.lex]

Names are corpus, fertility, models and lexicons; by default all. The lexicon is one that bench_lexicon.py --keep left.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from measure import DATA, LLAMAX, Peak, flores, seconds, timed, worked

ROUNDS = 5
ROWS, WIDTH = 32_000, 4_096  # of LLaMA-2 7B's embeddings
SOURCES = ("en", "de", "fr", "zh", "sw", "hi", "ru", "es", "ar", "tr")  # each with 101 others: 1.02 million pairs


def write_model(folder: Path, seed: int) -> Path:
    """Write a model that has embeddings of LLaMA-2's size and nothing else."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir()
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(ROWS, WIDTH, generator=generator).bfloat16()
    save_file({"model.embed_tokens.weight": rows}, folder / "model.safetensors")
    config = {"model_type": "llama", "vocab_size": ROWS, "hidden_size": WIDTH}
    (folder / "config.json").write_text(json.dumps(config))
    shutil.copy(DATA / "tokenizers" / "llama2" / "tokenizer.model", folder)
    return folder


def corpus(folder: Path) -> None:
    """Print pairs a second, beside a loop that decodes every line and does nothing else, and peak memory."""
    pairs, larger = folder / "pairs.jsonl", folder / "larger.jsonl"
    directions = ",".join(f"{source}-*" for source in SOURCES)
    seconds([*LLAMAX, "convert", DATA / "flores101" / "devtest", "--pairs", directions, "-o", pairs])
    data = pairs.read_bytes()
    larger.write_bytes(data * 4)
    decode = msgspec.json.Decoder(dict[str, str]).decode_lines
    lines = data.count(b"\n")
    loop, _ = timed(lambda: [len(decode(data[start:end])) for start, end in blocks(data)])
    print(f"corpus: {lines:,} pairs, {len(data) / 1e6:.0f} MB; the loop {lines / loop:,.0f} pairs/s")
    for workers in ("1", "2"):
        wall, worked = seconds([*LLAMAX, "analyze", "corpus", pairs, "--workers", workers])
        print(
            f"corpus, {workers} workers: {lines / wall:,.0f} pairs/s by the clock, {worked / lines * 1e6:.1f} us a pair"
        )
    for path, what in ((pairs, "pairs"), (larger, "pairs, four times")):
        process = subprocess.Popen([*LLAMAX, "analyze", "corpus", path, "-q"], stdout=subprocess.DEVNULL)
        peak = Peak(process.pid)
        peak.start()
        process.wait()
        peak.join()
        print(f"corpus, {what}: {peak.bytes / 1e6:.0f} MB at most")


def blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where blocks of whole lines begin and end, of about the size in which a run reads them."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + (1 << 17)) + 1 or len(data)
        yield start, end
        start = end


def fertility(folder: Path) -> None:
    """Print the seconds of one worker against a loop over the same texts that only encodes them, medians in turn."""
    from llamax_cli.tokenization import load

    lines = [line for texts in flores().values() for line in texts]
    corpora = {"the folder": DATA / "flores101" / "devtest", "records": folder / "texts.jsonl"}
    worked([*LLAMAX, "convert", corpora["the folder"], "--mono", "*", "-o", corpora["records"]])
    for name in ("llama2", "llama3"):
        path = DATA / "tokenizers" / name
        counter = load(path).count
        ratios: dict[str, list[float]] = {corpus: [] for corpus in corpora}
        for _ in range(ROUNDS):
            loop, _ = timed(lambda counter=counter: [counter(line) for line in lines])
            for corpus, source in corpora.items():
                ratios[corpus].append(worked([*LLAMAX, "analyze", "fertility", "--tokenizer", path, source]) / loop)
        for corpus, found in ratios.items():
            rounds = ", ".join(f"{ratio:.2f}" for ratio in found)
            print(f"fertility, {name}, {corpus}: {statistics.median(found):.2f} times the loop ({rounds})")


def models(folder: Path) -> None:
    """Print seconds and memory of representation and shift."""
    base, tuned = write_model(folder / "base", 0), write_model(folder / "tuned", 1)
    calls = {
        "representation": ["--model", base, DATA / "flores101" / "devtest"],
        "shift": ["--base", base, "--tuned", tuned],
    }
    for name, arguments in calls.items():
        start = time.perf_counter()
        seconds([*LLAMAX, "analyze", name, *arguments])
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        print(f"{name}: {time.perf_counter() - start:.0f} s; the largest process so far had {peak:.1f} GB")


def lexicons(folder: Path, large: Path | None) -> None:
    """Print seconds and memory of the comparison of the real dictionaries, and of a large lexicon."""
    stores = [folder / f"{name}.lex" for name in ("muse", "panlex", "gatitos")]
    for store in stores:
        seconds([*LLAMAX, "build-lexicon", DATA / store.stem, "-o", store, "--rejects", folder / "bad.jsonl"])
    corpus = folder / "texts.jsonl"
    languages = "ar,bn,de,en,es,fa,fr,hi,id,it,ja,ko,ro,ru,ta,th,tr,vi,zh,zhtrad"
    seconds([*LLAMAX, "convert", DATA / "flores101" / "devtest", "--mono", languages, "-o", corpus])
    model = write_model(folder / "model", 0)
    calls = {
        "three lexicons": stores,
        "the largest": stores[:1],
        "the largest, and a corpus of 20 languages": [stores[0], "--corpus", corpus],
        "the largest, and a model": [stores[0], "--model", model],
        "the largest, and a model, Thai and Chinese": [stores[0], "--model", model, "--only", "th,zh"],
        **({"ten million translations": [large]} if large else {}),
    }
    for name, arguments in calls.items():
        process = subprocess.Popen([*LLAMAX, "analyze", "lexicon", *arguments, "-o", folder / "out.jsonl", "-q"])
        peak = Peak(process.pid)
        peak.start()
        _, status, used = os.wait4(process.pid, 0)
        assert status == 0, name
        print(f"{name}: {used.ru_utime + used.ru_stime:.1f} processor seconds, {peak.bytes / 1e6:,.0f} MB")


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="?", default="corpus,fertility,models,lexicons")
    parser.add_argument("--lexicon", type=Path)
    given = parser.parse_args()
    parts = {"corpus": corpus, "fertility": fertility, "models": models}
    parts["lexicons"] = lambda folder: lexicons(folder, given.lexicon)
    with tempfile.TemporaryDirectory() as name:
        for each in given.names.split(","):
            parts[each](Path(name))
