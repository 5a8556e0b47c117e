"""Writes a Llama model of one layer with random weights: it says noise, but a real server takes it for a model.

The package ``gguf`` must be installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

CONTEXT_TOKENS = 2048
_WIDTH, _HEADS, _HIDDEN = 64, 4, 128
_SPECIAL = ("<unk>", "<s>", "</s>")
_UNKNOWN, _CONTROL, _BYTE = 2, 3, 6  # types of tokens in the format
_CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def write_tiny_model(path: Path, seed: int = 7) -> None:
    """Write the model; its vocabulary is the 256 bytes and three special tokens."""
    import gguf

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny-random")
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_HIDDEN)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(_SPECIAL) + 256)
    _add_vocabulary(writer)
    for name, array in _weights(np.random.default_rng(seed)).items():
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_vocabulary(writer: Any) -> None:
    tokens = [*(text.encode() for text in _SPECIAL), *(f"<0x{byte:02X}>".encode() for byte in range(256))]
    types = [_UNKNOWN, _CONTROL, _CONTROL, *[_BYTE] * 256]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(_CHAT_TEMPLATE)


def _weights(chance: np.random.Generator) -> dict[str, np.ndarray]:
    def random(*shape: int) -> np.ndarray:
        return chance.normal(0.0, 0.5, shape).astype(np.float32)

    vocabulary = len(_SPECIAL) + 256
    square = {f"blk.0.attn_{name}.weight": random(_WIDTH, _WIDTH) for name in ("q", "k", "v", "output")}
    names = ("output_norm.weight", "blk.0.attn_norm.weight", "blk.0.ffn_norm.weight")
    norms = {name: np.ones(_WIDTH, np.float32) for name in names}
    return {
        "token_embd.weight": random(vocabulary, _WIDTH),
        "output.weight": random(vocabulary, _WIDTH),
        **square,
        **norms,
        "blk.0.ffn_gate.weight": random(_HIDDEN, _WIDTH),
        "blk.0.ffn_up.weight": random(_HIDDEN, _WIDTH),
        "blk.0.ffn_down.weight": random(_WIDTH, _HIDDEN),
    }
