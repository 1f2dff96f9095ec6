"""Examples of translations for prompts, drawn from a file of pairs (`--shots`)."""

import tempfile
from array import array
from collections.abc import Iterator
from typing import Any, Self

from llamax_cli.errors import DataError, RecordError
from llamax_cli.models.contracts import TranslationRequest
from llamax_cli.models.prompt_template import Shot
from llamax_cli.randomness import below, bits
from llamax_cli.records import Record, language, parse, serialise, text
from llamax_cli.streams.chunks import chunks
from llamax_cli.streams.chunks import records as read_records
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.temporary import temporary_error

QUICK_DRAWS = 8  # draws for each example that is wanted, before all examples are put in an order


class Shots:
    """The pairs of a file by direction, in a temporary file that is deleted as the context ends.

    Memory holds 8 bytes for each pair. Which pairs a source gets depends on the seed, the source and the direction
    alone: so it is the same in any order, in any shard and after `--resume`. The source itself is never among them.
    """

    def __init__(self, source: Input, count: int, seed: int) -> None:
        source.hashing = True
        self._source = source
        self._count = count
        self._seed = seed
        self._offsets: dict[tuple[str, str], array[int]] = {}
        try:
            self._file: Any = tempfile.TemporaryFile(prefix="llamax-")  # noqa: SIM115 (closed with this object)
        except OSError as error:
            raise temporary_error(error) from error
        try:
            for _, pair in read_records(chunks([source]), _pair, _refuse):
                self._add(*pair)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def identity(self) -> dict[str, object]:
        """What translations depend on besides the options: the content of the file."""
        return {"shots_content": self._source.sha256}

    def _add(self, src_lang: str, tgt_lang: str, shot: Shot) -> None:
        self._offsets.setdefault((src_lang, tgt_lang), array("Q")).append(self._file.tell())
        try:
            self._file.write(serialise([{"src": shot.src, "tgt": shot.tgt}]))
        except OSError as error:
            raise temporary_error(error) from error

    def add(self, request: TranslationRequest) -> TranslationRequest:
        """Return a request with its examples; RecordError if the file has too few of its direction."""
        found: dict[str, Shot] = {}  # by source: a sentence is shown once
        for index in self._order(request):
            shot = self._read(request, index)
            if shot.src != request.src:
                found.setdefault(shot.src, shot)
            if len(found) == self._count:
                return request._replace(shots=tuple(found.values()))
        raise RecordError(
            f"{self._source.name} has {len(found)} examples in {request.src_lang}-{request.tgt_lang} "
            f"besides the record itself, and --shot-count is {self._count}"
        )

    def _order(self, request: TranslationRequest) -> Iterator[int]:
        """Yield numbers of pairs as they are drawn; all of them, if the first draws were not enough."""
        pairs = len(self._offsets.get((request.src_lang, request.tgt_lang), ()))
        for draw in range(QUICK_DRAWS * self._count if pairs else 0):
            yield below(pairs, bits(self._seed, "shots", *request.key, draw))
        yield from sorted(range(pairs), key=lambda index: bits(self._seed, "shot", *request.key, index))

    def _read(self, request: TranslationRequest, index: int) -> Shot:
        self._file.seek(self._offsets[request.src_lang, request.tgt_lang][index])
        pair = parse(self._file.readline().rstrip(b"\n"))
        return Shot(text(pair, "src"), text(pair, "tgt"))


def _pair(record: Record) -> tuple[str, str, Shot]:
    shot = Shot(text(record, "src"), text(record, "tgt"))
    return language(record, "src_lang"), language(record, "tgt_lang"), shot


def _refuse(name: str, line: int, reason: str, raw: bytes) -> None:
    raise DataError(f"{name}:{line}: {reason}; --shots takes pairs")
