"""The two networks of OCR, as OpenVINO runs them: one finds lines of text in a picture, one reads a line.

Both are PP-OCRv6 small (Apache-2.0) and come inside the rapidocr wheel, whose post-processing of the detector is used
too. They read Latin script with all European accents, Chinese and Japanese, digits and signs; Greek letters only as
they occur in formulas; no Cyrillic, Arabic, Hebrew, Korean or Indic script.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DETECTOR = "PP-OCRv6_det_small.onnx"
RECOGNISER = "PP-OCRv6_rec_small.onnx"
# Pixels the detector works on: more find no more lines on a page of small print, but cost memory.
DETECTED_PIXELS = 1_200_000
LARGEST_ENLARGEMENT = 2.0
_DETECTOR_STEP = 32
LINE_HEIGHT = 48
LONGEST_LINE = 3200
# Lines read at once have about this many columns of pixels together, rounded up to a step, so that memory is bounded
# and OpenVINO meets few sizes.
_COLUMNS_AT_ONCE = 2880
_COLUMN_STEP = 64


class ReadLine(NamedTuple):
    """What stands in the picture of a line.

    ``confidences`` has one number (0 to 1) for each character of ``text``; ``places`` says where its middle stands, as
    a part (0 to 1) of the line's width.
    """

    text: str
    confidences: NDArray[np.float32]
    places: NDArray[np.float32]

    @property
    def confidence(self) -> float:
        """The mean over the characters, 0 if there are none."""
        return float(self.confidences.mean()) if len(self.text) else 0.0


def models_folder() -> Path:
    """Return where the networks are, without importing anything. Raises ``FileNotFoundError`` if they are missing."""
    found = find_spec("rapidocr")
    folder = Path(found.origin).parent / "models" if found is not None and found.origin else None
    if folder is None or not all((folder / name).is_file() for name in (DETECTOR, RECOGNISER)):
        raise FileNotFoundError("the networks for OCR are not installed")
    return folder


def _configuration(threads: int) -> dict[str, Any]:
    # Kernels compiled for each size of input would be kept: hundreds of megabytes, for sizes that hardly come again.
    return {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "CPU_RUNTIME_CACHE_CAPACITY": 0,
    }


def _scaled(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bring height × width × 3 bytes to 3 × height × width numbers from -1 to 1."""
    import numpy as np

    return (pixels.astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)


