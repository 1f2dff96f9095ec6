"""Which detector to believe: counts how often fastText's lid.176 and CLD2 are right where they differ.

    python tests/benchmarks/join_detectors.py [--data ../shared/data] [--write]

Counts on the first half of each language of FLORES-101 devtest, on whole lines and on their first words, since short
texts are mistaken for other languages than long ones. Writes llamax_cli/identification/joined.tsv with `--write`.

Prints how often the detectors, alone and joined by the table, are right on the second half, which has other documents,
on NTREX-128 (news) and on Tatoeba (short sentences). A language that a detector does not know counts 0.
"""

import argparse
import random
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from measure import DATA, ROOT, flores

from llamax_cli.identification.detectors import Prediction, open_detector
from llamax_cli.identification.identifier import Identifier
from llamax_cli.identification.joined import COLUMNS, TABLE, Count, Labels, is_same, parse_table
from llamax_cli.languages import known, languages, primary_subtag

BIG = "en de fr es it pt nl sv ru tr zh ja".split()  # noqa: SIM905
SEEN = 506  # lines of each language that are counted; the others are held out
HEADER = f"""\
# Texts to which fastText's lid.176.ftz gives one label and CLD2 another, and how many of them each has named rightly.
# tests/benchmarks/join_detectors.py has made this of lines 1 to {SEEN} of each language of FLORES-101 devtest, whole
# and cut behind one to six words.
"""
Texts: TypeAlias = Mapping[str, Sequence[str]]


def beginnings(lines: Sequence[str]) -> list[str]:
    """Return one to six words of the beginning of each line, three characters for a word where there are no spaces."""
    found = []
    for number, line in enumerate(lines):
        words, length = line.split(), 1 + number % 6
        found.append(" ".join(words[:length]) if len(words) > 3 else line[: 3 * length])
    return found


def count(texts: Texts) -> dict[Labels, Count]:
    """Return the counts of each two labels that do not mean the same."""
    fasttext, cld2 = (open_detector(name, None).predict for name in ("fasttext", "cld2"))
    counts: dict[Labels, Count] = defaultdict(Count)
    for code, lines in texts.items():
        for line in lines:
            answers = fasttext(line), cld2(line)
            if answers[0] and answers[1] and not is_same(answers[0][0], answers[1][0]):
                labels = answers[0][0], answers[1][0]
                number, *right = counts[labels]
                one, other = (before + _is_right(code, answer) for before, answer in zip(right, answers, strict=True))
                counts[labels] = Count(number + 1, one, other)
    return counts


def _is_right(code: str, answer: Prediction) -> bool:
    return answer is not None and is_same(code_label(code), answer[0])


def code_label(code: str) -> str:
    """Return a label that means one of our codes: our `ku` is the `ckb` of other tables."""
    return languages()[code].bcp47


def write(path: Path, counts: Mapping[Labels, Count]) -> None:
    """Write the table."""
    rows = ("\t".join(map(str, (*labels, *counts[labels]))) + "\n" for labels in sorted(counts))
    path.write_text(HEADER + "\t".join(COLUMNS) + "\n" + "".join(rows), encoding="utf-8")


Found: TypeAlias = Mapping[str, Sequence[tuple[bool, float]]]  # by language: whether each text is right, and its score


def find(name: str, texts: Texts) -> Found:
    """Return what a detector finds in each text, as `langid` uses it."""
    identifier = Identifier(name)
    return {code: [_judge(identifier, code, line) for line in lines] for code, lines in texts.items()}


def _judge(identifier: Identifier, code: str, line: str) -> tuple[bool, float]:
    answer = identifier(line, code)
    if answer is None:
        return False, 0.0
    return answer[0] in (code, f"{code}-Latn", f"{code}-Cyrl", f"{code}-Arab"), answer[1]


def rates(found: Found) -> dict[str, float]:
    """Return the share of texts that are right, by language."""
    return {code: statistics.mean(is_right for is_right, _ in answers) for code, answers in found.items()}


def calibration_error(found: Found) -> float:
    """Return by how much the mean score differs from the share that is right, on average over tenths of the scores."""
    tenths: dict[int, list[float]] = defaultdict(list)
    for answers in found.values():
        for is_right, score in answers:
            tenths[min(9, int(10 * score))].append(score - is_right)
    return sum(abs(sum(each)) for each in tenths.values()) / sum(map(len, tenths.values()))


def ntrex(folder: Path) -> dict[str, list[str]]:
    """Return every eighth line of the files that are in one of the 102 languages, by our codes."""
    texts: dict[str, list[str]] = {}
    for path in sorted(folder.glob("newstest2019-*.txt")):
        code = known(path.name.split(".")[1].replace("zho-CN", "zh").replace("zho-TW", "zhtrad"))
        if code and (code := code if code in languages() else primary_subtag(code)) in languages():
            texts.setdefault(code, path.read_text(encoding="utf-8-sig").splitlines()[::8])
    return texts


def tatoeba(folder: Path) -> dict[str, list[str]]:
    """Return 250 sentences of each of the 102 languages that have a file, chosen by chance, by our codes."""
    texts: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*-*.tsv")):
        rows = [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n") if line.count("\t") > 0]
        for side, name in enumerate(path.stem.split("-")[:2]):
            code = known(name)
            if code in languages():
                chosen = random.Random(0).sample(rows, min(250, len(rows)))
                texts.setdefault(code, [row[side] for row in chosen])
    return texts


def main() -> None:
    """Parse the arguments, count, write the table, and print how often the detectors are right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--write", action="store_true", help="write the table; without it, it must be the same")
    given = parser.parse_args()
    lines = flores(given.data / "flores101" / "devtest")
    counts = count({code: [*texts[:SEEN], *beginnings(texts[:SEEN])] for code, texts in lines.items()})
    path = ROOT / "llamax_cli" / "identification" / TABLE
    if given.write:
        write(path, counts)
    same = parse_table(path.read_text(encoding="utf-8").splitlines()) == counts
    print(f"{len(counts):,} pairs of labels, as in {TABLE}: {same}")
    sets = {
        f"FLORES-101, lines 1 to {SEEN}": {code: texts[:SEEN] for code, texts in lines.items()},
        f"FLORES-101, lines {SEEN + 1} to 1012": {code: texts[SEEN:] for code, texts in lines.items()},
        "one to six words of them": {code: beginnings(texts[SEEN:]) for code, texts in lines.items()},
        "NTREX-128": ntrex(given.data / "ntrex128" / "NTREX-128"),
        "Tatoeba": tatoeba(given.data / "tatoeba"),
    }
    for title, texts in sets.items():
        print(f"{title}: {len(texts)} languages, {sum(map(len, texts.values())):,} texts")
        for name in ("fasttext", "cld2", "joined"):
            found = find(name, texts)
            shares = rates(found)
            worst = ", ".join(f"{code} {shares[code]:.0%}" for code in sorted(shares, key=shares.__getitem__)[:14])
            print(f"  {name:10}{statistics.mean(shares.values()):>8.2%}  {worst}")
            big = ", ".join(f"{code} {shares[code]:.1%}" for code in BIG if code in shares)
            print(f"  scores are off by {calibration_error(found):.3f}; {big}")


if __name__ == "__main__":
    main()
