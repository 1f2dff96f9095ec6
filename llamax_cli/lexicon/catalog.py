"""Where named lexicons are stored: `panlex` is `~/.local/share/llamax/lexicons/panlex.lex`."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llamax_cli.errors import FileError, LexiconError, UsageError
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.registry import suggestion

ENDING = ".lex"
NAME = re.compile(r"\w[\w.+-]*")


def lexicon_folder() -> Path:
    """Return the folder of named lexicons: `lexicons` in LLAMAX_DATA, XDG_DATA_HOME/llamax or ~/.local/share/llamax."""
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(os.environ.get("LLAMAX_DATA") or Path(home) / "llamax") / "lexicons"


def path_of(name: str) -> Path:
    """Return the file of a named lexicon; raise UsageError if the name is not valid."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"--name {name!r}: a name contains only letters, digits and . _ + -; for a path use -o FILE.lex"
        )
    return lexicon_folder() / f"{name.removesuffix(ENDING)}{ENDING}"


def open_lexicon(name: str | Path) -> Lexicon:
    """Open a compiled lexicon by its path or its name; raise LexiconError if there is none."""
    path = lexicon_path(name)
    if path != Path(name) and not path.is_file():
        hint = suggestion(str(name), lexicon_names())
        raise LexiconError(
            f"no lexicon named {str(name)!r}; {hint}; to build it: llamax build-lexicon --name {name} ..."
        )
    return Lexicon(path)


def lexicon_path(name: str | Path) -> Path:
    """Return the file of a compiled lexicon by its path or its name, whether or not it is there."""
    path = Path(name)
    if path.is_file() or path.suffix == ENDING or len(path.parts) != 1:
        return path
    return lexicon_folder() / f"{name}{ENDING}"


def describe_lexicons() -> Iterator[dict[str, Any]]:
    """Yield a record for each named lexicon; if it cannot be read, the key `error` says why."""
    for path in _paths():
        record: dict[str, Any] = {"name": path.stem, "path": str(path)}
        try:
            lexicon = Lexicon(path)
        except (LexiconError, FileError) as error:
            yield {**record, "error": str(error)}
        else:
            yield {**record, "entries": len(lexicon), "languages": lexicon.languages, "bytes": lexicon.size}


def lexicon_names() -> list[str]:
    """Return the names of all lexicons that have one."""
    return [path.stem for path in _paths()]


def _paths() -> list[Path]:
    return sorted(lexicon_folder().glob(f"*{ENDING}"))
