"""Rejected lines: their records, the file that they are written to, and the limit of their number."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from llamax_cli.errors import DataError, FileError, ResumeError, UsageError, because
from llamax_cli.streams.compression import ENDINGS


class Reject(NamedTuple):
    """A bad line: its input and line number, the reason, and its bytes; what stands on no line has "" and 0."""

    name: str
    line: int
    reason: str
    raw: bytes

    def serialise(self) -> bytes:
        """Return the reject as a line of JSON; bytes that are not UTF-8 are encoded in base64."""
        place = {"input": self.name, "line": self.line} if self.name else {}
        record: dict[str, object] = {**place, "reason": self.reason}
        try:
            record["raw"] = self.raw.decode()
        except UnicodeDecodeError:
            record["raw_base64"] = self.raw
        return msgspec.json.encode(record) + b"\n"

    def error(self) -> DataError:
        """Return the error that ends a run which has no file for bad lines."""
        error = DataError(f"{self.name}:{self.line}: {self.reason}")
        error.add_note("--rejects FILE sets such lines aside")
        return error


class RejectFile:
    """The file of `--rejects`, a log that is written at once and stays if the run fails; None for no file.

    `keep` bytes of an earlier run are kept.
    """

    def __init__(self, path: Path | None, keep: int = 0) -> None:
        self.is_open = path is not None
        self.size = 0
        self._file: Any = None
        if path is None:
            return
        check_reject_path(path)
        try:
            self._file = path.open("r+b" if keep else "wb", buffering=0)
            if keep:
                self._go_back(keep)
        except OSError as error:
            raise FileError(f"{path}: {because(error)}") from error

    def _go_back(self, size: int) -> None:
        if self._file.seek(0, os.SEEK_END) < size:
            raise ResumeError(f"{self._file.name} is shorter than it was; start again without --resume")
        self.size = self._file.seek(size)
        self._file.truncate()

    def write(self, rejects: list[Reject]) -> None:
        """Append the rejects."""
        if rejects:
            data = b"".join(reject.serialise() for reject in rejects)
            view = memoryview(data)
            try:
                while view:
                    view = view[self._file.write(view) :]
            except OSError as error:
                raise FileError(f"{self._file.name}: {because(error)}") from error
            self.size += len(data)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def check_reject_path(path: Path) -> None:
    """Raise UsageError or FileError, as RejectFile does, where no rejects can be written; nothing is made."""
    if path.suffix in ENDINGS:
        raise UsageError(f"--rejects writes uncompressed text; name the file without {path.suffix}")
    reason = 0
    if path.is_dir():
        reason = errno.EISDIR
    elif not path.parent.is_dir():
        reason = errno.ENOTDIR if path.parent.exists() else errno.ENOENT
    elif not os.access(path if path.exists() else path.parent, os.W_OK):
        reason = errno.EACCES
    if reason:
        raise FileError(f"{path}: {os.strerror(reason).lower()}")


def check_rejects(counts: Mapping[str, int], limit: str | None, path: Path | None) -> None:
    """Raise DataError where more lines were rejected than the limit of `--max-rejects` allows."""
    if limit is not None and counts["rejected"] > allowed_rejects(limit, counts["in"]):
        raise DataError(
            f"{counts['rejected']:,} of {counts['in']:,} lines were rejected, more than --max-rejects {limit}; "
            f"the reasons are in {path}"
        )


def allowed_rejects(limit: str, read: int) -> float:
    """Return how many of `read` lines may be rejected; `"20"` is a count, `"1%"` and `"0.01"` are shares.

    `allowed_rejects("1%", 500) -> 5.0`
    """
    try:
        if limit.isdecimal():
            return int(limit)
        share = float(limit[:-1]) / 100 if limit.endswith("%") else float(limit)
    except ValueError:  # also more digits than Python reads
        share = -1
    if not 0 <= share <= 1:
        raise UsageError(f"{limit!r} is not a count (20) or a share (1%, 0.01)")
    return share * read
