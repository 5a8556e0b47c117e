"""What can be chosen about embedding engines."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Precision(StrEnum):
    """How exactly a model computes."""

    INT8 = "int8"
    FP32 = "fp32"


class Engine(StrEnum):
    """Who computes vectors."""

    AUTOMATIC = "automatic"
    FAST = "fast"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """The settings that decide about the engine."""

    engine: Engine = Engine.AUTOMATIC
    precision: Precision = Precision.INT8
    device: str = "cpu"
    threads: int = 0

    @property
    def fast(self) -> bool:
        """Whether the fast engine is to be tried."""
        return self.engine is not Engine.REFERENCE and self.device == "cpu"
