"""The same model in ONNX Runtime, as its own tools convert it: what the fast engine was chosen against.

Needs ``onnx`` and ``onnxruntime``, which are not dependencies of the program.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.retrieval.model_files import ModelFiles
from app.retrieval.model_tokenizer import ModelTokenizer

OPSET = 17
BATCH_TEXTS = 8


def export(files: ModelFiles, folder: Path) -> tuple[Path, Path]:
    """Write the model as it is and with 8-bit weights, activations being quantised as they come (per row)."""
    import torch
    from transformers import AutoModel

    encoder = AutoModel.from_pretrained(files.folder, attn_implementation="eager", use_safetensors=True).eval()

    class Vectors(torch.nn.Module):
        """Mean pooling and length 1, as the model's own pipeline does it."""

        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            weights = attention_mask.unsqueeze(-1).float()
            return torch.nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=1)

    exact, small = folder / "fp32.onnx", folder / "int8.onnx"
    ids = torch.ones((2, 16), dtype=torch.int64)
    names = ["input_ids", "attention_mask"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Vectors(),
            (ids, ids),
            str(exact),
            input_names=names,
            output_names=["vectors"],
            dynamic_axes={**{name: {0: "texts", 1: "tokens"} for name in names}, "vectors": {0: "texts"}},
            opset_version=OPSET,
            dynamo=False,
        )
        quantization = importlib.import_module("onnxruntime.quantization")  # untyped, and not installed for everybody
        quantization.quantize_dynamic(exact, small, weight_type=quantization.QuantType.QInt8, per_channel=True)
    return exact, small


class OnnxEmbedder:
    """Runs an exported model on ``threads`` threads, in batches of texts of like length."""

    def __init__(self, path: Path, files: ModelFiles, threads: int) -> None:
        onnxruntime = importlib.import_module("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session: Any = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._tokenizer = ModelTokenizer(files.tokenizer.read_bytes(), files.max_tokens)
        self._dimension = files.dimension

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Vector of one text."""
        vector: NDArray[np.float32] = self._run(self._tokenizer.ids([text]))[0]
        return vector

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of texts, shape (texts, dimension)."""
        rows = self._tokenizer.ids(texts)
        order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
        vectors = np.zeros((len(rows), self._dimension), dtype=np.float32)
        for start in range(0, len(order), BATCH_TEXTS):
            places = order[start : start + BATCH_TEXTS]
            vectors[places] = self._run([rows[place] for place in places])
        return vectors

    def _run(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, : len(row)], mask[place, : len(row)] = row, 1
        found = self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return np.asarray(found, dtype=np.float32)
