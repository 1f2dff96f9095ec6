"""Where compiled lexicons live by name: `panlex` is `~/.local/share/llamax/lexicons/panlex.lex`."""

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


def shelf() -> Path:
    """Return the folder: in LLAMAX_DATA, or else in XDG_DATA_HOME/llamax, or else in ~/.local/share/llamax."""
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(os.environ.get("LLAMAX_DATA") or Path(home) / "llamax") / "lexicons"


def path_of(name: str) -> Path:
    """Return the file of a named lexicon; UsageError where the name is none."""
    if not NAME.fullmatch(name):
        raise UsageError(f"--name {name!r}: a name has letters, digits and any of . _ + -; -o FILE.lex takes a path")
    return shelf() / f"{name.removesuffix(ENDING)}{ENDING}"


def open_lexicon(name: str | Path) -> Lexicon:
    """Open a compiled lexicon by its path, or by its name on the shelf; LexiconError where there is none."""
    path = Path(name)
    if path.is_file() or path.suffix == ENDING or len(path.parts) != 1:
        return Lexicon(path)
    found = shelf() / f"{name}{ENDING}"
    if not found.is_file():
        hint = suggestion(str(name), (each.stem for each in _files()))
        raise LexiconError(
            f"no lexicon named {str(name)!r}; {hint}; to build it: llamax build-lexicon --name {name} ..."
        )
    return Lexicon(found)


def named() -> Iterator[dict[str, Any]]:
    """Yield a record for each lexicon on the shelf; `error` says what is wrong with one that cannot be read."""
    for path in _files():
        record: dict[str, Any] = {"name": path.stem, "path": str(path)}
        try:
            lexicon = Lexicon(path)
        except (LexiconError, FileError) as error:
            yield {**record, "error": str(error)}
        else:
            yield {**record, "entries": len(lexicon), "languages": lexicon.languages, "bytes": lexicon.size}


def _files() -> list[Path]:
    return sorted(shelf().glob(f"*{ENDING}"))
