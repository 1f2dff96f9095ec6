"""What a user can mend, as exceptions; everything else keeps its traceback.

LlamaxError              1   something failed that the message says how to mend
├── UsageError           2   the command line asks for what cannot be
├── FileError            1   a file or folder is missing, unreadable, torn or cannot be written
├── ResumeError          1   an interrupted run cannot be continued as asked
├── WorkerError          1   a worker process died
├── LexiconError         1   a compiled lexicon is not there, damaged or of another version
├── ModelError           1   a model is not there, cannot be loaded or does not fit
├── ServerError          1   a server that translates cannot be reached or refuses
├── TrainingError        1   training went wrong: no finite loss, a rank that failed
└── DataError           65   the data is not what the command reads
    ├── RecordError     65   one record is bad: `--rejects` sets it aside
    └── LanguageError   65   a language code that means nothing here
Interruption                 not an error: the run was told to stop
├── Terminated         143   SIGTERM
└── (KeyboardInterrupt 130   SIGINT, Python's own)
"""


class LlamaxError(Exception):
    """A failure the user can mend; `str(error)` is one line that says where, what and what to do."""

    exit_code = 1


class UsageError(LlamaxError):
    """The arguments contradict each other or ask for something that does not exist."""

    exit_code = 2


class FileError(LlamaxError):
    """A file or folder cannot be read or written."""


class ResumeError(LlamaxError):
    """`--resume` does not fit what the interrupted run left behind."""


class WorkerError(LlamaxError):
    """A worker process ended before its work did."""


class LexiconError(LlamaxError):
    """There is no compiled lexicon of that name, or it cannot be read."""


class ModelError(LlamaxError):
    """A model, its tokenizer or what it runs on is missing, broken or too small."""


class ServerError(LlamaxError):
    """A server cannot be reached, refuses, or answers with something else than a translation."""


class TrainingError(LlamaxError):
    """Training cannot go on: the loss is no number any more, or it leaps."""


class DataError(LlamaxError):
    """The input is not what the command reads."""

    exit_code = 65


class RecordError(DataError):
    """One record is bad; raised by a stage, placed (file and line) by the stream."""


class LanguageError(RecordError):
    """A language code that no table knows."""


class Terminated(BaseException):
    """SIGTERM arrived; like KeyboardInterrupt it passes every `except Exception`."""

    exit_code = 143


def because(error: OSError | ValueError) -> str:
    """Return why the operating system refused, in lower case: "no such file or directory"."""
    reason = error.strerror if isinstance(error, OSError) else None
    return (reason or str(error)).lower()
