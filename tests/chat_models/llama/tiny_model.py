"""A language model of 350 kB for llama.cpp: one layer of random weights over the 256 bytes.

It says nothing that makes sense, but all around it is real: tokens, sampling, grammars, context, streaming. It likes
printable ASCII, now and then writes a stray byte, and ends an answer only where a grammar leaves nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gguf import GGUFWriter

CONTEXT_TOKENS = 65_536
"""What the model claims to have been trained for; a server may give it less."""
TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_SPECIAL = ("<unk>", "<s>", "</s>")
_WIDTH, _HEADS, _KEY_HEADS, _HIDDEN = 64, 4, 2, 192
_CONSTANT = 8.0  # the first coordinate of every token: a bias for the output layer, which has none
_PRINTABLE, _NEVER = 0.5, -4.0  # what the output layer makes of it


def prompt_tokens(question: str) -> int:
    """Length of the prompt that ``question`` becomes: one token a byte, and one for the beginning.

    The tokenizer writes a space as U+2581, which has three bytes.
    """
    return 1 + len(f"<|user|>{question}\n<|assistant|>".replace(" ", "\u2581").encode())


def write_tiny_model(path: Path) -> None:
    """Write the model to ``path``, always the same bytes. Needs the package ``gguf``."""
    from gguf import GGUFWriter

    writer = GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_HIDDEN)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_KEY_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    _add_tokens(writer)
    for name, values in _weights().items():
        writer.add_tensor(f"{name}.weight", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tokens(writer: GGUFWriter) -> None:
    from gguf import TokenType

    tokens = [*_SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256))]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL, *[TokenType.BYTE] * 256])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)


def _weights() -> dict[str, NDArray[np.float32]]:
    """The tensors by name, shaped (outputs, inputs)."""
    random = np.random.default_rng(20)
    count = len(_SPECIAL) + 256

    def matrix(outputs: int, inputs: int) -> NDArray[np.float32]:
        values = random.standard_normal((outputs, inputs)) / np.sqrt(inputs)
        return np.asarray(values, dtype=np.float32)

    embedding = matrix(count, _WIDTH) * np.float32(np.sqrt(_WIDTH))
    embedding[:, 0] = _CONSTANT
    output = matrix(count, _WIDTH)
    output[:, 0] = 0
    output[: len(_SPECIAL), 0] = _NEVER
    output[len(_SPECIAL) + 0x20 : len(_SPECIAL) + 0x7F, 0] = _PRINTABLE
    keys = _WIDTH // _HEADS * _KEY_HEADS
    ones = np.ones(_WIDTH, dtype=np.float32)
    return {
        "token_embd": embedding,
        "blk.0.attn_norm": ones,
        "blk.0.attn_q": matrix(_WIDTH, _WIDTH),
        "blk.0.attn_k": matrix(keys, _WIDTH),
        "blk.0.attn_v": matrix(keys, _WIDTH),
        "blk.0.attn_output": matrix(_WIDTH, _WIDTH),
        "blk.0.ffn_norm": ones,
        "blk.0.ffn_gate": matrix(_HIDDEN, _WIDTH),
        "blk.0.ffn_up": matrix(_HIDDEN, _WIDTH),
        "blk.0.ffn_down": matrix(_WIDTH, _HIDDEN),
        "output_norm": ones,
        "output": output,
    }
