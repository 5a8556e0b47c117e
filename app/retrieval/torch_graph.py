"""Turns a model of any architecture that sentence-transformers runs into an OpenVINO model. Needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.retrieval.openvino_runtime import block_telemetry, import_openvino
from app.retrieval.sentence_transformers_engine import load_sentence_transformer


def traced_graph(folder: Path) -> Any:
    """An ``openvino.Model`` with the inputs and outputs of ``BertGraph.build``. Meant for a process of its own."""
    import torch

    block_telemetry()
    from openvino.tools.ovc import convert_model

    encoder = load_sentence_transformer(folder, "cpu")

    class Vectors(torch.nn.Module):
        """From token ids to vectors of length 1, and the states of the tokens."""

        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
            features = self.encoder({"input_ids": input_ids, "attention_mask": attention_mask})
            return torch.nn.functional.normalize(features["sentence_embedding"], dim=1), features["token_embeddings"]

    ids = torch.ones((2, 8), dtype=torch.int64)
    with torch.no_grad():
        model = convert_model(Vectors().eval(), example_input={"input_ids": ids, "attention_mask": ids})
    return _with_plain_inputs(model)


def _with_plain_inputs(model: Any) -> Any:
    """Let the model take 32-bit ids of any shape."""
    openvino = import_openvino()
    from openvino.preprocess import PrePostProcessor

    for parameter in model.get_parameters():
        parameter.set_partial_shape(openvino.PartialShape([-1, -1]))
    model.validate_nodes_and_infer_types()
    processor = PrePostProcessor(model)
    for name in ("input_ids", "attention_mask"):
        processor.input(name).tensor().set_element_type(openvino.Type.i32)
    return processor.build()
