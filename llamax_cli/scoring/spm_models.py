"""Where the SentencePiece models of spBLEU come from, and their checksums."""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from llamax_cli.errors import FileError, because

PUBLISHED = ("flores101", "flores200")


class Model(NamedTuple):
    """A model: what sacreBLEU calls it, its file, and the first twelve digits of its SHA-256."""

    name: str
    path: Path
    checksum: str


def model(name: str) -> Model:
    """Return the model of a published name, from sacreBLEU's cache or the net, or a file's; FileError says why not.

    sacreBLEU knows no checksum of a model, so that of the file at hand goes into each signature.
    """
    path = _cached(name) if name in PUBLISHED else Path(name)
    try:
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    except OSError as error:
        hint = f"; --spm takes {', '.join(PUBLISHED)} or a file" if name not in PUBLISHED else ""
        raise FileError(f"{path}: {because(error)}{hint}") from error
    return Model(name if name in PUBLISHED else "spm", path, checksum)


def _cached(name: str) -> Path:
    from sacrebleu.tokenizers.tokenizer_spm import SPM_MODELS
    from sacrebleu.utils import SACREBLEU_DIR, download_file

    url = SPM_MODELS[name]["url"]
    path = Path(SACREBLEU_DIR, "models", os.path.basename(url))
    if not path.exists() or not path.stat().st_size:
        fetched = path.with_name(f"{path.name}.partial")
        try:
            download_file(url, str(fetched))  # type: ignore[no-untyped-call]
            os.replace(fetched, path)
        except OSError as error:
            fetched.unlink(missing_ok=True)
            reason = getattr(error, "reason", error)  # what lies beneath an error of urllib
            why = because(reason) if isinstance(reason, OSError) else reason
            raise FileError(
                f"the SentencePiece model {name} is not at {path} and cannot be fetched from {url} ({why}); "
                "put it there (SACREBLEU names another folder) or give a file with --spm"
            ) from error
    return path
