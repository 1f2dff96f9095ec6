"""The list of pieces that a user gives: one piece a line, and `▁` for a space."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from llamax_cli.console import escape
from llamax_cli.errors import DataError, FileError, because
from llamax_cli.vocabulary.byte_pair_encoding import SPACE, BytePairEncoding

SHOWN = 5  # bad lines that a message names


def read_pieces(path: Path, encoding: BytePairEncoding) -> list[str]:
    """Return the pieces of a file as the vocabulary writes them; DataError for lines that cannot be new pieces.

    A line is a text. It may not be blank, nor be there twice, nor be in the vocabulary; nor hold the text of a special
    token, nor cross a boundary over which the tokenizer never merges.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise FileError(f"{path}: {because(error)}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: byte 0x{error.object[error.start]:02x} at {error.start}") from error
    if not text:
        raise DataError(f"{path} is empty; write one piece a line")
    lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    pieces: dict[str, int] = {}
    wrong: list[str] = []
    for number, line in enumerate(lines, 1):
        piece = encoding.piece(line)
        reason = f"is on line {pieces[piece]} already" if piece in pieces else why_not(line, piece, encoding)
        if reason:
            wrong.append(f"line {number}: {_quoted(line)} {reason}" if line.strip() else f"line {number} is blank")
        pieces.setdefault(piece, number)
    _refuse(path, wrong)
    return list(pieces)


def why_not(line: str, piece: str, encoding: BytePairEncoding) -> str:
    """Return why a text cannot be a new piece, "" if it can."""
    if not line.strip():
        return "is blank"
    if piece in encoding.vocabulary:
        return f"is in the vocabulary already, as token {encoding.vocabulary[piece]}"
    text = line.replace(SPACE, " ")
    for token in encoding.added:
        if token in text:
            return f"holds the special token {token}, at which every text is cut"
    normalized = encoding.normalize(text)
    if encoding.piece(normalized) != piece:
        return f"is normalized to {_quoted(normalized)}"
    parts = encoding.pre_tokenize(normalized)
    if len(parts) > 1:
        return f"crosses a boundary of the pre-tokenizer: {', '.join(map(_quoted, parts))}"
    return ""


def check_reached(
    path: Path, pieces: Sequence[str], unreached: Callable[[Sequence[str]], Mapping[str, list[str]]]
) -> None:
    """Raise DataError for pieces of a list that no merges make."""
    lost = unreached(pieces)
    _refuse(
        path,
        [
            f"{_quoted(piece)} cannot be reached by merges: it stays {', '.join(map(_quoted, tokens))}"
            + (" (add a piece that joins two of these before it)" if len(tokens) > 2 else "")
            for piece, tokens in lost.items()
        ],
    )


def _refuse(path: Path, wrong: Sequence[str]) -> None:
    if wrong:
        more = f"; and {len(wrong) - SHOWN:,} more" if len(wrong) > SHOWN else ""
        raise DataError(f"{path}: {'; '.join(wrong[:SHOWN])}{more}")


def _quoted(text: str) -> str:
    return f"'{escape(text)}'"
