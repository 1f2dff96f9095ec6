"""From corpora to records."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from llamax_cli.conversion.detection import open_corpora
from llamax_cli.conversion.segments import Corpus, CorpusRequest, RecordStream
from llamax_cli.conversion.selection import Group, Selection, plan_groups, sample_records, skip_empty
from llamax_cli.errors import UsageError
from llamax_cli.records import Record


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
    for group, members in groups.items():
        yield _group_records(members, group, counts)


def _group_records(corpora: Sequence[Corpus], group: Group, counts: Counter[str]) -> Iterator[Record]:
    """Yield the records of all corpora in one direction or one language."""
    for corpus in corpora:
        if len(group) == 2:
            yield from _pairs(corpus, group[0], group[1], counts)
        elif not group:
            _read_no_language(corpus)
        else:
            yield from _texts(corpus, group[0], counts)


def _read_no_language(corpus: Corpus) -> None:
    """Read a corpus without languages, which reports its bad lines; these may be all lines."""
    for _ in corpus.segments(()):
        pass


def _pairs(corpus: Corpus, source: str, target: str, counts: Counter[str]) -> Iterator[Record]:
    name = corpus.name
    for number, (src, tgt), extra in corpus.segments((source, target)):
        if src is None or tgt is None:
            counts["absent"] += 1
        else:
            yield {"id": f"{name}:{number}", "src": src, "tgt": tgt, "src_lang": source, "tgt_lang": target, **extra}


def _texts(corpus: Corpus, language: str, counts: Counter[str]) -> Iterator[Record]:
    name = corpus.name
    for number, (text,), extra in corpus.segments((language,)):
        if text is None:
            counts["absent"] += 1
        else:
            yield {"id": f"{name}:{number}", "text": text, "lang": language, **extra}
