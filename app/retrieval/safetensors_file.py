"""Reads weights in the safetensors format without another library.

Format: 8 bytes little-endian length of a JSON header, the header, then the tensors' bytes.
https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.domain.errors import ModelFileError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST_HEADER = 100_000_000


class SafetensorsFile(Mapping[str, "NDArray[np.float32]"]):
    """The float tensors of one or several files by name, read (as float32) when asked for.

    Raises ``ModelFileError`` for a file that doesn't keep to the format.
    """

    def __init__(self, paths: list[Path]) -> None:
        self._places: dict[str, tuple[Path, int, dict[str, Any]]] = {}
        for path in paths:
            start, header = _header(path)
            size = path.stat().st_size
            for name, entry in header.items():
                begin, end = entry["data_offsets"]
                if not 0 <= begin <= end <= size - start:
                    raise _damaged(path)
                self._places[name] = path, start, entry

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        import numpy as np

        path, start, entry = self._places[name]
        begin, end = entry["data_offsets"]
        stored = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}.get(entry["dtype"])
        if stored is None or end - begin != math.prod(entry["shape"]) * int(stored[-1]):
            raise ModelFileError(f"The tensor {name} in {path} is of a kind that can't be used ({entry['dtype']}).")
        raw = np.fromfile(path, stored, count=(end - begin) // int(stored[-1]), offset=start + begin)
        if entry["dtype"] == "BF16":  # the upper half of a float32
            raw = (raw.astype(np.uint32) << np.uint32(16)).view(np.float32)
        values: NDArray[np.float32] = raw.astype(np.float32, copy=False).reshape(entry["shape"])
        return values

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _header(path: Path) -> tuple[int, dict[str, Any]]:
    with path.open("rb") as file:
        prefix = file.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else LONGEST_HEADER
        if length >= LONGEST_HEADER:
            raise _damaged(path)
        try:
            header = json.loads(file.read(length))
        except ValueError as error:
            raise _damaged(path) from error
    if not isinstance(header, dict):
        raise _damaged(path)
    header.pop("__metadata__", None)
    return 8 + length, header


def _damaged(path: Path) -> ModelFileError:
    return ModelFileError(f"The model file {path} is damaged. Install or download the model again.")
