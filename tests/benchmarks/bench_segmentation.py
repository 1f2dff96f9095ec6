"""Languages without spaces: how many replaced words are torn out of longer ones, by segmenter, and what it costs.

    python tests/benchmarks/bench_segmentation.py [--lexicon ALL.lex] [--lines 1012] [th ja zh km lo]

The lexicon is made of all dictionaries of LLAMAX_TEST_DATA. They have no Khmer and no Lao: there the entries are every
other word that the reference finds in the first half of the lines, and the second half is measured.

An entry is *torn* if it begins or ends within a word that the reference finds, unless both parts of that word consist
of words that the reference finds elsewhere or has in its dictionary: newmm, for one, knows many compounds as words.
"longest match" takes the longest entry at each place, from left to right.
"""

import argparse
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from time import process_time
from typing import NamedTuple

from measure import DATA, LLAMAX

from llamax_cli.augmentation.augmentation import Augmentation
from llamax_cli.augmentation.segmenters import DEFAULTS, DICTIONARY, SEGMENTERS, package_splitter, splitter
from llamax_cli.augmentation.unspaced_scripts import script_of
from llamax_cli.augmentation.vocabulary import LexiconSource, MemoryBudget, Vocabulary
from llamax_cli.augmentation.words import WordSplitter
from llamax_cli.errors import UsageError
from llamax_cli.lexicon.statistics import LanguageStatistics
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.lexicon.store.writer import LexiconWriter
from llamax_cli.records import serialise
from llamax_cli.streams.chunks import Chunk, transform

REFERENCES = {"th": "pythainlp", "ja": "sudachi", "zh": "jieba", "km": "khmercut", "lo": "laonlp"}
FLORES = {"th": "tha", "ja": "jpn", "zh": "zho_simpl", "km": "khm", "lo": "lao"}
LONGEST = "longest match"


class Reference(NamedTuple):
    """What the reference says: the words of a text, and all words that it found anywhere."""

    split: Callable[[str], Sequence[str]]
    words: set[str]

    def bounds(self, text: str) -> list[int]:
        """Return the places where words of a text begin, and its end."""
        places = [0]
        for word in self.split(text):
            places.append(places[-1] + len(word))
        return places

    def allows(self, text: str, bounds: Sequence[int], place: int) -> bool:
        """Return whether a text may be cut at a place."""
        if place in bounds:
            return True
        start, end = max(each for each in bounds if each < place), min(each for each in bounds if each > place)
        return self.consists_of_words(text[start:place]) and self.consists_of_words(text[place:end])

    def consists_of_words(self, text: str) -> bool:
        """Return whether a text is one or several words."""
        return text in self.words or any(
            text[:place] in self.words and self.consists_of_words(text[place:]) for place in range(1, len(text))
        )


def reference(lang: str, lines: Iterable[str]) -> Reference:
    """Return the reference of a language; only words of two characters or more say that a longer one is a compound."""
    split = cache(lambda text: package_splitter(REFERENCES[lang])(text)[0])
    words = {word for line in lines for word in split(line) if len(word) > 1}
    if lang == "th":
        from pythainlp.corpus import thai_words

        words |= thai_words()
    return Reference(split, words)


def longest_match(vocabulary: Vocabulary) -> WordSplitter:
    """Return a splitter that takes the longest entry at each place; the text between two entries is a word."""
    script = script_of(vocabulary.lang)

    def match(run: str) -> Iterator[str]:
        unknown = place = 0
        while place < len(run):
            longest = place
            for end in range(place + 1, len(run) + 1):
                is_entry, has_longer = vocabulary.find_entry(run[place:end])
                longest = end if is_entry and end - place >= script.shortest else longest
                if not has_longer:
                    break
            if longest == place:
                place += 1
                continue
            if unknown < place:
                yield run[unknown:place]
            yield run[place:longest]
            unknown = place = longest
        if unknown < len(run):
            yield run[unknown:]

    def split(text: str) -> tuple[list[str], str]:
        return [w for run in script.split_runs(text) for w in (match(run) if script.begins(run) else [run])], ""

    return split


def entries(split: WordSplitter, vocabulary: Vocabulary, text: str, *, joins: bool) -> list[tuple[int, int, bool]]:
    """Return the words of a text as (start, end, is_entry); with `joins`, several words may be one entry."""
    words, _ = split(text)
    found, place, index = [], 0, 0
    while index < len(words):
        stop = index + 1
        for end in range(min(len(words), index + 6), index + 1, -1) if joins else ():
            if vocabulary.find_entry("".join(words[index:end]))[0]:
                stop = end
                break
        word = "".join(words[index:stop])
        is_entry = vocabulary.find_entry(word)[0]
        found.append((place, place + len(word), is_entry))
        place, index = place + len(word), stop
    return found


