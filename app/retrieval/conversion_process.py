"""What runs in the child process that converts a model."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.domain.errors import ModelFileError
from app.retrieval.bert_graph import BertGraph
from app.retrieval.engine_choice import Precision
from app.retrieval.engine_files import GRAPH, TOKENIZER, WEIGHTS, EngineFiles, EngineManifest
from app.retrieval.model_conversion import ConversionOrder
from app.retrieval.model_files import ModelFiles
from app.retrieval.model_tokenizer import ModelTokenizer
from app.retrieval.openvino_engine import OpenVinoEmbedder
from app.retrieval.openvino_runtime import import_openvino
from app.retrieval.quantization import FULL_RANGE, HALF_RANGE, Batch, quantize
from app.retrieval.safetensors_file import SafetensorsFile
from app.settings.resources import resource

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

# Below this mean cosine with the original's vectors an 8-bit model is not worth having.
LEAST_COSINE = 0.99
_BATCHES_TO_COMPARE = 16


def convert_in_child(order: ConversionOrder, aside: Path, sender: Connection) -> None:
    """Convert into the folder ``aside`` and send ("progress", part), then ("done", "") or (a failure, message)."""
    try:
        Conversion(order, aside, lambda part: sender.send(("progress", part))).run()
    except ModelFileError as error:
        sender.send(("unusable", str(error)))
    except OSError as error:
        sender.send(("unusable", f"The search model can't be prepared: {error.strerror or error}. Check the disk."))
    except Exception as error:  # the process's edge: what a converter raises for an unknown model has no common base
        log.exception("conversion failed")
        sender.send(("failed", f"{type(error).__name__}: {error}"))
    else:
        sender.send(("done", ""))


class Conversion:
    """One conversion, start to end. ``step`` is told the part that is done, from 0 to 1, and may raise."""

    def __init__(self, order: ConversionOrder, aside: Path, step: Callable[[float], None]) -> None:
        self._order = order
        self._step = step
        self._files = EngineFiles(aside)
        self._source = ModelFiles(order.source, order.name, order.expected)

    def run(self) -> None:
        """Raises ``ModelFileError`` where the source is unusable, and whatever torch or OpenVINO raise."""
        self._source.verify()
        shutil.copyfile(self._source.tokenizer, self._files.folder / TOKENIZER)
        self._step(0.1)
        graph, cosine = self._graph(), 1.0
        if self._order.precision is Precision.INT8:
            graph, cosine = self._quantised(graph)
        self._save(graph, cosine)
        OpenVinoEmbedder(self._files).close()  # keeps the compiled model beside it
        self._step(1.0)

    def _graph(self) -> Any:
        if self._source.encoder is not None:
            return BertGraph(self._source.encoder, SafetensorsFile(self._source.weights)).build()
        from app.retrieval.torch_graph import traced_graph

        return traced_graph(self._source.folder)

    def _quantised(self, graph: Any) -> tuple[Any, float]:
        """An 8-bit copy and its mean cosine with the original; if this processor's sums overflow, of fewer bits."""
        batches = calibration_batches(ModelTokenizer(self._source.tokenizer.read_bytes(), self._source.max_tokens))
        wanted = _vectors(graph, batches)
        for weight_range in (FULL_RANGE, HALF_RANGE):
            copy = graph.clone()
            quantize(copy, batches, weight_range=weight_range, step=lambda part: self._step(0.2 + 0.6 * part))
            cosine = float((_vectors(copy, batches) * wanted).sum(axis=1).mean())
            if cosine >= LEAST_COSINE:
                return copy, cosine
            log.warning("8-bit weights up to %d reach a mean cosine of %.4f only", weight_range, cosine)
        raise ValueError(f"the 8-bit model differs too much from the original: mean cosine {cosine:.4f}")

    def _save(self, graph: Any, mean_cosine: float) -> None:
        folder = self._files.folder
        import_openvino().save_model(graph, folder / GRAPH, compress_to_fp16=False)
        (folder / GRAPH).with_suffix(".bin").replace(folder / WEIGHTS)
        query_prompt, passage_prompt = self._source.prompts
        self._files.write_manifest(
            EngineManifest(
                model_key=self._source.model_key(self._order.precision),
                dimension=self._source.dimension,
                max_tokens=self._source.max_tokens,
                query_prompt=query_prompt,
                passage_prompt=passage_prompt,
                mean_cosine=mean_cosine,
            )
        )


def calibration_texts() -> list[str]:
    """Texts of many kinds that stand for what models will read."""
    return resource("embedding", "calibration.txt").read_text(encoding="utf-8").strip().split("\n\n")


def calibration_batches(tokenizer: ModelTokenizer) -> list[Batch]:
    """The calibration texts, one a batch, so that no padding is measured."""
    import numpy as np

    rows = [np.array([ids], dtype=np.int32) for ids in tokenizer.ids(calibration_texts())]
    return [(row, np.ones_like(row)) for row in rows]


def _vectors(graph: Any, batches: Sequence[Batch]) -> NDArray[np.float32]:
    """Vectors of some of the batches, shape (batches, dimension)."""
    import numpy as np

    compiled = import_openvino().Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    rows = []
    for ids, mask in batches[:: max(1, len(batches) // _BATCHES_TO_COMPARE)]:
        request.infer([ids, mask])
        rows.append(request.get_output_tensor(0).data[0].copy())
    return np.stack(rows)
