"""How much of the machine one document may use."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class ParserLimits:
    """Limits for reading one file, and for recycling the process that reads.

    ``seconds`` of wall time and ``cpu_seconds`` of processor time a file; ``memory_bytes`` a parser process;
    ``output_chars`` of text a document; ``text_bytes`` and ``file_bytes`` the largest plain-text file and the largest
    other file; a process is replaced after ``files_per_process`` files or once it holds ``recycle_bytes``.
    """

    seconds: float = 120.0
    cpu_seconds: int = 60
    memory_bytes: int = 1536 * MEBIBYTE
    output_chars: int = 100_000_000
    text_bytes: int = 64 * MEBIBYTE
    file_bytes: int = 2048 * MEBIBYTE
    files_per_process: int = 200
    recycle_bytes: int = 400 * MEBIBYTE
