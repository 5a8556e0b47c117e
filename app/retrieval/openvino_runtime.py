"""The one place that imports OpenVINO."""

from __future__ import annotations

import sys
from types import ModuleType

# The first reports every conversion to its maker; the second is only needed for conversions and slow to import.
_TELEMETRY = "openvino_telemetry"
_CONVERTER = "openvino.tools.ovc"


def import_openvino() -> ModuleType:
    """OpenVINO, kept from sending usage reports: it takes its own silent stub where their module is missing."""
    if "openvino" in sys.modules:
        return sys.modules["openvino"]
    block_telemetry()
    converter_loaded = _CONVERTER in sys.modules
    if not converter_loaded:
        sys.modules[_CONVERTER] = None  # type: ignore[assignment]  # None makes the import fail, which is the point
    try:
        import openvino
    finally:
        if not converter_loaded:
            del sys.modules[_CONVERTER]
    return openvino  # type: ignore[no-any-return]  # the package is untyped


def block_telemetry() -> None:
    """Make the reporting module unimportable in this process."""
    sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type]  # see above
