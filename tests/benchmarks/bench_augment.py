"""What code-switching costs: pairs a second, memory, and the figures of Chinese, Thai and Japanese sources.

    python tests/benchmarks/bench_augment.py [--sentences 200000] [--copies 10] [--rounds 3]

Sentences are real ones (LLAMAX_TEST_DATA) cut and joined to about 25 words. The baseline does what the scripts of
others do: plain lines in and out, whole dictionaries in memory, one draw of `random` a word, the translation of a word
in a language drawn at random, no phrases, no JSON, nothing that can be done again.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from measure import DATA, LLAMAX, Peak, seconds

from llamax_cli.lexicon.store.reader import Lexicon

CODES = ("ar", "bn", "de", "es", "fa", "fr", "hi", "id", "it", "ja", "ko", "ro", "ru", "ta", "th", "tr")
BASELINE = """
import random, sys
dictionaries = []
for path in sys.argv[2:]:
    words = {}
    for line in open(path, encoding="utf-8"):
        source, target = line.split()
        if source != target:
            words.setdefault(source, []).append(target)
    dictionaries.append(words)
with open(sys.argv[1], encoding="utf-8") as lines, open("/dev/null", "w") as out:
    for line in lines:
        words = line.lower().split()
        for place, word in enumerate(words):
            if random.random() < 0.41:  # replaces about as many words as a rate of 0.3 does
                found = random.choice(dictionaries).get(word)
                if found:
                    words[place] = random.choice(found)
        out.write(" ".join(words) + "\\n")
