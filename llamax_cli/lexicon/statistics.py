"""Statistics of one language in a lexicon."""

from typing import Any

import msgspec


class LanguageStatistics(msgspec.Struct):
    """The counts of one language.

    `entities`: distinct words on either side of all dictionaries, in the languages given (Table 2). `entries`: words
    with a translation. `multi_word`: entries that contain a space. `longest`: number of words in the longest entry.
    `scripts`: number of entries by script. `translations`: number of translations of all entries. `groups`: number of
    combinations of an entry and a language that it is translated into. `identical`: pairs whose two words are the same,
    also those that are left out. `kept`: how many of these are among the translations, all or none; lexicons of version
    0.1 do not say.
    """

    entities: int = 0
    entries: int = 0
    identical: int = 0
    groups: int = 0
    translations: int = 0
    multi_word: int = 0
    longest: int = 0
    scripts: dict[str, int] = {}
    kept: int = 0

    @property
    def identity(self) -> float:
        """The share of the pairs in which a word is its own translation, also of pairs that are left out."""
        return _share(self.identical, self.translations + self.identical - self.kept)

    def record(self, lang: str) -> dict[str, Any]:
        """Return the record that `--stats` writes."""
        return {
            "lang": lang,
            "entities": self.entities,
            "entries": self.entries,
            "identity": self.identity,
            "scripts": dict(sorted(self.scripts.items(), key=lambda item: (-item[1], item[0]))),
            "synonyms": _share(self.translations, self.groups),
            "multi_word": _share(self.multi_word, self.entries),
        }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
