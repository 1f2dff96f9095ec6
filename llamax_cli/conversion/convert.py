"""From corpora to records."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from llamax_cli.conversion.detection import open_corpora
from llamax_cli.conversion.formats.aligned import AlignedFiles
from llamax_cli.conversion.segments import Corpus, CorpusRequest, RecordStream
from llamax_cli.conversion.selection import Group, Selection, asked, plan_groups, sample_records, skip_empty
from llamax_cli.errors import UsageError
from llamax_cli.records import Record
from llamax_cli.streams.inputs import Input


def read_corpora(
    request: CorpusRequest, format: str | None, selection: Selection, counts: Counter[str]
) -> Iterator[Record]:
    """Yield the selected records, direction by direction; `counts` counts those that are left out, by reason.

    Where the selection names no languages, records keep their order and, byte for byte, their other keys.
    """
    for records in _record_streams(request, format, selection, counts):
        kept = skip_empty(records, counts) if selection.drop_empty else records
        yield from sample_records(kept, selection, counts) if selection.is_sample else kept


def _record_streams(
    request: CorpusRequest, format: str | None, selection: Selection, counts: Counter[str]
) -> Iterator[Iterable[Record]]:
    """Yield the records of each RecordStream, then those of each direction or language of the other corpora."""
    corpora = open_corpora(request, format)
    if request.name is not None and len(corpora) > 1:
        raise UsageError(f"--name is for one corpus, but there are {len(corpora)}, whose ids would be the same")
    if not selection.names_languages:
        for corpus in corpora:
            if isinstance(corpus, RecordStream):
                yield corpus.stream_records(counts)
        corpora = [corpus for corpus in corpora if not isinstance(corpus, RecordStream)]
    if selection.names_languages and not any(corpus.languages for corpus in corpora):
        for corpus in corpora:
            _read_no_language(corpus)
    groups = plan_groups(corpora, selection)
    if len(groups) > 1:
        request.spool()
    keys_of = {group: _asked(group, members, selection) for group, members in groups.items()}
    uses = Counter(key for keys in keys_of.values() for key in keys)
    absences: dict[tuple[int, Group], _Absence] = {}
    for group, members in groups.items():
        for key in keys_of[group]:
            absences.setdefault(key, _Absence(counts, is_shared=uses[key] > 1))
        records = _group_records(members, group, [absences[key] for key in keys_of[group]])
        # A line is of several groups, each of which may have a record that cannot be written.
        suffix = f" ({'-'.join(group)})" if len(groups) > 1 else ""
        yield (request.placed(record, file + suffix, number) for file, number, record in records)
    for absence in absences.values():
        absence.count_shared()


def _asked(group: Group, corpora: Sequence[Corpus], selection: Selection) -> list[tuple[int, Group]]:
    """Return for each corpus what its absent segments are counted under; regions of one language share that."""
    wanted = asked(group, selection.pairs or selection.mono) if group else group
    return [(id(corpus), wanted) for corpus in corpora]


class _Absence:
    """Counts the segments that a corpus lacks in a direction that was asked for.

    A direction may be there in several pairs of regions; a segment is absent if it is in none of them.
    """

    def __init__(self, counts: Counter[str], *, is_shared: bool) -> None:
        self._counts = counts
        self._is_shared = is_shared
        self._segments = bytearray()  # by number: 1 is absent so far, 2 and 3 are there

    def note(self, number: int, *, is_absent: bool) -> None:
        """Note whether the segment of this number is absent in one pair of regions."""
        if not self._is_shared:
            if is_absent:
                self._counts["absent"] += 1
            return
        if number >= len(self._segments):
            self._segments.extend(bytes(number + 1 - len(self._segments)))
        self._segments[number] |= 1 if is_absent else 2

    def count_shared(self) -> None:
        """Count those that are in no pair of regions, once all pairs have been read."""
        if absent := self._segments.count(1):
            self._counts["absent"] += absent


def _group_records(
    corpora: Sequence[Corpus], group: Group, absences: Sequence[_Absence]
) -> Iterator[tuple[str, int, Record]]:
    """Yield (file, number of the segment, record) for the records of all corpora in one direction or one language."""
    for corpus, absence in zip(corpora, absences, strict=True):
        if len(group) == 2:
            yield from _pairs(corpus, group[0], group[1], absence)
        elif not group:
            _read_no_language(corpus)
        else:
            yield from _texts(corpus, group[0], absence)


def _read_no_language(corpus: Corpus) -> None:
    """Read a corpus without languages, which reports its bad lines; these may be all lines."""
    for _ in corpus.segments(()):
        pass


def _file_of(corpus: Corpus, language: str) -> str:
    """Return the file that has the texts of a corpus in a language, or the name of a corpus that is in many files."""
    if isinstance(corpus, AlignedFiles):
        return corpus.paths[language]
    source = getattr(corpus, "source", None)
    return source.name if isinstance(source, Input) else corpus.name


def _pairs(corpus: Corpus, source: str, target: str, absence: _Absence) -> Iterator[tuple[str, int, Record]]:
    name, file = corpus.name, _file_of(corpus, source)
    for number, (src, tgt), extra in corpus.segments((source, target)):
        absence.note(number, is_absent=src is None or tgt is None)
        if src is not None and tgt is not None:
            languages = {"src_lang": source, "tgt_lang": target}
            yield file, number, {"id": f"{name}:{number}", "src": src, "tgt": tgt, **languages, **extra}


def _texts(corpus: Corpus, language: str, absence: _Absence) -> Iterator[tuple[str, int, Record]]:
    name, file = corpus.name, _file_of(corpus, language)
    for number, (text,), extra in corpus.segments((language,)):
        absence.note(number, is_absent=text is None)
        if text is not None:
            yield file, number, {"id": f"{name}:{number}", "text": text, "lang": language, **extra}
