"""From corpora to records."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from operator import itemgetter

from llamax_cli.conversion.detection import detect, open_corpora
from llamax_cli.conversion.formats.aligned import AlignedFiles
from llamax_cli.conversion.segments import Corpus, CorpusRequest, HasLines, PlacedRecord, RecordStream
from llamax_cli.conversion.selection import Group, Selection, asked, plan_groups, sample_records, skip_empty
from llamax_cli.errors import UsageError
from llamax_cli.records import Record
from llamax_cli.streams.inputs import Input


def read_corpora(
    request: CorpusRequest,
    format: str | None,
    selection: Selection,
    counts: Counter[str],
    keep: Callable[[Iterable[Record]], Iterable[Record]] = iter,
) -> Iterator[Record]:
    """Yield the selected records, direction by direction; `counts` counts those that are left out, by reason.

    Where the selection names no languages, records keep their order and, byte for byte, their other keys. `keep` passes
    on those that a sample is drawn from.
    """
    for records in _record_streams(request, format, selection, counts):
        kept = keep(skip_empty(records, counts) if selection.drop_empty else records)
        yield from sample_records(kept, selection, counts) if selection.is_sample else kept


def copy_lines(
    request: CorpusRequest, format: str | None, selection: Selection, counts: Counter[str]
) -> Iterator[bytes] | None:
    """Return the lines of the records that `read_corpora` yields, in blocks.

    None where something is selected or named, or where not all corpora are records already.
    """
    if selection.names_languages or selection.is_sample or selection.drop_empty or request.name is not None:
        return None
    if any((format or detect(path, request)) != "records" for path in request.paths):
        return None
    return chain.from_iterable(
        corpus.lines(counts) for corpus in open_corpora(request, format) if isinstance(corpus, HasLines)
    )


def _record_streams(
    request: CorpusRequest, format: str | None, selection: Selection, counts: Counter[str]
) -> Iterator[Iterable[Record]]:
    """Yield the records of each RecordStream, then those of each direction or language of the other corpora."""
    request = replace(request, left_out=counts)
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
        # A line is of several groups, each of which may have a record that cannot be written.
        suffix = f" ({'-'.join(group)})" if len(groups) > 1 else ""
        of_group = [absences[key] for key in keys_of[group]]
        yield _group_records(members, group, of_group, suffix if request.keeps_places else None)
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
        self.is_shared = is_shared
        self._segments = bytearray()  # by number: 1 is absent so far, 2 and 3 are there

    def note(self, number: int, *, is_absent: bool) -> None:
        """Note whether the segment of this number is absent in one pair of regions.

        Unless it `is_shared`, segments that are there need not be noted.
        """
        if not self.is_shared:
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
    corpora: Sequence[Corpus], group: Group, absences: Sequence[_Absence], suffix: str | None
) -> Iterator[Record]:
    """Yield the records of all corpora in one direction or one language.

    With a suffix, which follows the name of the file in the place of each, they are PlacedRecords.
    """
    for corpus, absence in zip(corpora, absences, strict=True):
        if not group:
            _read_no_language(corpus)
            continue
        numbered = _pairs(corpus, *group, absence) if len(group) == 2 else _texts(corpus, group[0], absence)
        if suffix is None:
            yield from map(itemgetter(1), numbered)
        else:
            file = _file_of(corpus, group[0]) + suffix
            yield from (PlacedRecord(record, file, number) for number, record in numbered)


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


def _pairs(corpus: Corpus, source: str, target: str, absence: _Absence) -> Iterator[tuple[int, Record]]:
    name, is_shared = corpus.name, absence.is_shared
    for segment in corpus.segments((source, target)):
        number, (src, tgt) = segment.number, segment.texts
        is_absent = src is None or tgt is None
        if is_absent or is_shared:
            absence.note(number, is_absent=is_absent)
        if not is_absent:
            languages = {"src_lang": source, "tgt_lang": target}
            yield number, {"id": f"{name}:{number}", "src": src, "tgt": tgt, **languages, **segment.extra}


def _texts(corpus: Corpus, language: str, absence: _Absence) -> Iterator[tuple[int, Record]]:
    name, is_shared = corpus.name, absence.is_shared
    for segment in corpus.segments((language,)):
        number, (text,) = segment.number, segment.texts
        if text is None or is_shared:
            absence.note(number, is_absent=text is None)
        if text is not None:
            yield number, {"id": f"{name}:{number}", "text": text, "lang": language, **segment.extra}
