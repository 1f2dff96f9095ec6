"""The SentencePiece models of spBLEU: where they are, and their checksums."""

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from llamax_cli.errors import FileError, because

PUBLISHED = ("flores101", "flores200")


class SpmModel(NamedTuple):
    """A model: sacreBLEU's name for it, its file, and the first twelve hexadecimal digits of its SHA-256."""

    name: str
    path: Path
    checksum: str


def resolve_model(name: str) -> SpmModel:
    """Return a published model, from sacreBLEU's cache or downloaded into it, or the model in a file.

    sacreBLEU publishes no checksums of its models, so each signature carries that of the file in use. FileError if the
    file cannot be read or downloaded.
    """
    path = _find_or_download(name) if name in PUBLISHED else Path(name)
    try:
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    except OSError as error:
        hint = f"; --spm takes {', '.join(PUBLISHED)} or a file" if name not in PUBLISHED else ""
        raise FileError(f"{path}: {because(error)}{hint}") from error
    return SpmModel(name if name in PUBLISHED else "spm", path, checksum)


def _find_or_download(name: str) -> Path:
    from urllib.error import URLError

    from sacrebleu.tokenizers.tokenizer_spm import SPM_MODELS
    from sacrebleu.utils import SACREBLEU_DIR, download_file

    url = SPM_MODELS[name]["url"]
    path = Path(SACREBLEU_DIR, "models", os.path.basename(url))
    if not path.exists() or not path.stat().st_size:
        partial = path.with_name(f"{path.name}.partial")
        new_folders = [folder for folder in path.parents if not folder.exists()]  # innermost first
        try:
            download_file(url, str(partial))  # type: ignore[no-untyped-call]
            os.replace(partial, path)
        except OSError as error:
            reason = error.reason if isinstance(error, URLError) else error
            why = because(reason) if isinstance(reason, OSError) else reason
            raise FileError(
                f"the SentencePiece model {name} is not at {path} and cannot be fetched from {url} ({why}); "
                "put it there (SACREBLEU names another folder) or give a file with --spm"
            ) from error
        finally:
            for left_over in (partial, Path(f"{partial}.lock")):  # sacreBLEU's lock is held no longer
                left_over.unlink(missing_ok=True)
            if not path.exists():
                _remove_empty(new_folders)
    return path


def _remove_empty(folders: Sequence[Path]) -> None:
    """Remove folders, innermost first, up to one that is not there or that has something in it by now."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()
