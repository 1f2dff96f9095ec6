"""References from files of their own: records with texts or pairs, found by language and id."""

from collections.abc import Iterator

from llamax_cli.errors import RecordError
from llamax_cli.records import Record, language, text


class References:
    """Texts by language and id."""

    def __init__(self) -> None:
        self._texts: dict[str, dict[str, str]] = {}

    def take(self, record: Record) -> None:
        """Take the texts of a record: `text` in `lang`, or `src` and `tgt` in their languages."""
        id_ = text(record, "id")
        sides = (("text", "lang"),) if "text" in record else (("src", "src_lang"), ("tgt", "tgt_lang"))
        for side, lang in sides:
            code, given = language(record, lang), text(record, side)
            if self._texts.setdefault(code, {}).setdefault(id_, given) != given:
                raise RecordError(f"segment {id_!r} has two references in {code}; give one")

    def text(self, lang: str, id_: str) -> str:
        """Return the reference; RecordError where there is none."""
        if lang not in self._texts:
            raise RecordError(f"no reference in {lang}: --ref gives {', '.join(sorted(self._texts)) or 'none'}")
        if id_ not in self._texts[lang]:
            raise RecordError(f"no reference in {lang} for segment {id_!r}")
        return self._texts[lang][id_]

    def ids(self, lang: str) -> Iterator[str]:
        """Yield the segments that have a reference in a language."""
        yield from self._texts.get(lang, ())
