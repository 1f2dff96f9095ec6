"""Statistics of one language of a lexicon."""

from typing import Any

import msgspec


class LanguageStatistics(msgspec.Struct):
    """The counts of one language.

    `entities`: distinct words on either side of all dictionaries, as given (Table 2). `entries`: words with a
    translation, of which `multi_word` contain a space and the `longest` has that many words; `scripts` counts them by
    script. `translations`: of all entries, in `groups` (word, language). `identical`: pairs of a word and itself, as
    given.
    """

    entities: int = 0
    entries: int = 0
    identical: int = 0
    groups: int = 0
    translations: int = 0
    multi_word: int = 0
    longest: int = 0
    scripts: dict[str, int] = {}

    def record(self, lang: str, *, keep_identical: bool = False) -> dict[str, Any]:
        """Return the record that `--stats` writes."""
        pairs = self.translations + (0 if keep_identical else self.identical)
        return {
            "lang": lang,
            "entities": self.entities,
            "entries": self.entries,
            "identity": _share(self.identical, pairs),
            "scripts": dict(sorted(self.scripts.items(), key=lambda item: (-item[1], item[0]))),
            "synonyms": _share(self.translations, self.groups),
            "multi_word": _share(self.multi_word, self.entries),
        }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
