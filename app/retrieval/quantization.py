"""Turns an OpenVINO model into an 8-bit one: weights and what is multiplied with them as 8-bit integers.

Static post-training quantisation. Weights are symmetric per output channel, activations asymmetric with one range for
all channels, measured on calibration texts. Before that, SmoothQuant (Xiao et al. 2022,
https://arxiv.org/abs/2211.10438) moves outliers of activation channels into the weights, by the factors
max|activation|^a / max|weight|^(1-a); afterwards biases make up for the mean error of the rounded weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.retrieval.openvino_runtime import import_openvino

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SMOOTHING = 0.75
# Integers from -127 to 127. Processors that add pairs of products in 16 bits may need half of that.
FULL_RANGE = 127
HALF_RANGE = 63
_LEVELS = 256
_SMALLEST = 1e-5
_MANY_ROWS = 1000

Batch = tuple["NDArray[np.int32]", "NDArray[np.int32]"]


@dataclass(frozen=True, slots=True)
class _Product:
    """A multiplication with a constant matrix; ``weights`` has shape (outputs, inputs)."""

    node: Any
    weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Channels:
    """Least, greatest and mean value of every channel of an activation."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    mean: NDArray[np.float32]


def quantize(
    model: Any, calibration: Sequence[Batch], *, weight_range: int = FULL_RANGE, step: Callable[[float], None]
) -> None:
    """Quantise ``model`` in place.

    ``calibration`` holds (ids, mask) pairs; ``step`` is told the part that is done, from 0 to 1, and may raise.
    """
    groups = _products_by_source(model)
    channels = _measured(model, [group[0].node.input_value(0) for group in groups], calibration, step)
    for group, measured in zip(groups, channels, strict=True):
        _quantize_products(group, measured, weight_range)
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Gather":
            _quantize_table(node)
    model.validate_nodes_and_infer_types()


def _products_by_source(model: Any) -> list[list[_Product]]:
    """Products with constant matrices; those that multiply the same activation stand together."""
    found: dict[tuple[str, int], list[_Product]] = {}
    for node in model.get_ordered_ops():
        weights = _matrix(node.input_value(1)) if node.get_type_name() == "MatMul" else None
        if weights is not None:
            source = node.input_value(0)
            key = (source.get_node().get_friendly_name(), source.get_index())
            turned = weights if node.get_attributes()["transpose_b"] else weights.T
            found.setdefault(key, []).append(_Product(node, turned))
    return list(found.values())


def _matrix(output: Any) -> NDArray[np.float32] | None:
    """The values of a constant matrix of floats; None for anything else."""
    import numpy as np

    node = output.get_node()
    if node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    if node.get_type_name() != "Constant" or len(node.get_output_shape(0)) != 2:
        return None
    values = node.data
    return values.astype(np.float32) if values.dtype.kind == "f" else None


def _measured(
    model: Any, sources: Sequence[Any], calibration: Sequence[Batch], step: Callable[[float], None]
) -> list[_Channels]:
    """Run the model as it is and watch ``sources``."""
    results = [result for source in sources for result in _probes(source)]
    outputs = len(model.outputs)
    model.add_results(results)
    try:
        runtime = import_openvino().Core()
        request = runtime.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
        seen: list[list[NDArray[np.float32]]] = []
        for done, (ids, mask) in enumerate(calibration, start=1):
            request.infer({0: ids, 1: mask})
            seen.append([request.get_output_tensor(outputs + place).data.copy() for place in range(len(results))])
            step(done / len(calibration))
    finally:
        for result in results:
            model.remove_result(result)
    columns = list(zip(*seen, strict=True))
    return [_summary(*columns[place : place + 3]) for place in range(0, len(columns), 3)]


def _summary(
    low: Sequence[NDArray[np.float32]], high: Sequence[NDArray[np.float32]], mean: Sequence[NDArray[np.float32]]
) -> _Channels:
    import numpy as np

    return _Channels(np.min(low, axis=0), np.max(high, axis=0), np.mean(mean, axis=0))


def _probes(source: Any) -> Iterable[Any]:
    """Results that give each channel's least, greatest and mean value."""
    import numpy as np
    from openvino import opset13 as ops

    axes = ops.constant(np.arange(len(source.get_partial_shape()) - 1, dtype=np.int64))
    for reduce in (ops.reduce_min, ops.reduce_max, ops.reduce_mean):
        yield ops.result(reduce(source, axes, False))


