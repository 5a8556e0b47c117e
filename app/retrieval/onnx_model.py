"""An ONNX model with its tokenizer, through OpenVINO and without torch."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.domain.errors import ModelFileError
from app.retrieval.model_catalogue import InstalledModel
from app.retrieval.model_verification import read_verified, verify_files
from app.retrieval.openvino_runtime import import_openvino

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Encoding, Tokenizer

    Batch = tuple[list[int], list[int], NDArray[np.float32]]

BATCH_TOKENS = 2_048
_IDS, _MASK, _TYPES, _POSITIONS = "input_ids", "attention_mask", "token_type_ids", "position_ids"


class OnnxModel:
    """Runs an installed model. Thread-safe: one batch at a time.

    Raises ``ModelFileError`` where files are missing, altered or no model.
    """

    def __init__(self, installed: InstalledModel, *, threads: int = 0) -> None:
        self._installed = installed
        self._lock = threading.Lock()
        verify_files(installed.folder, installed.sha256)
        self.tokenizer = load_tokenizer(installed, cut=True)
        self._request: Any = self._compiled(threads).create_infer_request()

    def outputs(self, texts: Sequence[str] | Sequence[tuple[str, str]]) -> Iterator[Batch]:
        """For each batch the places of its texts, or pairs of texts, how many tokens they have, and the outputs.

        An output has the shape (batch, width), or (batch, tokens, width) with padding at zero.
        """
        encoded = self.tokenizer.encode_batch(list(texts))
        places = sorted(range(len(encoded)), key=lambda place: -len(encoded[place].ids))
        while places:
            longest = max(1, len(encoded[places[0]].ids))
            count = max(1, BATCH_TOKENS // longest)
            batch, places = places[:count], places[count:]
            chosen = [encoded[place] for place in batch]
            yield batch, [len(each.ids) for each in chosen], self._run(chosen, longest)

    def close(self) -> None:
        """Free the model."""
        with self._lock:
            self._request = None

    def _run(self, batch: list[Encoding], length: int) -> NDArray[np.float32]:
        import numpy as np

        inputs = {name: np.zeros((len(batch), length), dtype=np.int64) for name in (_IDS, _MASK, _TYPES, _POSITIONS)}
        for row, encoding in enumerate(batch):
            count = len(encoding.ids)
            inputs[_IDS][row, :count] = encoding.ids
            inputs[_MASK][row, :count] = 1
            inputs[_TYPES][row, :count] = encoding.type_ids
            inputs[_POSITIONS][row, :count] = range(count)
        with self._lock:
            result = self._request.infer({name: inputs[name] for name in self._inputs})
            values: NDArray[np.float32] = np.array(result[self._output], dtype=np.float32)
        return values * inputs[_MASK][:, :, None] if values.ndim == len(("row", "token", "width")) else values

    def _compiled(self, threads: int) -> Any:
        openvino = import_openvino()
        path = self._installed.folder / self._installed.model.onnx
        try:
            core = openvino.Core()
            model = core.read_model(str(path))
            names = [each.get_any_name() for each in model.inputs]
            self._inputs = [name for name in names if name in {_IDS, _MASK, _TYPES, _POSITIONS}]
            if _IDS not in names or len(self._inputs) != len(names):
                raise ModelFileError(f"{path} is no model of texts: it wants {', '.join(names)}.")
            self._output = 0
            options = {"PERFORMANCE_HINT": "LATENCY"} | ({"INFERENCE_NUM_THREADS": threads} if threads else {})
            return core.compile_model(model, "CPU", options)
        except RuntimeError as error:
            raise ModelFileError(f"{path} can't be loaded: {_first_line(error)}. Download the model again.") from error


def load_tokenizer(installed: InstalledModel, *, cut: bool) -> Tokenizer:
    """The model's tokenizer, cutting at its window if ``cut``. Raises ``ModelFileError``."""
    from tokenizers import Tokenizer

    model = installed.model
    path: Path = installed.folder / model.tokenizer
    description = read_verified(path, installed.sha256.get(model.tokenizer, ""))
    try:
        tokenizer = Tokenizer.from_buffer(description)
    except Exception as error:  # the library raises nothing narrower
        raise ModelFileError(f"The tokenizer {path} can't be read ({error}). Download the model again.") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if cut:
        tokenizer.enable_truncation(model.max_tokens)
    return tokenizer


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
