"""Safetensors files written one tensor after another, so that no more than one has to be in memory.

The format: the length of a header in 8 bytes, the header in JSON, padded with spaces to a multiple of 8 bytes, and the
bytes of all tensors without gaps. The library itself wants all tensors of a file at once. Tensors of one number format
make the same file here as there, to the byte.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
INDEX = "model.safetensors.index.json"


class TensorShape(NamedTuple):
    """What a header says about a tensor."""

    dtype: torch.dtype
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """The bytes that its numbers take."""
        return self.dtype.itemsize * torch.Size(self.shape).numel()


def file_order(shapes: Mapping[str, TensorShape]) -> list[str]:
    """Return the names of tensors in the order in which a file holds them.

    The widest number formats come first, so that each tensor starts at a multiple of its width.
    """
    return sorted(shapes, key=lambda name: (-shapes[name].dtype.itemsize, name))


def write_safetensors(path: Path, shapes: Mapping[str, TensorShape], tensor: Callable[[str], Tensor]) -> None:
    """Write `tensor(name)`, a tensor on the CPU, for each of the names in `file_order`; OSError if that fails."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}  # which transformers asks for
    end, order = 0, file_order(shapes)
    for name in order:
        start, end = end, end + shapes[name].bytes
        facts = {"dtype": DTYPES[shapes[name].dtype], "shape": list(shapes[name].shape), "data_offsets": [start, end]}
        header[name] = facts
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            converted = tensor(name).to(shapes[name].dtype).contiguous()
            file.write(converted.flatten().view(torch.uint8).numpy().data)