class LineDetector:
    """Finds lines of text (differentiable binarisation: Liao et al., AAAI 2020)."""

    def __init__(self, folder: Path, threads: int) -> None:
        import openvino
        from rapidocr.ch_ppocr_det.utils import DBPostProcess

        core = openvino.Core()
        compiled = core.compile_model(core.read_model(folder / DETECTOR), "CPU", _configuration(threads))
        self._request = compiled.create_infer_request()
        self._outlines = DBPostProcess(
            thresh=0.3, box_thresh=0.5, max_candidates=3000, unclip_ratio=1.6, use_dilation=True, score_mode="fast"
        )

    def quads(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the corners of lines in ``picture`` (height × width × 3): lines × 4 × 2 pixels, x before y.

        Corners go clockwise from the upper left one.
        """
        import cv2
        import numpy as np

        height, width = picture.shape[:2]
        scale = min(LARGEST_ENLARGEMENT, math.sqrt(DETECTED_PIXELS / (height * width)))
        rows, columns = (max(1, round(length * scale / _DETECTOR_STEP)) * _DETECTOR_STEP for length in (height, width))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        _infer(self._request, _scaled(_resized(picture, columns, rows, method))[None])
        quads, _ = self._outlines(self._request.get_output_tensor().data, (height, width))
        return np.asarray(quads, np.float32).reshape(-1, 4, 2)


class LineRecogniser:
    """Reads pictures of lines (a convolutional network with CTC: Graves et al., ICML 2006)."""

    def __init__(self, folder: Path, threads: int) -> None:
        import openvino

        core = openvino.Core()
        model = core.read_model(folder / RECOGNISER)
        characters = model.get_rt_info()["framework"]["character"].value.splitlines()
        self._characters = ["", *characters, " "]
        compiled = core.compile_model(_best_only(model), "CPU", _configuration(threads))
        self._request = compiled.create_infer_request()

    def read(self, lines: Sequence[NDArray[np.uint8]]) -> list[ReadLine]:
        """Return what stands in each picture (height × width × 3)."""
        found: dict[int, ReadLine] = {}
        for batch in _batches([_columns(line) for line in lines]):
            found.update(zip(batch, self._read_batch([lines[each] for each in batch]), strict=True))
        return [found[each] for each in range(len(lines))]

    def _read_batch(self, lines: Sequence[NDArray[np.uint8]]) -> list[ReadLine]:
        import cv2
        import numpy as np

        widths = [_columns(line) for line in lines]
        widest = _rounded(max(widths))
        batch = np.zeros((len(lines), 3, LINE_HEIGHT, widest), np.float32)
        for place, (line, width) in enumerate(zip(lines, widths, strict=True)):
            batch[place, :, :, :width] = _scaled(_resized(line, width, LINE_HEIGHT, cv2.INTER_LINEAR))
        _infer(self._request, batch)
        scores = np.array(self._request.get_output_tensor(0).data[..., 0])
        choices = np.array(self._request.get_output_tensor(1).data[..., 0])
        return [
            self._decoded(chosen, score, widest / width)
            for chosen, score, width in zip(choices, scores, widths, strict=True)
        ]

    def _decoded(self, chosen: NDArray[np.int32], scores: NDArray[np.float32], stretch: float) -> ReadLine:
        """Leave out blanks and repetitions. ``stretch`` is how much wider the batch was than the line."""
        import numpy as np

        kept = chosen != 0
        kept[1:] &= chosen[1:] != chosen[:-1]
        columns = np.flatnonzero(kept)
        text = "".join(self._characters[each] for each in chosen[columns])
        places = np.clip((columns + 0.5) / len(chosen) * stretch, 0.0, 1.0)
        if len(text) != len(columns):  # a class of several characters: they share its place
            counts = [len(self._characters[each]) for each in chosen[columns]]
            columns, places = np.repeat(columns, counts), np.repeat(places, counts)
        return ReadLine(text, scores[columns], places.astype(np.float32))


def _resized(picture: NDArray[np.uint8], columns: int, rows: int, method: int) -> NDArray[np.uint8]:
    import cv2
    import numpy as np

    return np.asarray(cv2.resize(picture, (columns, rows), interpolation=method), np.uint8)


def _infer(request: Any, batch: NDArray[np.float32]) -> None:
    """Raises ``MemoryError`` where OpenVINO tells of one only in words."""
    try:
        request.infer([batch])
    except RuntimeError as error:
        if "allocate" in str(error):
            raise MemoryError(str(error)) from error
        raise


def _best_only(model: Any) -> Any:  # models of OpenVINO have no types here
    """Let the network return the best character and its score, not eighteen thousand scores a column."""
    import numpy as np
    import openvino
    from openvino import opset13 as operations

    scores = model.output(0).get_node().input_value(0)
    best = operations.topk(scores, operations.constant(np.int32(1)), 2, "max", "none", index_element_type="i32")
    return openvino.Model([best.output(0), best.output(1)], model.get_parameters(), "recogniser")


def _columns(line: NDArray[np.uint8]) -> int:
    height, width = map(int, line.shape[:2])
    return max(1, min(LONGEST_LINE, math.ceil(LINE_HEIGHT * width / height)))


def _rounded(columns: int) -> int:
    return -(-columns // _COLUMN_STEP) * _COLUMN_STEP


def _batches(widths: Sequence[int]) -> list[list[int]]:
    """Put lines of like width together; returns their places in ``widths``."""
    batches: list[list[int]] = []
    for place in sorted(range(len(widths)), key=widths.__getitem__):
        if batches and (len(batches[-1]) + 1) * _rounded(widths[place]) <= _COLUMNS_AT_ONCE:
            batches[-1].append(place)
        else:
            batches.append([place])
    return batches