"""


def english() -> list[str]:
    """Return real English sentences, each once."""
    found: list[str] = []
    for path in sorted(DATA.glob("tatoeba/*eng*.tsv")):
        column = 0 if path.name.startswith("eng") else 1
        found += [line.split("\t")[column] for line in path.read_text(encoding="utf-8").split("\n") if "\t" in line]
    for path in (DATA / "multi30k/train.en", DATA / "flores101/devtest/eng.devtest", DATA / "flores101/dev/eng.dev"):
        found += path.read_text(encoding="utf-8").split("\n")
    for record in json.loads((DATA / "alpaca/alpaca_long_subset.json").read_text(encoding="utf-8")):
        found += record["output"].split("\n")
    return list(dict.fromkeys(line.strip() for line in found if line.strip()))


def corpus(folder: Path, count: int) -> tuple[Path, Path]:
    """Write sentences of 20 to 31 words as pairs and as plain lines."""
    draw = random.Random(1)
    lines, words, made = english(), list[str](), list[str]()
    while len(made) < count:
        draw.shuffle(lines)
        for line in lines:
            words += line.split()
            size = draw.choice((20, 23, 26, 29, 31))
            if len(words) >= 31:
                made.append(" ".join(words[:size]))
                words = words[size:]
    pairs, plain = folder / "pairs.jsonl", folder / "plain.txt"
    plain.write_text("\n".join(made[:count]) + "\n", encoding="utf-8")
    with pairs.open("w", encoding="utf-8") as file:
        for number, line in enumerate(made[:count]):
            target = f"Das ist der Zielsatz Nummer {number}, den niemand anrührt, wie lang er auch immer sein mag."
            record = {"id": f"bench:{number}", "src": line, "tgt": target, "src_lang": "en", "tgt_lang": "de"}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return pairs, plain


def speed(folder: Path, count: int, rounds: int) -> None:
    """Print pairs a second beside the baseline's lines a second, taken in turn."""
    pairs, plain = corpus(folder, count)
    muse = [str(DATA / f"muse/en-{code}.txt") for code in CODES]
    phrases = [*muse, *map(str, sorted(DATA.glob("panlex/*.txt")))]
    for name, dictionaries in (("muse", muse), ("phrases", phrases)):
        lexicon = folder / f"{name}.lex"
        subprocess.run(
            [*LLAMAX, "build-lexicon", "-q", *dictionaries, "-o", lexicon, "--rejects", os.devnull], check=True
        )
    augment = [*LLAMAX, "augment", "-q", str(pairs), "-o", str(folder / "out.jsonl"), "--dict"]
    commands = {
        "baseline, plain lines, 1 process": [sys.executable, "-c", BASELINE, str(plain), *muse],
        "16 MUSE dictionaries, 1 worker": [*augment, str(folder / "muse.lex")],
        "16 MUSE dictionaries, 2 workers": [*augment, str(folder / "muse.lex"), "--workers", "2"],
        "and PanLex's phrases, 2 workers": [*augment, str(folder / "phrases.lex"), "--workers", "2"],
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            taken[name].append(seconds(command))
    print(f"{count:,} sentences; least of {rounds} rounds in turn")
    first = min(wall for wall, _ in taken["baseline, plain lines, 1 process"])
    for name, each in taken.items():
        wall, used = (min(side) for side in zip(*each, strict=True))
        print(f"{name:36}{count / wall:>10,.0f}/s{first / wall:>7.2f} of the baseline{used:>8.1f} CPU s")


def scripts(folder: Path, copies: int, rounds: int) -> None:
    """Print the speed of sources that are written without spaces beside that of English, on FLORES and NTREX."""
    lexicon = folder / "scripts.lex"
    dictionaries = [DATA / "muse" / name for name in ("en-zh.txt", "en-th.txt", "en-ja.txt", "zh-en.txt", "th-en.txt")]
    subprocess.run(
        [*LLAMAX, "build-lexicon", "-q", *dictionaries, DATA / "panlex/eng2cmn.txt", "-o", lexicon], check=True
    )
    commands, texts, characters = dict[str, list[str]](), dict[str, int](), dict[str, int]()
    for code, name, more in (
        ("en", "English", ()),
        ("zh", "Chinese", ()),
        ("zh", "Chinese", ("--segmenter", "rjieba")),
        ("th", "Thai", ()),
        ("ja", "Japanese", ()),
    ):
        if "rjieba" in more and find_spec("rjieba") is None:
            print(f"{name} rjieba: not measured, because it is not installed (pip install rjieba)")
            continue
        made = subprocess.run(
            [*LLAMAX, "convert", "-q", DATA / "flores101", DATA / "ntrex128", "--mono", code],
            capture_output=True,
            check=True,
        ).stdout
        corpus, label = folder / f"{code}.jsonl", " ".join((name, *more[1:]))
        corpus.write_bytes(made * copies)
        texts[label] = copies * made.count(b"\n")
        characters[label] = copies * sum(len(json.loads(line)["text"]) for line in made.splitlines())
        augment = [*LLAMAX, "augment", "-q", "--dict", str(lexicon), str(corpus), "-o", str(folder / "out.jsonl")]
        commands[label] = [*augment, "--workers", "2", *more]
    taken: dict[str, list[tuple[float, float]]] = {label: [] for label in commands}
    for _ in range(rounds):
        for label, command in commands.items():
            taken[label].append(seconds(command))
    english = min(used for _, used in taken["English"]) / characters["English"]
    for label, each in taken.items():
        wall, used = (min(side) for side in zip(*each, strict=True))
        speed = f"{texts[label] / wall:>10,.0f}/s{characters[label] / wall / 1e6:>8.2f} M char/s"
        print(
            f"{label:36}{speed}{used:>8.1f} CPU s{used / characters[label] / english:>7.2f} times English's a character"
        )


def memory(folder: Path, lexicon: Path) -> None:
    """Print the most memory of each process with a lexicon of 10 million triples, as bench_lexicon.py builds it."""
    words = list(Lexicon(lexicon).words("en"))
    draw = random.Random(3)
    pairs = folder / "made.jsonl"
    with pairs.open("w") as file:
        for _ in range(200_000):
            text = " ".join(words[min(len(words) - 1, int(draw.paretovariate(0.35)) - 1)] for _ in range(25))
            file.write(json.dumps({"src": text, "tgt": "x", "src_lang": "en", "tgt_lang": "de"}) + "\n")
    process = subprocess.Popen(
        [*LLAMAX, "augment", "--dict", str(lexicon), str(pairs), "-o", str(folder / "out.jsonl"), "--workers", "2"]
    )
    peak = Peak(process.pid, largest=True)
    peak.start()
    process.wait()
    print(f"{peak.bytes / 1e6:,.0f} MB of its own in the largest process (USS)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--sentences", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--copies", type=int, default=10, help="of the texts without spaces")
    parser.add_argument("--lexicon", type=Path, help="of 10 million triples, as bench_lexicon.py --keep leaves it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        speed(Path(name), options.sentences, options.rounds)
        scripts(Path(name), options.copies, options.rounds)
        if options.lexicon:
            memory(Path(name), options.lexicon)
