"""From chunks of input lines to rows of samples."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from llamax_cli import records
from llamax_cli.errors import RecordError
from llamax_cli.mixing.blocks import BlockCutter
from llamax_cli.mixing.buckets import ENTRY_SIZE
from llamax_cli.mixing.decontamination import EvaluationSet
from llamax_cli.mixing.samples import (
    PairColumns,
    SampleRows,
    add_connected_pairs,
    add_prompted,
    add_split_pairs,
    add_text,
    id_string,
)
from llamax_cli.mixing.sampling_plan import REPLAY
from llamax_cli.mixing.subsets import EpochRandomness, PairFormats, SampleFormat, TextFormats, origin_of, subset_of
from llamax_cli.registry import find
from llamax_cli.streams.chunks import Chunk, Tally
from llamax_cli.streams.rejects import Reject
from llamax_cli.tokenization import load

try:
    from llamax_cli.mixing.rows import pair_rows as pair_rows
except ImportError:  # llamax was installed without a C compiler
    pair_rows = None  # type: ignore[assignment]

OPTIONS = "para", "mono", "aug", "mt"
EXCLUDED, EMPTY, TRUNCATED = "in an evaluation set", "empty", "truncated"


@dataclass(frozen=True)
class ReaderSettings:
    """How records become samples.

    split: pairs become two samples.
    block_size, tokenizer: texts are cut into blocks of at most `block_size` tokens.
    excluded: pairs with these sentences are left out, and the sentences are removed from texts.
    render_instruction: names the function that makes prompt and completion of an instruction to replay.
    """

    randomness: EpochRandomness
    split: bool = False
    block_size: int | None = None
    tokenizer: Path | None = None
    excluded: EvaluationSet | None = None
    render_instruction: str = ""  # names the function that makes prompt and completion of an instruction

    def block_cutter(self) -> BlockCutter | None:
        """Return the cutter of texts, None if they stay whole; FileError if its tokenizer cannot be loaded."""
        if self.block_size is None or self.tokenizer is None:
            return None
        return BlockCutter(load(self.tokenizer), self.block_size)


_ABSENT = msgspec.Raw(b"")


class _Pair(msgspec.Struct, omit_defaults=True):
    src: msgspec.Raw
    tgt: msgspec.Raw
    src_lang: str
    tgt_lang: str
    id: msgspec.Raw = _ABSENT
    origin: str = ""


class _Translation(msgspec.Struct, omit_defaults=True):
    src: msgspec.Raw
    src_lang: str
    tgt_lang: str
    tgt: msgspec.Raw = _ABSENT
    mt: msgspec.Raw = _ABSENT
    id: msgspec.Raw = _ABSENT
    truncated: bool = False
    origin: str = ""


class _Text(msgspec.Struct, omit_defaults=True):
    text: msgspec.Raw
    lang: str
    id: msgspec.Raw = _ABSENT


class _Replayed(NamedTuple):
    """A record to replay; only a text is cut into blocks, and freed of sentences of evaluation sets."""

    prompt: str
    completion: str
    raw_id: bytes
    sample_format: SampleFormat
    is_text: bool


_DECODERS: dict[str, Callable[[bytes], Any]] = {
    option: msgspec.json.Decoder(shape).decode
    for option, shape in (("para", _Pair), ("aug", _Pair), ("mt", _Translation), ("mono", _Text))
}
# The bytes with which white space in a JSON string can begin, and the quote that ends an empty string.
_BLANK = frozenset(b'" \\\xc2\xe1\xe2\xe3')
_format_key = attrgetter("origin", "src_lang", "tgt_lang")
_decode_string = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode


class ChunkReader:
    """Makes rows of samples from chunks; if all lines of a chunk are good, they are decoded column by column."""

    def __init__(self, settings: ReaderSettings) -> None:
        self._settings = settings
        self._cutter = settings.block_cutter()
        self._compiled_options = set[str]() if settings.split or settings.excluded else {"para", "aug", "mt"}
        self._pair_formats = {option: PairFormats(option, settings.randomness) for option in OPTIONS}
        self._text_formats = TextFormats(settings.randomness)
        self._replay_formats = TextFormats(settings.randomness, REPLAY)

    def read(self, option: str, chunk: Chunk) -> tuple[SampleRows, list[Reject]]:
        """Return the rows of a chunk of a file of `--para`, `--mono`, `--aug` or `--mt`, and its bad lines."""
        rows = SampleRows()
        starts: list[int] | None = None  # where the lines begin that are left to Python; None for all
        if pair_rows is not None and option in self._compiled_options:
            starts = self._read_compiled(option, chunk.data, rows)
            rows.lines_read = len(rows.index) // ENTRY_SIZE
            if not starts:
                return rows, []
        lines, data = _lines_at(chunk.data, starts)
        rows.lines_read += len(lines)
        try:
            rows.extend(self._read_lines(option, lines, data))
            return rows, []
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, RecordError):
            more, rejects = self._read_one_by_one(
                option, zip(_numbers_of(chunk, starts), lines, strict=False), chunk.name
            )
            rows.extend(more)
            return rows, rejects

    def _read_compiled(self, option: str, data: bytes, rows: SampleRows) -> list[int]:
        """Add the rows of the lines that compiled code reads; return where the others begin."""
        formats = self._pair_formats[option].compiled
        entries, text, used, starts = pair_rows(data, formats, option == "mt")
        if entries:
            rows.entries.append(entries)
            rows.lines.append(text)
            rows.subsets.update(sample_format.subset for sample_format in used)
        return starts

    def _read_one_by_one(
        self, option: str, lines: Iterable[tuple[int, bytes]], name: str
    ) -> tuple[SampleRows, list[Reject]]:
        """Return the rows of the good ones of some lines, which come with their numbers, and the bad lines."""
        good: dict[str, list[bytes]] = {}
        rejects: list[Reject] = []
        for number, line in lines:
            try:
                good.setdefault(self._check_line(option, line), []).append(line)
            except RecordError as error:
                rejects.append(Reject(name, number, str(error), line))
        rows = SampleRows()
        for line_option, good_lines in good.items():
            rows.extend(self._read_lines(line_option, good_lines, b""))
        return rows, rejects

    def _check_line(self, option: str, line: bytes) -> str:
        """Return the option that a line is read as; RecordError says what is wrong with the line.

        A text among the pairs of `--aug` was passed through by `augment --append` and is read as one of `--mono`.
        """
        record = records.parse(line)
        if option == REPLAY:
            self._replayed(record)
            return option
        if option == "aug" and "text" in record and "src" not in record:
            option = "mono"
        try:
            if option == "mono":
                records.text(record, "text")
                records.language(record, "lang")
            else:
                records.text(record, "src")
                records.text(record, "mt" if option == "mt" and "tgt" not in record else "tgt")
                origin = origin_of(option, records.text(record, "origin") if "origin" in record else "")
                subset_of(origin, records.text(record, "src_lang"), records.text(record, "tgt_lang"))
            id_string(bytes(record.get("id", b"")), b"")
            _DECODERS[option](line)
        except msgspec.ValidationError as error:
            raise RecordError(str(error).replace("`", "'").replace(" - at ", " at ")) from error
        return option

    def _read_lines(self, option: str, lines: list[bytes], data: bytes) -> SampleRows:
        if not data.isascii():
            data.decode()  # invalid UTF-8 must be found here: most values are copied without being decoded
        if option == REPLAY:
            rows = SampleRows()
            self._read_replayed([self._replayed(records.parse(line)) for line in lines], rows)
            return rows
        decoded = list(map(_DECODERS[option], lines))
        # Records with none but these keys, each once and without white space, are as long when they are written again.
        if data and len(records.serialise(decoded)) != len(data) and records.parse_lines(data) is None:
            raise RecordError("a bad line")  # which is found one by one
        rows = SampleRows()
        if option == "mono":
            self._read_texts(decoded, rows)
        elif option == "mt":
            self._read_translations(decoded, rows)
        else:
            self._read_pairs(option, decoded, _json_strings([pair.tgt for pair in decoded]), rows)
        return rows

    def _read_translations(self, translations: list[_Translation], rows: SampleRows) -> None:
        whole = [translation for translation in translations if not translation.truncated]
        rows.left_out.update({f"{TRUNCATED} (mt)": len(translations) - len(whole)})
        targets = _json_strings([record.mt if record.tgt is _ABSENT else record.tgt for record in whole])
        self._read_pairs("mt", whole, targets, rows)

    def _read_pairs(self, option: str, pairs: list[Any], targets: list[bytes], rows: SampleRows) -> None:
        if not pairs:
            return
        ids = b"\n".join([pair.id for pair in pairs]).split(b"\n")
        known_formats = self._pair_formats[option]
        formats = [known_formats[key] for key in map(_format_key, pairs)]
        columns = PairColumns(_json_strings([pair.src for pair in pairs]), targets, ids, formats)
        if left_out := self._find_left_out(columns, rows.left_out):
            columns = columns.without(left_out)
        add_pairs = add_split_pairs if self._settings.split else add_connected_pairs
        add_pairs(columns, rows)

    def _find_left_out(self, pairs: PairColumns, tally: Tally) -> set[int]:
        """Return the indices of the pairs that are left out, and count them by reason."""
        reasons: dict[int, str] = {}
        for side in (pairs.sources, pairs.targets):
            reasons.update((index, EMPTY) for index in _find_empty(side))
            if self._settings.excluded:
                reasons.update((index, EXCLUDED) for index in self._settings.excluded.find_lines(_as_lines(side)))
        tally.update(f"{reason} ({pairs.formats[index].subset.origin})" for index, reason in reasons.items())
        return set(reasons)

    def _read_texts(self, decoded: list[_Text], rows: SampleRows) -> None:
        texts = _json_strings([record.text for record in decoded])
        empty = set(_find_empty(texts))
        rows.left_out.update({f"{EMPTY} (mono)": len(empty)})
        for index, (text, record) in enumerate(zip(texts, decoded, strict=True)):
            if index not in empty and (kept := self._remove_excluded(text, rows)):
                blocks = [kept] if self._cutter is None else map(_encode, self._cutter.cut(_decode_string(kept)))
                add_text(kept, blocks, bytes(record.id), self._text_formats[record.lang], rows)

    def _replayed(self, record: records.Record) -> "_Replayed":
        """Return a text, a sample or an instruction to replay; RecordError for anything else."""
        raw_id = bytes(record.get("id", b""))
        id_string(raw_id, b"")
        sample_format = self._replay_formats[records.text(record, "lang") if "lang" in record else ""]
        if "text" in record:
            return _Replayed("", records.text(record, "text"), raw_id, sample_format, is_text=True)
        if "instruction" in record:
            record = find(self._settings.render_instruction)(record)
        elif "completion" not in record:
            hint = "; chats need the template of a model" if "messages" in record else ""
            raise RecordError(
                f"neither 'text', nor 'completion', nor 'instruction' in the record (it has {', '.join(record)}){hint}"
            )
        prompt = records.text(record, "prompt") if "prompt" in record else ""
        return _Replayed(prompt, records.text(record, "completion"), raw_id, sample_format, is_text=False)

    def _read_replayed(self, replayed: "list[_Replayed]", rows: SampleRows) -> None:
        for each in replayed:
            if not each.completion.strip():
                rows.left_out[f"{EMPTY} ({REPLAY})"] += 1
            elif each.is_text:
                if kept := self._remove_excluded(_encode(each.completion), rows, REPLAY):
                    blocks = [kept] if self._cutter is None else map(_encode, self._cutter.cut(_decode_string(kept)))
                    add_text(kept, blocks, each.raw_id, each.sample_format, rows)
            elif self._settings.excluded and (
                each.prompt in self._settings.excluded or each.completion in self._settings.excluded
            ):
                rows.left_out[f"{EXCLUDED} ({REPLAY})"] += 1
            elif each.prompt:
                add_prompted(_encode(each.prompt), _encode(each.completion), each.raw_id, each.sample_format, rows)
            else:
                add_text(_encode(each.completion), [_encode(each.completion)], each.raw_id, each.sample_format, rows)

    def _remove_excluded(self, text: bytes, rows: SampleRows, origin: str = "mono") -> bytes:
        """Return a text without the sentences of evaluation sets; nothing if there is no other sentence."""
        if not self._settings.excluded:
            return text
        kept, count = self._settings.excluded.remove_from(_decode_string(text))
        rows.removed_sentences += count
        if count and not kept.strip():
            rows.left_out[f"{EXCLUDED} ({origin})"] += 1
            return b""
        return _encode(kept) if count else text


def _lines_at(data: bytes, starts: list[int] | None) -> tuple[list[bytes], bytes]:
    """Return the lines of whole lines that begin at some places, None for all of them; without and with their ends."""
    if starts is None or len(starts) == data.count(b"\n"):
        lines = data.split(b"\n")
        lines.pop()
        return lines, data
    lines = [data[start : data.index(b"\n", start)] for start in starts]
    return lines, b"\n".join([*lines, b""])


def _numbers_of(chunk: Chunk, starts: list[int] | None) -> Iterator[int]:
    """Yield the numbers of the lines of a chunk that begin at some places, or of all lines for None."""
    number, last = chunk.line, 0
    if starts is None:
        yield from count(number)
        return
    for start in starts:
        number += chunk.data.count(b"\n", last, start)
        last = start
        yield number


def _json_strings(values: list[msgspec.Raw]) -> list[bytes]:
    """Return JSON strings without unnecessary escapes; RecordError if a value is not a string."""
    joined = b"\n".join([b"", *values])
    if joined.count(b'\n"') != len(values):
        raise RecordError("not a string")
    strings = joined.split(b"\n")[1:]
    if b"\\" in joined:
        return [_encode(_decode_string(string)) if b"\\" in string else string for string in strings]
    return strings


def _as_lines(strings: list[bytes]) -> str:
    """Return the texts of JSON strings, each still in quotes, as lines."""
    joined = b"\n".join(strings)
    if b"\\" in joined:
        joined = b"\n".join(
            _decode_string(string).replace("\n", " ").encode() if b"\\" in string else string for string in strings
        )
    return joined.decode()


def _find_empty(strings: list[bytes]) -> list[int]:
    """Return the indices of the JSON strings that are nothing but white space."""
    return [index for index, string in enumerate(strings) if string[1] in _BLANK and not _decode_string(string).strip()]
