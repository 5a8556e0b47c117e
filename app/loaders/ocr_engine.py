"""Reads the text of a picture: finds its lines, turns it upright, reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.loaders.ocr_networks import LineDetector, LineRecogniser, ReadLine, models_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Text that is read with less is noise, or stands upside down.
LEAST_CONFIDENCE = 0.5
SURE = 0.9
TALL = 1.5
_SAMPLE = 8


@dataclass(frozen=True, slots=True)
class OcrLine:
    """A line as it was read.

    ``quad`` holds its corners (4 × 2 pixels of the picture turned upright, x before y), clockwise from where the text
    begins at its top.
    """

    read: ReadLine
    quad: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class OcrReading:
    """What stands in a picture. ``quarters`` counts the right angles it had to be turned counter-clockwise to stand
    upright; ``width`` and ``height`` are those of the upright picture, in pixels."""

    lines: tuple[OcrLine, ...]
    quarters: int
    width: int
    height: int


class OcrEngine:
    """Both networks, loaded. Not thread-safe; uses ``threads`` threads while it reads."""

    def __init__(self, threads: int = 2) -> None:
        """Raises ``FileNotFoundError`` if the networks are not installed."""
        folder = models_folder()
        self._detector = LineDetector(folder, threads)
        self._recogniser = LineRecogniser(folder, threads)

    def read(self, picture: NDArray[np.uint8]) -> OcrReading:
        """Read ``picture`` (height × width × 3, blue-green-red), however many right angles it is turned."""
        quads = self._detector.quads(picture)
        quarters = 0
        if _mostly_tall(quads):
            picture, quarters = _turned(picture, 1), 1
            quads = self._detector.quads(picture)
        height, width = picture.shape[:2]
        if quarters and self._is_upside_down(picture, quads):
            lines: list[OcrLine] = []
        else:
            lines = self._lines(picture, quads)
        if not lines or (not quarters and _confidence(lines) < SURE and self._is_upside_down(picture, quads)):
            picture, quads, quarters = _turned(picture, 2), _turned_over(quads, width, height), (quarters + 2) % 4
            lines = self._lines(picture, quads)
        kept = (line for line in lines if line.read.text.strip() and line.read.confidence >= LEAST_CONFIDENCE)
        return OcrReading(tuple(kept), quarters, width, height)

    def _lines(self, picture: NDArray[np.uint8], quads: NDArray[np.float32]) -> list[OcrLine]:
        read = self._recogniser.read([_cut_out(picture, quad) for quad in quads])
        lines = [OcrLine(text, quad) for text, quad in zip(read, quads, strict=True)]
        upright = [place for place, quad in enumerate(quads) if _is_tall(quad)]
        if upright:  # a single letter, or a line written downwards
            downwards = [_rolled(quads[place]) for place in upright]
            again = self._recogniser.read([_cut_out(picture, quad) for quad in downwards])
            for place, text, quad in zip(upright, again, downwards, strict=True):
                if text.confidence > lines[place].read.confidence:
                    lines[place] = OcrLine(text, quad)
        return lines

    def _is_upside_down(self, picture: NDArray[np.uint8], quads: NDArray[np.float32]) -> bool:
        """Whether the longest lines are read with more confidence when they are turned over."""
        longest = sorted(quads, key=_width, reverse=True)[:_SAMPLE]
        if not longest:
            return False
        cuts = [_cut_out(picture, quad) for quad in longest]
        upright = self._recogniser.read(cuts)
        turned_over = self._recogniser.read([_turned(cut, 2) for cut in cuts])
        return _mean_confidence(turned_over) > _mean_confidence(upright)


def _turned(picture: NDArray[np.uint8], quarters: int) -> NDArray[np.uint8]:
    import numpy as np

    return np.ascontiguousarray(np.rot90(picture, quarters))


def _turned_over(quads: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    import numpy as np

    return (np.array([width, height], np.float32) - quads)[:, [2, 3, 0, 1]]


def turned_back(points: NDArray[np.float32], reading: OcrReading) -> NDArray[np.float32]:
    """Return where ``points`` (n × 2) of the upright picture stand in the picture that was read."""
    import numpy as np

    across, down = points[:, 0], points[:, 1]
    if reading.quarters == 1:
        return np.stack([reading.height - down, across], axis=1)
    if reading.quarters == 2:
        return np.stack([reading.width - across, reading.height - down], axis=1)
    if reading.quarters == 3:
        return np.stack([down, reading.width - across], axis=1)
    return points


def _width(quad: NDArray[np.float32]) -> float:
    return float(max(_distance(quad[0], quad[1]), _distance(quad[3], quad[2])))


def _height(quad: NDArray[np.float32]) -> float:
    return float(max(_distance(quad[0], quad[3]), _distance(quad[1], quad[2])))


def _distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(((one - other) ** 2).sum() ** 0.5)


def _is_tall(quad: NDArray[np.float32]) -> bool:
    return _height(quad) > TALL * _width(quad)


def _mostly_tall(quads: NDArray[np.float32]) -> bool:
    tall = sum(_height(quad) for quad in quads if _is_tall(quad))
    return tall > sum(_width(quad) for quad in quads if not _is_tall(quad))


def _rolled(quad: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same corners, beginning with the upper right one: the text runs downwards."""
    return quad[[1, 2, 3, 0]]


def _cut_out(picture: NDArray[np.uint8], quad: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The picture of a line, made straight."""
    import cv2
    import numpy as np

    width, height = max(1, int(_width(quad))), max(1, int(_height(quad)))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    change = cv2.getPerspectiveTransform(np.ascontiguousarray(quad), corners)
    cut = cv2.warpPerspective(picture, change, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)


def _mean_confidence(lines: Sequence[ReadLine]) -> float:
    """The mean over all characters."""
    letters = sum(len(line.text) for line in lines)
    return sum(float(line.confidences.sum()) for line in lines) / letters if letters else 0.0


def _confidence(lines: Sequence[OcrLine]) -> float:
    return _mean_confidence([line.read for line in lines])
