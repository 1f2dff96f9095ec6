"""Tokenizers from files of Hugging Face, SentencePiece and tiktoken."""

import binascii
import os
import re
from collections.abc import Callable, Collection
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from llamax_cli.documents import loads
from llamax_cli.errors import FileError


class Tokenizer(NamedTuple):
    """Two functions of a text, without special tokens: the number of tokens, and the end of each in characters."""

    count: Callable[[str], int]
    ends: Callable[[str], list[int]]


# LLaMA-3 splits text by this before it merges bytes; its file does not contain it.
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@cache
def load(path: Path) -> Tokenizer:
    """Return the tokenizer at a path.

    The path is a folder with `tokenizer.json` or `tokenizer.model`, or such a file, of Hugging Face, SentencePiece or
    tiktoken (as in LLaMA-3). FileError for anything else.

    `load(Path("llama2")).ends("Hello world") -> [5, 11]`
    """
    file = _file(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise FileError(f"{file}: {(error.strerror or str(error)).lower()}") from error
    if data.lstrip().startswith(b"{"):
        return _hugging_face(file, data)
    return _tiktoken(file, data) if is_tiktoken(data) else _sentencepiece(file, data)


def is_tiktoken(data: bytes) -> bool:
    """Return whether a file is one of tiktoken, with a token in base64 and its rank on each line."""
    return re.match(rb"[A-Za-z0-9+/]+=* \d+\r?\n", data) is not None


def find_file(path: Path) -> Path | None:
    """Return the file of the tokenizer in a folder, if it has one that `load` knows."""
    return next((path / name for name in ("tokenizer.json", "tokenizer.model") if (path / name).is_file()), None)


def _file(path: Path) -> Path:
    if not path.exists():
        raise FileError(f"no tokenizer at {path}: no such file or directory")
    if not path.is_dir():
        return path
    if (file := find_file(path)) is not None:
        return file
    raise FileError(f"no tokenizer in {path}: it has neither tokenizer.json nor tokenizer.model")


def _broken(file: Path, kind: str, error: object) -> FileError:
    reason = str(error).strip().partition("\n")[0]
    return FileError(f"{file} is not a tokenizer that {kind} can load{f' ({reason})' if reason else ''}")


def _hugging_face(file: Path, data: bytes) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        loads(data)  # the message of the library does not show where the JSON is broken
        tokenizer = Tokenizer.from_str(data.decode())
    except ValueError as error:
        raise _broken(file, "Hugging Face tokenizers", error) from error
    except Exception as error:
        if type(error) is not Exception:  # the library raises no more specific exception
            raise
        raise _broken(file, "Hugging Face tokenizers", error) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return _functions(tokenizer, file)


def _functions(tokenizer: Any, file: Path) -> Tokenizer:
    # A batch of one text would be handed to a thread, and a worker that is forked after that is warned about it.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    encode_batch = partial(tokenizer.encode_batch_fast, add_special_tokens=False)  # without offsets, a third faster

    def of_library(function: Callable[[str], Any]) -> Callable[[str], Any]:
        def call(text: str) -> Any:
            try:
                return function(text)
            except Exception as error:
                if type(error) is not Exception:  # the library raises no more specific exception
                    raise
                raise _broken(file, "Hugging Face tokenizers", error) from error

        return call

    return Tokenizer(
        of_library(lambda text: len(encode_batch((text,))[0])),
        of_library(lambda text: [end for _, end in tokenizer.encode(text, add_special_tokens=False).offsets]),
    )


def _sentencepiece(file: Path, data: bytes) -> Tokenizer:
    from sentencepiece import SentencePieceProcessor

    processor: Any = SentencePieceProcessor()
    try:
        processor.LoadFromSerializedProto(data)
    except RuntimeError as error:
        raise _broken(file, "SentencePiece", error) from error
    encode = processor.encode
    return Tokenizer(
        lambda text: len(encode(text)),
        lambda text: [end for _, end in encode(text, return_type="offset_mapping")["offsets"]],
    )


def _tiktoken(file: Path, data: bytes) -> Tokenizer:
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    from tokenizers.pre_tokenizers import ByteLevel

    ranks: dict[bytes, int] = {}
    try:
        for line in data.splitlines():
            token, rank = line.split()
            ranks[binascii.a2b_base64(token, strict_mode=True)] = _rank(rank)
    except (ValueError, binascii.Error) as error:
        raise _broken(file, "tiktoken", error) from error
    letters = byte_letters()
    vocabulary = {
        "".join(map(letters.__getitem__, token)): ranks[token] for token in sorted(ranks, key=ranks.__getitem__)
    }
    model = models.BPE(vocab=vocabulary, merges=_merges(vocabulary), ignore_merges=True, fuse_unk=False)
    tokenizer = Tokenizer(model)
    split = pre_tokenizers.Split(Regex(LLAMA3), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, ByteLevel(add_prefix_space=False, use_regex=False)])
    return _functions(tokenizer, file)


def _rank(digits: bytes) -> int:
    """Return the rank of a token, which the library holds in 32 bits; ValueError if it does not fit."""
    rank = int(digits)
    if not 0 <= rank < 1 << 32:
        raise ValueError(f"a rank of {rank} is not one of a token")
    return rank


def _merges(vocabulary: Collection[str]) -> list[tuple[str, str]]:
    """Return all merges of two tokens into a third one, in the order of the third, as tokens are in the vocabulary.

    The order among merges into the same token does not matter: in the bytes of a token, merges come in the same order
    wherever these stand, so that only one of its halvings is ever reached.
    """
    return [
        (left, token[cut:])
        for token in vocabulary
        for cut in range(1, len(token))
        if (left := token[:cut]) in vocabulary and token[cut:] in vocabulary
    ]


@cache
def byte_letters() -> dict[int, str]:
    """Return the printable character that stands for each byte in a byte-level vocabulary (GPT-2's table)."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = (byte for byte in range(256) if byte not in set(plain))
    return {**{byte: chr(byte) for byte in plain}, **{byte: chr(256 + place) for place, byte in enumerate(others)}}
