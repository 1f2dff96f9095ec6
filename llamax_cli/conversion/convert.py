"""From corpora to records."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from llamax_cli.conversion.detection import open_corpora
from llamax_cli.conversion.segments import Corpus, CorpusRequest, Stream
from llamax_cli.conversion.selection import Group, Selection, draw, plan, without_empty
from llamax_cli.errors import UsageError
from llamax_cli.records import Record


def read_corpora(
    request: CorpusRequest, format: str | None, selection: Selection, counts: Counter[str]
) -> Iterator[Record]:
    """Yield the records asked for, direction by direction; `counts` gets what was left out, by reason.

    Records that are not selected from keep their order and, byte for byte, their other keys.
    """
    for records in _streams(request, format, selection, counts):
        kept = without_empty(records, counts) if selection.drop_empty else records
        yield from draw(kept, selection, counts) if selection.draws else kept


def _streams(
    request: CorpusRequest, format: str | None, selection: Selection, counts: Counter[str]
) -> Iterator[Iterable[Record]]:
    """Yield the corpora that are streams of records as they are, and each direction or language of the others."""
    corpora = open_corpora(request, format)
    if request.name is not None and len(corpora) > 1:
        raise UsageError(f"--name is for one corpus, and here are {len(corpora)}: their ids would be the same")
    if not selection.chooses:
        for corpus in corpora:
            if isinstance(corpus, Stream):
                yield corpus.as_they_are(counts)
        corpora = [corpus for corpus in corpora if not isinstance(corpus, Stream)]
    if selection.chooses and not any(corpus.languages for corpus in corpora):
        for corpus in corpora:  # a pass for no language tells of the bad lines, which may be all there is
            for _ in corpus.segments(()):
                pass
    chosen = plan(corpora, selection)
    if len(chosen) > 1:
        request.spool()
    for group, having in chosen.items():
        yield _in_group(having, group, counts)


def _in_group(corpora: Sequence[Corpus], group: Group, counts: Counter[str]) -> Iterator[Record]:
    """Yield the records of all corpora in one direction or one language."""
    for corpus in corpora:
        yield from _pairs(corpus, group[0], group[1], counts) if len(group) == 2 else _texts(corpus, group[0], counts)


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
