"""References from `--ref` files: records with texts or pairs, looked up by language and id."""

from collections.abc import Iterator, Sequence

from llamax_cli.console import counted
from llamax_cli.errors import RecordError
from llamax_cli.records import Record, language, text, texts
from llamax_cli.streams.chunks import chunks, records
from llamax_cli.streams.run import Run


class References:
    """Texts by language and id, in one or several sets: each set has at most one reference of a segment."""

    def __init__(self) -> None:
        self._sets: dict[str, list[dict[str, str]]] = {}

    def add(self, file: "ReferenceFile") -> None:
        """Add the texts of a file.

        They are other references if they differ from those there are. If they agree in every segment that both have,
        they are the same set in another file: pairs with a language that was there before, or another part of it.
        """
        for code, added in file.sets.items():
            known = self._sets.setdefault(code, [])
            free = list(known)
            for new in added:
                same = next((each for each in free if _agree(each, new)), None)
                if same is None:
                    known.append(new)
                else:
                    same.update(new)
                    free = [each for each in free if each is not same]  # two texts of one record are two references

    def texts(self, lang: str, id_: str) -> list[str]:
        """Return the references of a segment; RecordError if there is none."""
        if lang not in self._sets:
            raise RecordError(
                f"no reference in {lang}: the files of --ref have {', '.join(sorted(self._sets)) or 'none'}"
            )
        found = [each[id_] for each in self._sets[lang] if id_ in each]
        if not found:
            there = counted(sum(1 for _ in self.ids(lang)), "segment")
            raise RecordError(f"no reference in {lang} for segment {id_!r}: the files of --ref have {there} in {lang}")
        return found

    def ids(self, lang: str) -> Iterator[str]:
        """Yield the ids of the segments that have a reference in a language."""
        yield from dict.fromkeys(id_ for each in self._sets.get(lang, ()) for id_ in each)


class ReferenceFile:
    """The texts of one file by language and id; `sets[lang][n]` has the texts at place n of a list."""

    def __init__(self) -> None:
        self.sets: dict[str, list[dict[str, str]]] = {}

    def add(self, record: Record) -> None:
        """Add the texts of a record: `text` in `lang`, or `src` and `tgt` in their languages.

        A text may be a list of several references. RecordError if a segment already has another reference.
        """
        id_ = text(record, "id")
        sides = (("text", "lang"),) if "text" in record else (("src", "src_lang"), ("tgt", "tgt_lang"))
        for side, lang in sides:
            code = language(record, lang)
            sets = self.sets.setdefault(code, [])
            for place, reference in enumerate(texts(record, side)):
                if place == len(sets):
                    sets.append({})
                if sets[place].setdefault(id_, reference) != reference:
                    raise RecordError(
                        f"segment {id_!r} has two references in {code}; give them in two files, or as a list"
                    )


def _agree(some: dict[str, str], others: dict[str, str]) -> bool:
    return all(some.get(id_, text) == text for id_, text in others.items())


def read_references(run: Run, paths: Sequence[str]) -> References | None:
    """Return the references in files, or None if no file is named; call it after the run has opened its output."""
    references = References()
    for path in paths:
        file = ReferenceFile()
        for _ in records(chunks([run.input(path)]), file.add, run.reject):
            pass  # read, but not counted as input: these records are not what is scored
        references.add(file)
    return references if paths else None
