"""A `tokenizer.model` of SentencePiece, and what it becomes with more pieces."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llamax_cli.errors import FileError, ModelError, because

FARTHEST = 128  # between the scores of two pieces, so that they differ in 32 bits even beside LLaMA-2's -1e9
KINDS = {1: "Unigram", 3: "word", 4: "character"}
BPE = 2


class SentencePieceModel:
    """A byte-pair encoding in a file of SentencePiece; ModelError if it is of another kind, or damaged."""

    def __init__(self, data: bytes, name: str) -> None:
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
        from sentencepiece import sentencepiece_model_pb2 as protobuf

        self.name = name
        self.proto: Any = protobuf.ModelProto()  # type: ignore[attr-defined]
        try:
            self.proto.ParseFromString(data)
        except DecodeError as error:
            raise ModelError(f"{name} is not a model of SentencePiece") from error
        kind = self.proto.trainer_spec.model_type
        if not self.proto.pieces:
            raise ModelError(f"{name} is not a model of SentencePiece")
        if kind != BPE:
            raise ModelError(
                f"{name} is a {KINDS.get(kind, 'strange')} model of SentencePiece; only byte-pair encodings (BPE) can "
                "be extended, since their merges can come after the old ones"
            )

    @classmethod
    def read(cls, path: Path) -> "SentencePieceModel":
        """Return the model in a file; FileError if it cannot be read."""
        try:
            return cls(path.read_bytes(), str(path))
        except OSError as error:
            raise FileError(f"{path}: {because(error)}") from error

    @property
    def splits_digits(self) -> bool:
        """Whether it was learnt so that every digit is a piece, as LLaMA-2's."""
        return bool(self.proto.trainer_spec.split_digits)

    def check(self, vocabulary: Mapping[str, int]) -> None:
        """Raise ModelError where a piece has another id than in the vocabulary of `tokenizer.json`."""
        for number, piece in enumerate(self.proto.pieces):
            if piece.type == piece.NORMAL and vocabulary.get(piece.piece) != number:
                raise ModelError(
                    f"{self.name} and tokenizer.json are different tokenizers: {piece.piece!r} is {number} in one and "
                    f"{vocabulary.get(piece.piece)} in the other; remove the one that is not the model's"
                )

    def extended(self, pieces: Mapping[str, int], others: Mapping[int, str]) -> "SentencePieceModel":
        """Return the model with more pieces, which are merged after all old ones.

        A piece's id is its place in the file. `others` are the tokens that the file does not have, by id; where one of
        them stands before the new pieces, its place is taken by a piece that no text is cut into.
        """
        extended = SentencePieceModel(self.proto.SerializeToString(), self.name)
        proto = extended.proto
        score = min(piece.score for piece in proto.pieces)
        for number in range(len(proto.pieces), min(pieces.values(), default=0)):
            proto.pieces.add(piece=others.get(number, f"<unused{number}>"), score=0, type=proto.SentencePiece.CONTROL)
        for place, piece in enumerate(pieces, 1):
            proto.pieces.add(piece=piece, score=score - FARTHEST * place, type=proto.SentencePiece.NORMAL)
        proto.trainer_spec.vocab_size = len(proto.pieces)
        return extended

    def unreached(self, pieces: Sequence[str]) -> dict[str, list[str]]:
        """Return the tokens of each piece that the model does not make of its text; ModelError if it is broken."""
        from sentencepiece import SentencePieceProcessor, sentencepiece_model_pb2

        bare: Any = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]
        bare.CopyFrom(self.proto)
        bare.normalizer_spec.Clear()
        for name in ("add_dummy_prefix", "remove_extra_whitespaces"):  # which are on by default
            setattr(bare.normalizer_spec, name, False)
        processor: Any = SentencePieceProcessor()
        texts = [piece.replace("▁", " ") for piece in pieces]
        try:
            processor.LoadFromSerializedProto(bare.SerializeToString())
            found = zip(pieces, processor.encode(texts, out_type=str), strict=True)
        except (RuntimeError, UnicodeDecodeError) as error:
            raise ModelError(f"{self.name} is broken: {error}") from error
        return {piece: tokens for piece, tokens in found if tokens != [piece]}

    def serialise(self) -> bytes:
        """Return the bytes of the file, always the same."""
        data: bytes = self.proto.SerializeToString(deterministic=True)
        return data
