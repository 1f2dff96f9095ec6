r"""PO, the catalogues of GNU gettext: `msgid "One"`, `msgstr "Eins"`.

As gettext's manual describes them: strings go on over lines, with the escapes of C; the entry of the empty `msgid` is
the header, whose `Language` is that of the translations. Messages are in English unless `X-Source-Language` or `--langs
SOURCE,TARGET` says otherwise. Of a plural, the singular is paired with the first form, and the plural with the last.
Fuzzy translations are left out and counted, obsolete entries (`#~`) ignored. A record has the `context` of its message
(`msgctxt`), if there is one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from llamax_cli.conversion.formats.row_corpus import Row, RowCorpus
from llamax_cli.conversion.segments import Corpus, CorpusRequest, RejectLine
from llamax_cli.errors import DataError, RecordError, UsageError
from llamax_cli.languages import canonical, known
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.lines import Bad, bare, texts

KEYWORD = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[(\d{1,2})\])?)\s*(".*")\s*')
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))", re.DOTALL)
LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
FUZZY = "fuzzy"
ENGLISH = "en"


def open_corpora(request: CorpusRequest) -> list[Corpus]:
    """Return a corpus for each file."""
    if len(request.languages) not in (0, 2):
        raise UsageError("a catalogue has two languages: --langs SOURCE,TARGET")
    corpora: list[Corpus] = []
    for path in request.paths:
        source = request.input(path)
        name = request.corpus_name(path, without=Path(bare(path)).suffix)
        corpora.append(RowCorpus(name, source, request, partial(_rows, source, path, request.languages)))
    return corpora


@dataclass
class _Entry:
    """The strings of an entry by keyword, `msgstr` by the number of its form."""

    line: int = 0
    strings: dict[str, str] = field(default_factory=dict)
    forms: dict[int, str] = field(default_factory=dict)
    is_fuzzy: bool = False

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield message and translation, "" where it is not translated."""
        if "msgid_plural" in self.strings:
            yield self.strings["msgid"], self.forms.get(0, "")
            yield self.strings["msgid_plural"], self.forms.get(max(self.forms, default=0), "")
        else:
            yield self.strings["msgid"], self.forms.get(0, "")


def _rows(source: Input, path: str, declared: Sequence[str], reject: RejectLine) -> Iterator[Row]:
    languages = declared
    number = 0
    for entry in _entries(source, reject):
        if not entry.strings.get("msgid") and "msgctxt" not in entry.strings:
            languages = languages or _languages(entry.forms.get(0, ""), path, source.name)
            continue
        languages = languages or _languages("", path, source.name)
        extra = {"context": entry.strings["msgctxt"]} if "msgctxt" in entry.strings else {}
        for message, translation in entry.pairs():
            number += 1
            reason = FUZZY if entry.is_fuzzy else ""
            yield Row(number, languages[0], languages[1], message or None, translation or None, extra, reason)


def _languages(header: str, path: str, name: str) -> tuple[str, str]:
    """Return the languages of a catalogue, by its header or, for that of the translations, by its file name."""
    fields = dict(line.partition(":")[::2] for line in header.split("\n"))
    code = fields.get("Language", "").strip().partition("@")[0]
    target = known(code) or known(bare(path).partition(".")[0])
    source = known(fields.get("X-Source-Language", "").strip()) or ENGLISH
    if target is None or target == source:
        said = f"its header says {code!r}" if code else "its header says no language"
        raise DataError(f"{name}: {said}; say them: --langs SOURCE,TARGET")
    return canonical(source), target


def _entries(source: Input, reject: RejectLine) -> Iterator[_Entry]:
    """Yield the entries of a file; an entry with a bad line is rejected, and what belongs to it is passed over."""
    entry, latest, is_bad = _Entry(), "", False
    for number, line in enumerate(texts(source), 1):
        try:
            if isinstance(line, Bad):
                raise RecordError(line.reason)
            stripped = line.strip()
            begins = stripped.startswith(("msgctxt", "#")) or (
                stripped.startswith("msgid") and not stripped.startswith("msgid_plural") and latest != "msgctxt"
            )
            if (entry.forms or is_bad) and (begins or not stripped):
                if not is_bad:
                    yield entry
                entry, latest, is_bad = _Entry(), "", False
            if stripped.startswith("#,"):
                entry.is_fuzzy |= FUZZY in stripped
            elif stripped and not stripped.startswith("#"):
                entry.line = entry.line or number
                latest = _add(entry, stripped, latest)
        except RecordError as error:
            is_bad = True
            reject(source.name, number, str(error), line.raw if isinstance(line, Bad) else line.encode())
    if entry.forms and not is_bad:
        yield entry


def _add(entry: _Entry, line: str, latest: str) -> str:
    """Add a line to an entry, and return its keyword."""
    match = KEYWORD.fullmatch(line)
    keyword, quoted = (match[1], match[3]) if match else (latest, line)
    found = STRING.fullmatch(quoted.strip())
    if found is None or not keyword:
        raise RecordError('neither a keyword with a string, such as msgid "One", nor a string that goes on')
    string = ESCAPE.sub(_unescaped, found[1])
    if keyword.startswith("msgstr"):
        if "msgid" not in entry.strings:
            raise RecordError("a msgstr without a msgid")
        form = int(keyword[7:-1]) if "[" in keyword else 0
        entry.forms[form] = entry.forms.get(form, "") + string
    else:
        entry.strings[keyword] = entry.strings.get(keyword, "") + string
    return keyword


def _unescaped(match: re.Match[str]) -> str:
    if match[1] or match[2]:
        return chr(int(match[1], 16) if match[1] else int(match[2], 8))
    return LETTERS.get(match[3], match[3])
