"""Errors that a user can fix; any other exception keeps its traceback.

LlamaxError              1   any failure whose message says how to fix it
├── UsageError           2   the command line is wrong
├── FileError            1   a file or folder is missing or damaged, or cannot be read or written
│   └── UnsyncedError    1   it is complete, but its name may not be on disk yet
├── ResumeError          1   an interrupted run cannot be continued
├── WorkerError          1   a worker process died
├── LexiconError         1   a compiled lexicon is missing, damaged or of another version
├── ModelError           1   a model is missing, cannot be loaded or does not fit
├── ServerError          1   a translation server cannot be reached or refuses
├── TrainingError        1   training failed: the loss is not finite, or a rank failed
├── ReplayError          1   what a manifest tells of cannot be made again, or differs
└── DataError           65   the data is not what the command reads
    ├── RecordError     65   one record is bad; `--rejects` moves it to a file
    └── LanguageError   65   an unknown language code
Interruption                 not an error: a signal ends the run
├── Terminated         143   SIGTERM
│   └── HungUp         129   SIGHUP
└── (KeyboardInterrupt 130   SIGINT, Python's own)
"""

from collections.abc import Iterator
from contextlib import contextmanager


class LlamaxError(Exception):
    """A failure that the user can fix; `str(error)` is one line that says where, what and what to do."""

    exit_code = 1


class UsageError(LlamaxError):
    """The arguments contradict each other, or name something that does not exist."""

    exit_code = 2


class FileError(LlamaxError):
    """A file or folder cannot be read or written."""


class UnsyncedError(FileError):
    """A file or folder is complete and has its name, but the disk refuses to confirm that."""


class ResumeError(LlamaxError):
    """`--resume` does not match the state that the interrupted run saved."""


class WorkerError(LlamaxError):
    """A worker process ended before its work did."""


class LexiconError(LlamaxError):
    """There is no compiled lexicon of that name, or it cannot be read."""


class ModelError(LlamaxError):
    """A model, its tokenizer or its device is missing, broken or too small."""


class ServerError(LlamaxError):
    """A server cannot be reached, refuses, or does not answer with a translation."""


class TrainingError(LlamaxError):
    """Training cannot continue: the loss is not a finite number, or it jumps."""


class ReplayError(LlamaxError):
    """A run cannot be made again, or what it made has other bytes."""


class DataError(LlamaxError):
    """The input is not what the command reads."""

    exit_code = 65


class RecordError(DataError):
    """One record is bad; a stage raises this, and the stream adds file and line."""


class LanguageError(RecordError):
    """An unknown language code."""


class Terminated(BaseException):
    """SIGTERM arrived; like KeyboardInterrupt, this is not an Exception."""

    exit_code = 143


class HungUp(Terminated):
    """SIGHUP arrived: the terminal is gone."""

    exit_code = 129


def because(error: OSError | ValueError) -> str:
    """Return the reason of an error in lower case: "no such file or directory"."""
    reason = error.strerror if isinstance(error, OSError) else None
    return (reason or str(error)).lower()


@contextmanager
def naming(path: object) -> Iterator[None]:
    """Raise FileError, with the name of a file or folder, where the system refuses something; a read names none."""
    try:
        yield
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
