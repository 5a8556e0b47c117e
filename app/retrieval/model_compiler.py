"""Compiles a converted model for this computer's processor."""

from __future__ import annotations

import io
import logging
from typing import Any

from app.retrieval.engine_choice import Precision
from app.retrieval.engine_files import GRAPH, WEIGHTS, EngineFiles, EngineManifest
from app.retrieval.openvino_runtime import import_openvino

log = logging.getLogger(__name__)

# What computes that is not 8-bit, such as attention. Short floats are as good there and quicker where they are native.
_EXACT, _SHORT = "f32", "bf16"
_CAPABILITIES = "OPTIMIZATION_CAPABILITIES"


class ModelCompiler:
    """Compiles once and keeps the result beside the model; reading it back takes a third of the time."""

    def __init__(self, files: EngineFiles, manifest: EngineManifest) -> None:
        self._files = files
        self._manifest = manifest
        self._openvino = import_openvino()
        self._core: Any = self._openvino.Core()

    def compiled(self, streams: int) -> Any:
        """An ``openvino.CompiledModel`` that computes so many batches at once, each on one thread.

        Raises ``ModelFileError`` where the model's files are missing or altered.
        """
        options = {"NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": streams}
        short = not self._manifest.model_key.endswith(Precision.FP32) and "BF16" in self._core.get_property(
            "CPU", _CAPABILITIES
        )
        if short:
            try:
                return self._compiled(options | {"INFERENCE_PRECISION_HINT": _SHORT})
            except RuntimeError as error:  # virtual machines may hide half of what their processor can do
                log.warning("short floats don't work here: %s", error)
        return self._compiled(options | {"INFERENCE_PRECISION_HINT": _EXACT})

    def _compiled(self, options: dict[str, Any]) -> Any:
        machine = f"{self._openvino.get_version()} {self._core.get_property('CPU', 'FULL_DEVICE_NAME')}"
        stored = self._files.compiled(f"{machine} {self._manifest.model_key}")
        if stored is not None:
            try:
                return self._core.import_model(io.BytesIO(stored), "CPU", options)
            except RuntimeError as error:
                log.warning("the compiled search model can't be used: %s", error)
        graph, weights = (self._files.read(self._manifest, name) for name in (GRAPH, WEIGHTS))
        model = self._core.compile_model(self._core.read_model(graph, weights), "CPU", options)
        try:
            self._files.store_compiled(f"{machine} {self._manifest.model_key}", model.export_model().getvalue())
        except OSError as error:
            log.info("the compiled search model can't be kept: %s", error)
        return model
