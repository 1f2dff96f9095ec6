"""Small lexicons."""

from pathlib import Path

from llamax_cli.lexicon.statistics import LanguageStatistics
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.lexicon.store.writer import LexiconWriter

Words = dict[str, dict[str, list[str]]]

ENGLISH: Words = {
    "the": {"de": ["der", "die", "das"], "fr": ["le"]},
    "black": {"de": ["schwarz"], "fr": ["noir"], "sw": ["nyeusi"]},
    "dog": {"de": ["Hund"], "fr": ["chien"]},
    "good": {"de": ["gut"]},
    "good morning": {"de": ["guten Morgen"]},
    "good morning to all": {"de": ["allen einen guten Morgen"]},
    "hoc": {"de": ["hoc!"]},
    "ad hoc": {"de": ["eigens"]},
}


def lexicon(path: Path, *languages: tuple[str, Words], entities: dict[str, int] | None = None) -> Lexicon:
    """Write a lexicon of some languages and open it."""
    figures = {
        lang: LanguageStatistics(1, len(words), longest=max(word.count(" ") + 1 for word in words))
        for lang, words in languages
    }
    for lang, count in (entities or {"de": 9, "fr": 9, "sw": 9}).items():
        figures.setdefault(lang, LanguageStatistics()).entities = count
    file = LexiconWriter(path, figures)
    for lang, words in sorted(languages):
        for word in sorted(words, key=str.encode):
            entry = {"word": word, "lang": lang, "translations": words[word], "sources": ["x"]}
            file.write(file.encode([entry]))  # type: ignore[list-item]
    file.complete()
    file.finish()
    file.close()
    return Lexicon(path)