def _quantize_products(products: Sequence[_Product], channels: _Channels, weight_range: int) -> None:
    import numpy as np

    factors = _smoothing_factors(np.maximum(-channels.low, channels.high), [each.weights for each in products])
    low, high = float((channels.low / factors).min()), float((channels.high / factors).max())
    smoothed = _fake_quantized(products[0].node.input_value(0), factors, low, high)
    for product in products:
        weights = product.weights * factors
        scales = np.maximum(np.abs(weights).max(axis=1, keepdims=True), _SMALLEST) / weight_range
        integers = np.rint(weights / scales).astype(np.int8)
        product.node.input(0).replace_source_output(smoothed.output(0))
        product.node.input(1).replace_source_output(_scaled(product.node, integers, scales).output(0))
        _correct_bias(product.node, (weights - integers * scales) @ (channels.mean / factors))


def _smoothing_factors(largest: NDArray[np.float32], matrices: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    import numpy as np

    weights = np.maximum(np.max([np.abs(matrix).max(axis=0) for matrix in matrices], axis=0), _SMALLEST)
    factors = np.maximum(largest, _SMALLEST) ** SMOOTHING / weights ** (1 - SMOOTHING)
    factors = np.maximum(factors / np.exp(np.log(factors).mean()), _SMALLEST)
    values: NDArray[np.float32] = factors.astype(np.float32)
    return values


def _fake_quantized(source: Any, factors: NDArray[np.float32], low: float, high: float) -> Any:
    import numpy as np
    from openvino import opset13 as ops

    low, high = min(low, -_SMALLEST), max(high, _SMALLEST)
    scale = (high - low) / (_LEVELS - 1)
    zero = round(-low / scale)
    ends = [np.float32(-zero * scale), np.float32((_LEVELS - 1 - zero) * scale)]
    bounds = [ops.constant(end) for end in ends]
    return ops.fake_quantize(ops.multiply(source, ops.constant(1 / factors)), *bounds, *bounds, _LEVELS)


def _scaled(product: Any, integers: NDArray[np.int8], scales: NDArray[np.float32]) -> Any:
    """A matrix of integers and its factors, laid out as ``product`` wants its second operand."""
    import numpy as np
    from openvino import opset13 as ops

    scales = scales.astype(np.float32)
    if not product.get_attributes()["transpose_b"]:
        integers, scales = np.ascontiguousarray(integers.T), np.ascontiguousarray(scales.T)
    return ops.multiply(ops.convert(ops.constant(integers), "f32"), ops.constant(scales))


def _correct_bias(product: Any, error: NDArray[np.float32]) -> None:
    """Add the mean error to the bias that follows the product, where one does."""
    import numpy as np
    from openvino import opset13 as ops

    targets = list(product.output(0).get_target_inputs())
    if len(targets) != 1 or targets[0].get_node().get_type_name() != "Add":
        return
    other = targets[0].get_node().input(1 - targets[0].get_index())
    constant = other.get_source_output().get_node()
    if constant.get_type_name() == "Constant" and constant.data.size == error.size:
        corrected = constant.data.astype(np.float32) + error.reshape(constant.data.shape)
        other.replace_source_output(ops.constant(corrected.astype(np.float32)).output(0))


def _quantize_table(gather: Any) -> None:
    """Store a table of embeddings as integers with one scale a row."""
    import numpy as np
    from openvino import opset13 as ops

    table = _matrix(gather.input_value(0))
    if table is None or len(table) < _MANY_ROWS:
        return
    scales = (np.maximum(np.abs(table).max(axis=1, keepdims=True), _SMALLEST) / FULL_RANGE).astype(np.float32)
    integers = np.rint(table / scales).astype(np.int8)
    rows, axis = gather.input_value(1), ops.constant(np.array(0, dtype=np.int64))
    values = ops.convert(ops.gather(ops.constant(integers), rows, axis), "f32")
    replacement = ops.multiply(values, ops.gather(ops.constant(scales), rows, axis))
    for target in gather.output(0).get_target_inputs():
        target.replace_source_output(replacement.output(0))
