"""Writes small random models in the layout of sentence-transformers, quick to load and to convert."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORDS = ["the", "of", "and", "to", "in", "is", "it", "on", "for", "river", "boat", "ice", "winter", "paint", "wood"]
WIDTH, LAYERS, HEADS, WINDOW = 16, 2, 2, 32


def write_tiny_model(folder: Path, *, kind: str = "bert", pooling: str = "mean", seed: int = 1) -> Path:
    """A model that embeds nothing sensible, of the architecture ``kind`` ("bert" or "roberta")."""
    vocabulary = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        *WORDS,
        *"abcdefghijklmnopqrstuvwxyz",
        *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"),
    ]
    folder.mkdir(parents=True)
    config = {
        "architectures": ["BertModel" if kind == "bert" else "RobertaModel"],
        "model_type": kind,
        "hidden_act": "gelu",
        "hidden_size": WIDTH,
        "intermediate_size": 4 * WIDTH,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": WINDOW + (0 if kind == "bert" else 2),
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "pad_token_id": 0 if kind == "bert" else 1,
        "type_vocab_size": 2 if kind == "bert" else 1,
        "vocab_size": len(vocabulary),
    }
    _write(folder / "config.json", config)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": WINDOW})
    _write(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"})
    modules = [("0", "", "Transformer"), ("1", "1_Pooling", "Pooling"), ("2", "2_Normalize", "Normalize")]
    _write(
        folder / "modules.json",
        [
            {"idx": place, "name": name, "path": path, "type": f"sentence_transformers.models.{type_name}"}
            for place, (name, path, type_name) in enumerate(modules)
        ],
    )
    (folder / "1_Pooling").mkdir()
    _write(folder / "1_Pooling" / "config.json", {"embedding_dimension": WIDTH, "pooling_mode": pooling})
    _write_tokenizer(folder / "tokenizer.json", vocabulary)
    write_safetensors(folder / "model.safetensors", _weights(config, seed))
    return folder


def write_safetensors(path: Path, tensors: dict[str, NDArray[np.float32]]) -> None:
    """Write float32 tensors in the safetensors format."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    position = 0
    for name, values in tensors.items():
        header[name] = {
            "dtype": "F32",
            "shape": list(values.shape),
            "data_offsets": [position, position + values.nbytes],
        }
        position += values.nbytes
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    body = b"".join(values.astype("<f4").tobytes() for values in tensors.values())
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + body)


def _weights(config: dict[str, Any], seed: int) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng(seed)

    def normal(*shape: int) -> NDArray[np.float32]:
        return random.normal(0, 0.3, shape).astype(np.float32)

    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], WIDTH),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], WIDTH),
        "embeddings.token_type_embeddings.weight": (config["type_vocab_size"], WIDTH),
        "pooler.dense.weight": (WIDTH, WIDTH),
        "pooler.dense.bias": (WIDTH,),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}."
        for part, rows, columns in (
            ("attention.self.query", WIDTH, WIDTH),
            ("attention.self.key", WIDTH, WIDTH),
            ("attention.self.value", WIDTH, WIDTH),
            ("attention.output.dense", WIDTH, WIDTH),
            ("intermediate.dense", 4 * WIDTH, WIDTH),
            ("output.dense", WIDTH, 4 * WIDTH),
        ):
            shapes[f"{name}{part}.weight"], shapes[f"{name}{part}.bias"] = (rows, columns), (rows,)
        norms += [f"{name}attention.output.LayerNorm", f"{name}output.LayerNorm"]
    tensors = {name: normal(*shape) for name, shape in shapes.items()}
    for name in norms:
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = 1 + normal(WIDTH), normal(WIDTH)
    return tensors


def _write_tokenizer(path: Path, vocabulary: list[str]) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    ids = {word: place for place, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
    )
    tokenizer.save(str(path))


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")
