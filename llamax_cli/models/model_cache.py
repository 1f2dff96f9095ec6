"""Models in another format, made once and kept in the user's cache folder."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from llamax_cli.errors import FileError, because


def cached_model(kind: str, name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder `name` among the models of a kind; `make` fills it if it is not there.

    It appears whole or not at all. Of two runs that make the same one, the first to end provides it. FileError if it
    cannot be written.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llamax" / kind
    folder = home / name
    if folder.is_dir():
        return folder
    try:
        home.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=home, prefix=".making-"))
    except OSError as error:
        raise FileError(f"{home}: {because(error)}; set XDG_CACHE_HOME to another folder") from error
    try:
        make(partial)
        os.rename(partial, folder)
    except OSError as error:
        if not folder.is_dir():
            raise FileError(f"{partial}: {because(error)}; set XDG_CACHE_HOME to another folder") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder
