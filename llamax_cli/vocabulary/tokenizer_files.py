"""The files of a tokenizer in the folder of a model: what they hold, and what they are with more pieces.

One tokenizer may be there in several forms, `tokenizer.json`, `tokenizer.model` of SentencePiece, or `vocab.json` and
`merges.txt`. Each form that is there gets the new pieces, under the same ids and with the same merges.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llamax_cli.documents import loads
from llamax_cli.errors import FileError, ModelError, because
from llamax_cli.models.pretrained import load_tokenizer
from llamax_cli.tokenization import is_tiktoken
from llamax_cli.vocabulary.byte_pair_encoding import BytePairEncoding, check_kind
from llamax_cli.vocabulary.sentencepiece_model import SentencePieceModel

JSON, SPM, VOCABULARY, MERGES = "tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt"
# Files that stay right with more pieces, since old tokens keep their ids; any other form of the vocabulary would not.
KEPT = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")


class TokenizerFiles:
    """The tokenizer of a model; ModelError if there is none, or if it cannot be extended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._json = self._read_json(JSON)
        if self._json is not None:
            check_kind(self._json, str(folder))
        self._sentencepiece = self._read_sentencepiece()
        self.tokenizer = load_tokenizer(str(folder))
        self.encoding = BytePairEncoding(_backend(self.tokenizer, folder), str(folder))
        if self._sentencepiece is not None and self._json is not None:
            self._sentencepiece.check(self.encoding.vocabulary)
        self._vocabulary = self._read_json(VOCABULARY) if (folder / MERGES).is_file() else None
        if self._json is None and self._sentencepiece is None and self._vocabulary is None:
            raise ModelError(f"{folder}: its tokenizer has no {JSON}; save it once with transformers, which writes one")

    def _read_json(self, name: str) -> dict[str, Any] | None:
        path = self.folder / name
        if not path.is_file():
            return None
        try:
            data = loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise FileError(f"{path}: {because(error)}") from error
        if not isinstance(data, dict):
            raise FileError(f"{path} is not a file of a tokenizer")
        return data

    def _read_sentencepiece(self) -> SentencePieceModel | None:
        path = self.folder / SPM
        if not path.is_file():
            return None
        with path.open("rb") as file:
            is_sentencepiece = not is_tiktoken(file.read(1 << 10))
        return SentencePieceModel.read(path) if is_sentencepiece else None

    @property
    def splits_digits(self) -> bool:
        """Whether every digit is a token, as in LLaMA-2, so that no new piece may have two."""
        if self._sentencepiece is not None:
            return self._sentencepiece.splits_digits
        return not any(token.isdecimal() and len(token) > 1 for token in self.encoding.vocabulary)

    @property
    def next_id(self) -> int:
        """The first id that no token has in any of the files."""
        pieces = len(self._sentencepiece.proto.pieces) if self._sentencepiece is not None else 0
        return max(self.encoding.next_id, pieces)

    def ids(self, pieces: Sequence[str]) -> dict[str, int]:
        """Return the ids of new pieces."""
        return {piece: self.next_id + place for place, piece in enumerate(pieces)}

    def unreached(self, pieces: Sequence[str]) -> dict[str, list[str]]:
        """Return the tokens of each new piece whose text would still be cut into several, by any of the files."""
        found = self.encoding.extended(pieces).unreached(pieces)
        if self._sentencepiece is not None:
            extended = self._sentencepiece.extended(self.ids(pieces), {})
            found = {**extended.unreached(pieces), **found}
        return found

    @property
    def written(self) -> list[str]:
        """The names of the files that hold the vocabulary."""
        forms = {JSON: self._json, SPM: self._sentencepiece, VOCABULARY: self._vocabulary, MERGES: self._vocabulary}
        return [name for name, form in forms.items() if form is not None]

    def write(self, folder: Path, pieces: Sequence[str]) -> None:
        """Write the files with new pieces into another folder, and check that transformers reads them so."""
        ids = self.ids(pieces)
        if self._json is not None:
            data = BytePairEncoding(self._json, str(self.folder)).extended_data(ids)
            _write(folder / JSON, json.dumps(data, indent=2, ensure_ascii=False) + "\n")
        if self._sentencepiece is not None:
            tokens = {number: token for token, number in self.encoding.vocabulary.items()}
            (folder / SPM).write_bytes(self._sentencepiece.extended(ids, tokens).serialise())
        if self._vocabulary is not None:
            known = {**self._vocabulary, **self.encoding.added, **ids}
            _write(folder / VOCABULARY, json.dumps(known, ensure_ascii=False) + "\n")
            old = (self.folder / MERGES).read_text(encoding="utf-8")
            lines = "".join(f"{left} {right}\n" for left, right in self.encoding.merges(pieces))
            _write(folder / MERGES, old + ("" if old.endswith("\n") else "\n") + lines)

    def check_written(self, folder: Path, pieces: Sequence[str]) -> Any:
        """Return the tokenizer that transformers reads from a folder; ModelError if it is not the extended one."""
        tokenizer = load_tokenizer(str(folder))
        written = BytePairEncoding(_backend(tokenizer, folder), str(folder))
        expected = {**self.encoding.vocabulary, **self.ids(pieces)}
        wrong = next((token for token, number in expected.items() if written.vocabulary.get(token) != number), None)
        wrong = wrong or next(iter(written.unreached(pieces)), None)
        if wrong is not None:
            raise ModelError(
                f"{self.folder}: transformers does not read the extended tokenizer as it is written ({wrong!r}); "
                f"save the tokenizer once with transformers, which writes {JSON}, and extend that"
            )
        return tokenizer

    def stays(self, names: Sequence[str]) -> Iterator[str]:
        """Yield those of the names that are no other form of the vocabulary, which would be the old one."""
        for name in names:
            is_of_vocabulary = name.startswith(("tokenizer", "vocab")) or name.endswith((".model", ".tiktoken"))
            if name not in (JSON, SPM, VOCABULARY, MERGES) and (name in KEPT or not is_of_vocabulary):
                yield name


def _backend(tokenizer: Any, folder: Path) -> Mapping[str, Any]:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(f"{folder}: its tokenizer is one of Python alone; only one with {JSON} can be extended")
    data: dict[str, Any] = json.loads(backend.to_str())
    return data


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
