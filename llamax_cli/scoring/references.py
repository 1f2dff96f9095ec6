"""References from `--ref` files: records with texts or pairs, looked up by language and id."""

from collections.abc import Iterator, Sequence

from llamax_cli.errors import RecordError
from llamax_cli.records import Record, language, text
from llamax_cli.streams.chunks import chunks, records
from llamax_cli.streams.run import Run


class References:
    """Texts by language and id."""

    def __init__(self) -> None:
        self._texts: dict[str, dict[str, str]] = {}

    def add(self, record: Record) -> None:
        """Add the texts of a record: `text` in `lang`, or `src` and `tgt` in their languages.

        RecordError if a segment already has another reference.
        """
        id_ = text(record, "id")
        sides = (("text", "lang"),) if "text" in record else (("src", "src_lang"), ("tgt", "tgt_lang"))
        for side, lang in sides:
            code, reference = language(record, lang), text(record, side)
            if self._texts.setdefault(code, {}).setdefault(id_, reference) != reference:
                raise RecordError(f"segment {id_!r} has two references in {code}; give one")

    def text(self, lang: str, id_: str) -> str:
        """Return a reference; RecordError if there is none."""
        if lang not in self._texts:
            raise RecordError(
                f"no reference in {lang}: the files of --ref have {', '.join(sorted(self._texts)) or 'none'}"
            )
        if id_ not in self._texts[lang]:
            raise RecordError(f"no reference in {lang} for segment {id_!r}")
        return self._texts[lang][id_]

    def ids(self, lang: str) -> Iterator[str]:
        """Yield the ids of the segments that have a reference in a language."""
        yield from self._texts.get(lang, ())


def read_references(run: Run, paths: Sequence[str]) -> References | None:
    """Return the references in files, or None if no file is named; call it after the run has opened its output."""
    references = References()
    for _ in records(chunks([run.input(path) for path in paths]), references.add, run.reject):
        pass  # read, but not counted as input: these records are not what is scored
    return references if paths else None
