"""Writes small ONNX models whose results can be told in advance, with their tokenizers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.retrieval.model_catalogue import EMBEDDING, RERANKER, CatalogueModel, InstalledModel
from app.retrieval.model_verification import sha256_of

WORDS = (
    "[PAD]",
    "[CLS]",
    "[SEP]",
    "[UNK]",
    "query:",
    "passage:",
    "boat",
    "river",
    "ice",
    "winter",
    "el",
    "perro",
    "de",
)
WINDOW = 16


def catalogue_model(kind: str = EMBEDDING, *, dimension: int = 8, pooling: str = "mean") -> CatalogueModel:
    """An entry as the catalogue has them."""
    return CatalogueModel(
        name=f"tiny-{kind}",
        kind=kind,
        repository=f"owner/tiny-{kind}",
        onnx="onnx/model.onnx",
        tokenizer="tokenizer.json",
        languages=("en", "es"),
        language_note="English and Spanish",
        megabytes=1,
        dimension=dimension if kind == EMBEDDING else 0,
        max_tokens=WINDOW,
        speed="quick",
        licence="MIT",
        query_prompt="query: " if kind == EMBEDDING else "",
        passage_prompt="passage: " if kind == EMBEDDING else "",
        pooling=pooling if kind == EMBEDDING else "",
    )


def write_tiny_onnx(folder: Path, model: CatalogueModel) -> InstalledModel:
    """The model's files in ``folder``, and the note as a download would have left it."""
    (folder / model.onnx).parent.mkdir(parents=True, exist_ok=True)
    (folder / model.tokenizer).parent.mkdir(parents=True, exist_ok=True)
    _write_tokenizer(folder / model.tokenizer)
    write = _write_reranker if model.kind == RERANKER else _write_encoder
    write(folder / model.onnx, model.dimension)
    installed = InstalledModel(folder, model, "0" * 40, {path: sha256_of(folder / path) for path in model.files})
    installed.save()
    return installed


def token_table(dimension: int) -> NDArray[np.float32]:
    """The vector of each token, shape (tokens, dimension)."""
    return np.random.default_rng(5).standard_normal((len(WORDS), dimension)).astype(np.float32)


def _write_tokenizer(path: Path) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    ids = {word: place for place, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    tokenizer.save(str(path))


def _write_encoder(path: Path, dimension: int) -> None:
    """Looks up a vector for each token; the mask is asked for, as real models do, and added as nothing."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["found"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["column", "nothing"], ["zero"]),
        helper.make_node("Add", ["found", "zero"], ["last_hidden_state"]),
    ]
    constants: dict[str, NDArray[Any]] = {
        "table": token_table(dimension),
        "last": np.array([-1], dtype=np.int64),
        "nothing": np.zeros(1, dtype=np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "encoder",
        [_ids("input_ids"), _ids("attention_mask")],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["rows", "tokens", dimension])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    _save(path, graph)


def _write_reranker(path: Path, _: int) -> None:
    """Counts pairs of equal words, one of the question and one of the passage; special tokens don't count."""
    from onnx import TensorProto, helper, numpy_helper

    table = np.eye(len(WORDS), dtype=np.float32)
    table[:4] = 0
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["found"]),
        helper.make_node("Cast", ["token_type_ids"], ["type"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["type", "last"], ["second"]),
        helper.make_node("Sub", ["one", "second"], ["first"]),
        helper.make_node("Mul", ["found", "first"], ["asked"]),
        helper.make_node("Mul", ["found", "second"], ["given"]),
        helper.make_node("ReduceSum", ["asked", "tokens"], ["question"], keepdims=0),
        helper.make_node("ReduceSum", ["given", "tokens"], ["passage"], keepdims=0),
        helper.make_node("Mul", ["question", "passage"], ["both"]),
        helper.make_node("ReduceSum", ["both", "tokens"], ["logits"], keepdims=1),
    ]
    constants: dict[str, NDArray[Any]] = {
        "table": table,
        "last": np.array([-1], dtype=np.int64),
        "tokens": np.array([1], dtype=np.int64),
        "one": np.ones(1, dtype=np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "reranker",
        [_ids("input_ids"), _ids("token_type_ids")],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", 1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    _save(path, graph)


def _ids(name: str) -> Any:
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info(name, TensorProto.INT64, ["rows", "tokens"])


def _save(path: Path, graph: Any) -> None:
    import onnx
    from onnx import helper

    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))
