"""Builds the computation of a BERT-like encoder for OpenVINO straight from its weights, without torch.

Post-norm transformer encoder (Devlin et al. 2018, https://arxiv.org/abs/1810.04805) with mean or first-token pooling
and a vector of length 1, as sentence-transformers computes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain.errors import ModelFileError
from app.retrieval.openvino_runtime import import_openvino

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WORDS = "embeddings.word_embeddings.weight"
# Position of the first token: RoBERTa counts from behind its padding id.
_FIRST_POSITION = {"bert": 0, "roberta": 2, "xlm-roberta": 2, "camembert": 2}
# Added to the scores of padding; large enough to vanish in softmax, small enough for 16-bit floats.
_MASKED = 30000.0


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Shape of an encoder. ``first_token`` pools the first token instead of the mean."""

    layers: int
    heads: int
    epsilon: float
    activation: str
    first_position: int
    first_token: bool


def encoder_config(config: Mapping[str, Any], pooling: str) -> EncoderConfig | None:
    """The shape out of a model's ``config.json``; None for an architecture that this module doesn't build."""
    kind = config.get("model_type")
    known = (
        kind in _FIRST_POSITION
        and config.get("hidden_act", "gelu") in {"gelu", "gelu_new", "relu"}
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder", False)
        and pooling in {"mean", "cls"}
    )
    if not known:
        return None
    return EncoderConfig(
        layers=int(config["num_hidden_layers"]),
        heads=int(config["num_attention_heads"]),
        epsilon=float(config.get("layer_norm_eps", 1e-12)),
        activation=str(config.get("hidden_act", "gelu")),
        first_position=_FIRST_POSITION[str(kind)],
        first_token=pooling == "cls",
    )


class BertGraph:
    """Builds one model. ``weights`` are named as Hugging Face's BertModel and RobertaModel name them."""

    def __init__(self, config: EncoderConfig, weights: Mapping[str, NDArray[np.float32]]) -> None:
        import_openvino()
        from openvino import opset13

        self._config = config
        self._weights = weights
        self._ops: Any = opset13
        self._prefix = next((name[: -len(_WORDS)] for name in weights if name.endswith(_WORDS)), "")

    def build(self) -> Any:
        """An ``openvino.Model``: ``input_ids``, ``attention_mask`` (int32, [texts, tokens]) to vectors [texts, width].

        The second output are the states of the last layer that these are pooled from, [texts, tokens, width].
        Raises ``ModelFileError`` where a weight is missing.
        """
        openvino = import_openvino()
        ops = self._ops
        shape = openvino.PartialShape([-1, -1])
        ids = ops.parameter(shape, openvino.Type.i32, name="input_ids")
        mask = ops.parameter(shape, openvino.Type.i32, name="attention_mask")
        real = ops.convert(mask, "f32")
        bias = ops.multiply(ops.subtract(real, self._constant(1.0)), self._constant(_MASKED))
        bias = ops.unsqueeze(bias, self._integers(1, 2))
        states = self._embeddings(ids)
        for layer in range(self._config.layers):
            states = self._layer(states, bias, f"encoder.layer.{layer}.")
        vectors = ops.normalize_l2(self._pooled(states, real), self._integers(1), 1e-12, "max")
        results = [ops.result(vectors), ops.result(states)]
        for result, name in zip(results, ("vectors", "states"), strict=True):
            result.output(0).set_names({name})
        for parameter in (ids, mask):
            parameter.output(0).set_names({parameter.friendly_name})
        return openvino.Model(results, [ids, mask], "encoder")

    def _embeddings(self, ids: Any) -> Any:
        ops, first = self._ops, self._config.first_position
        words = self._weight(_WORDS) + self._weight("embeddings.token_type_embeddings.weight")[0]
        positions = self._weight("embeddings.position_embeddings.weight")[first:]
        count = ops.gather(ops.shape_of(ids), self._integers(1), self._integer(0))
        positions = ops.slice(self._constant(positions), self._integers(0), count, self._integers(1), self._integers(0))
        words = ops.gather(self._constant(words), ids, self._integer(0))
        return self._norm(ops.add(words, positions), "embeddings.LayerNorm")

    def _layer(self, states: Any, bias: Any, name: str) -> Any:
        ops = self._ops
        query, key, value = (
            self._split_heads(self._dense(states, f"{name}attention.self.{part}")) for part in ("query", "key", "value")
        )
        mixed = ops.scaled_dot_product_attention(query, key, value, bias)
        mixed = ops.reshape(ops.transpose(mixed, self._integers(0, 2, 1, 3)), self._integers(0, 0, -1), True)
        states = self._norm(
            ops.add(self._dense(mixed, f"{name}attention.output.dense"), states), f"{name}attention.output.LayerNorm"
        )
        inner = self._activation(self._dense(states, f"{name}intermediate.dense"))
        return self._norm(ops.add(self._dense(inner, f"{name}output.dense"), states), f"{name}output.LayerNorm")

    def _split_heads(self, states: Any) -> Any:
        heads = self._ops.reshape(states, self._integers(0, 0, self._config.heads, -1), True)
        return self._ops.transpose(heads, self._integers(0, 2, 1, 3))

    def _activation(self, states: Any) -> Any:
        if self._config.activation == "relu":
            return self._ops.relu(states)
        return self._ops.gelu(states, "erf" if self._config.activation == "gelu" else "tanh")

    def _pooled(self, states: Any, real: Any) -> Any:
        ops = self._ops
        if self._config.first_token:
            return ops.gather(states, self._integer(0), self._integer(1))
        weights = ops.unsqueeze(real, self._integers(2))
        total = ops.reduce_sum(ops.multiply(states, weights), self._integers(1), False)
        return ops.divide(total, ops.reduce_sum(weights, self._integers(1), False))

    def _dense(self, states: Any, name: str) -> Any:
        product = self._ops.matmul(states, self._constant(self._weight(f"{name}.weight")), False, True)
        return self._ops.add(product, self._constant(self._weight(f"{name}.bias")))

    def _norm(self, states: Any, name: str) -> Any:
        ops = self._ops
        even = ops.mvn(states, self._integers(-1), True, self._config.epsilon, "inside_sqrt")
        scaled = ops.multiply(even, self._constant(self._weight(f"{name}.weight")))
        return ops.add(scaled, self._constant(self._weight(f"{name}.bias")))

    def _weight(self, name: str) -> NDArray[np.float32]:
        try:
            return self._weights[self._prefix + name]
        except KeyError as error:
            raise ModelFileError(f"The model lacks the weights {name}. Install or download it again.") from error

    def _constant(self, values: NDArray[np.float32] | float) -> Any:
        import numpy as np

        return self._ops.constant(np.asarray(values, dtype=np.float32))

    def _integers(self, *values: int) -> Any:
        import numpy as np

        return self._ops.constant(np.array(values, dtype=np.int64))

    def _integer(self, value: int) -> Any:
        import numpy as np

        return self._ops.constant(np.array(value, dtype=np.int64))
