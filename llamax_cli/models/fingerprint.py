"""Whether a model is still the same one: a hash of its files, for the manifest, `--resume` and caches."""

from collections.abc import Sequence
from pathlib import Path

from llamax_cli.errors import naming
from llamax_cli.models.contracts import GROUP, ModelChoice
from llamax_cli.streams.fingerprints import SAMPLED, folder_fingerprint

PIECES = 64  # of SAMPLED bytes, spread over a file of weights


def fingerprint(model: str) -> str:
    """Return a hash of a model's folder: the names and sizes of its files, small files whole, the ends of large ones.

    A name on the hub or on a server is returned unchanged: `fingerprint("LLaMAX/LLaMAX3-8B") -> "LLaMAX/LLaMAX3-8B"`.
    """
    folder = Path(model)
    return folder_fingerprint(folder) if folder.is_dir() else model


def weights_fingerprint(model: str) -> str:
    """Return a hash of what a model computes with: its configuration, and pieces spread over its files of weights.

    Other files, such as a card, may change. A file is hashed by its content, a name on the hub is returned unchanged.
    FileError if a file cannot be read.
    """
    from xxhash import xxh3_64

    folder = Path(model)
    if not folder.exists():
        return model
    paths = sorted([*folder.glob("config.json"), *folder.glob("*.safetensors"), *folder.glob("*.bin")])
    digest = xxh3_64()
    for path in paths if folder.is_dir() else [folder]:
        with naming(path), path.open("rb") as file:
            size = path.stat().st_size
            digest.update(f"{path.name if folder.is_dir() else ''}:{size}\n".encode())
            if size <= PIECES * SAMPLED:
                digest.update(file.read())
                continue
            for piece in range(PIECES):
                file.seek((size - SAMPLED) * piece // (PIECES - 1))
                digest.update(file.read(SAMPLED))
    return digest.hexdigest()


def fingerprints(choices: Sequence[ModelChoice]) -> list[str]:
    """Return the fingerprints of all models and LoRA adapters."""
    names = (name for choice in choices for name in (choice.model, *_adapters(choice.lora)))
    return [fingerprint(name) for name in names]


def _adapters(lora: str | None) -> list[str]:
    """Return the adapters that `--lora` names: one for each group of languages, if it has a place for the group."""
    if lora is None or GROUP not in lora:
        return [] if lora is None else [lora]
    path = Path(lora)
    return sorted(map(str, path.parent.glob(path.name.replace(GROUP, "*")))) or [lora]