def measure(name: str, lang: str, have: Lexicon, truth: Reference, lines: Sequence[str]) -> str:
    """Return a row of the table."""
    vocabulary = Vocabulary([LexiconSource(have)], lang, "", MemoryBudget(1 << 27), has_phrases=False)
    split = longest_match(vocabulary) if name == LONGEST else splitter(name, vocabulary)
    script = script_of(lang)
    counts: Counter[str] = Counter()
    for line in lines:
        bounds = truth.bounds(line)
        words = entries(split, vocabulary, line, joins=name not in {LONGEST, DICTIONARY})
        for start, end, is_entry in words:
            counts["words"] += any(map(str.isalpha, line[start:end]))
            if not is_entry or not script.begins(line[start]):
                continue
            counts["entries"] += 1
            counts["torn"] += not (truth.allows(line, bounds, start) and truth.allows(line, bounds, end))
            counts["characters"] += end - start
    letters = sum(len(run) for line in lines for run in script.split_runs(line) if script.begins(run))
    row = [f"{counts['entries'] / counts['words']:.1%}", f"{counts['characters'] / letters:.1%}"]
    row.append(f"{counts['torn'] / max(1, counts['entries']):.1%}")
    return " | ".join([f"| {lang} | {name}", f"{counts['words']:,}", *row, *speed(name, lang, have, lines)]) + " |"


def speed(name: str, lang: str, have: Lexicon, lines: Sequence[str]) -> tuple[str, str]:
    """Return the share of words that `augment` replaces at 0.3, and the characters it takes in a second, warm.

    That is of lines of pairs, from the bytes of the input to those of the output.
    """
    if name == LONGEST:
        return "", ""
    stage = Augmentation([have], segmenters={**DEFAULTS, lang: name} if name else DEFAULTS)()
    pairs = serialise({"src": line, "tgt": "x", "src_lang": lang, "tgt_lang": "de"} for line in lines)
    taken, tally = [], Counter[str]()
    for _ in range(5):
        start = process_time()
        tally = transform(stage, False, Chunk(lang, 1, pairs)).tally
        taken.append(process_time() - start)
    return f"{tally['replaced'] / tally['words']:.1%}", f"{sum(map(len, lines)) / min(taken):,.0f}"


def lexicon_of_words(path: Path, lang: str, words: Iterable[str]) -> Lexicon:
    """Write a lexicon of words with one translation each."""
    file = LexiconWriter(path, {lang: LanguageStatistics(1, 1, longest=1), "en": LanguageStatistics(1)})
    for word in sorted(words, key=str.encode):
        file.write(file.encode([{"word": word, "lang": lang, "translations": {"en": ["x"]}, "sources": ["x"]}]))
    file.complete()
    file.finish()
    file.close()
    return Lexicon(path)


def is_installed(name: str) -> bool:
    """Return whether a segmenter can be loaded."""
    try:
        package_splitter(name)
    except (ImportError, UsageError):
        return False
    return True


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("langs", nargs="*", default=list(REFERENCES))
    parser.add_argument("--lexicon", type=Path)
    parser.add_argument("--lines", type=int, default=1012)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = options.lexicon or folder / "all.lex"
        if not options.lexicon:
            dictionaries = [DATA / each for each in ("muse", "panlex", "gatitos")]
            rejects = folder / "rejects"
            subprocess.run(
                [*LLAMAX, "build-lexicon", "-q", *dictionaries, "-o", path, "--rejects", rejects], check=True
            )
        print("| | segmenter | words | entries | letters in them | torn | replaced | characters/s |")
        print("|---|---|---:|---:|---:|---:|---:|---:|")
        english = (DATA / "flores101/devtest/eng.devtest").read_text(encoding="utf-8").rstrip("\n").split("\n")
        share, speed_of_english = speed("", "en", Lexicon(path), english[: options.lines])
        print(f"| en | white space | | | | | {share} | {speed_of_english} |", flush=True)
        for lang in options.langs:
            if not is_installed(REFERENCES[lang]):
                print(f"| {lang} | {REFERENCES[lang]} is not installed |")
                continue
            text = (DATA / f"flores101/devtest/{FLORES[lang]}.devtest").read_text(encoding="utf-8")
            lines = text.rstrip("\n").split("\n")[: options.lines]
            truth, have = reference(lang, text.split("\n")), Lexicon(path)
            if lang not in have.languages:
                half = len(lines) // 2
                begins = script_of(lang).begins
                known = sorted({word for line in lines[:half] for word in truth.split(line) if begins(word)})
                have, lines = lexicon_of_words(folder / f"{lang}.lex", lang, known[::2]), lines[half:]
            for segmenter in (LONGEST, *(each for each, row in SEGMENTERS.items() if lang in row.languages)):
                if segmenter in {LONGEST, DICTIONARY} or is_installed(segmenter):
                    print(measure(segmenter, lang, have, truth, lines), flush=True)


if __name__ == "__main__":
    main()
