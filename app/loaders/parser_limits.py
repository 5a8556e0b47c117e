"""How much of the machine one document may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from app.settings.setting import Setting

T = TypeVar("T")
MEBIBYTE = 1 << 20

PARSER_PROCESSES = Setting(
    "loaders.processes", 2, "Files read at the same time", "Each is read in a process of its own.", 1, 16, restart=True
)
SECONDS_PER_FILE = Setting(
    "loaders.seconds_per_file",
    120,
    "Longest time for one file (seconds)",
    "Reading a file that takes longer is stopped; the file is listed as failed.",
    5,
    3600,
    restart=True,
)
PARSER_MEGABYTES = Setting(
    "loaders.megabytes_per_file",
    1536,
    "Most memory for one file (MB)",
    "Reading a file that needs more is stopped; the file is listed as failed.",
    256,
    65536,
    restart=True,
)
LARGEST_TEXT_MEGABYTES = Setting(
    "loaders.largest_text_megabytes",
    64,
    "Largest text file (MB)",
    "Larger files of plain text, tables or source code are refused: split them, or raise this limit.",
    1,
    1024,
    restart=True,
)
OCR = Setting(
    "loaders.ocr",
    True,
    "Read text in pictures (OCR)",
    "Scanned pages and pictures are read on this computer. It takes a second or two a page.",
    restart=True,
)
OCR_PAGES = Setting(
    "loaders.ocr_pages",
    500,
    "Scanned pages to read in a file",
    "The text of further scanned pages is left out. Pages with text of their own don't count.",
    1,
    100_000,
    restart=True,
)


class SettingValues(Protocol):
    """Where the values of settings come from."""

    def __getitem__(self, setting: Setting[T], /) -> T:
        """Return the value of ``setting``."""
        ...


@dataclass(frozen=True, slots=True)
class ParserLimits:
    """Limits for reading one file, and for recycling the process that reads.

    ``seconds`` of wall time and ``cpu_seconds`` of processor time a file; ``memory_bytes`` a parser process;
    ``output_chars`` of text a document; ``text_bytes`` and ``file_bytes`` the largest plain-text file and the largest
    other file; a process is replaced after ``files_per_process`` files or once it holds ``recycle_bytes``. One that
    holds ``rest_bytes`` is ended when no file has come for ``rest_seconds``. Files
    inside files, such as attachments of a mail attached to a mail, are read ``nesting`` deep.
    ``tidy_pages`` leaves running headers, footers and page numbers of PDF out and mends divided words.

    ``ocr`` says whether text in pictures is read, of at most ``ocr_pages`` pages a file, with ``ocr_threads``. Each of
    them gives the file ``page_seconds`` more of wall time and ``page_cpu_seconds`` of processor time.
    """

    seconds: float = 120.0
    cpu_seconds: int = 60
    memory_bytes: int = 1536 * MEBIBYTE
    output_chars: int = 100_000_000
    text_bytes: int = 64 * MEBIBYTE
    file_bytes: int = 2048 * MEBIBYTE
    files_per_process: int = 200
    recycle_bytes: int = 800 * MEBIBYTE  # the networks for OCR fill 650 and are used again for the next file
    nesting: int = 3
    tidy_pages: bool = True
    rest_bytes: int = 300 * MEBIBYTE
    rest_seconds: float = 30.0
    ocr: bool = True
    ocr_pages: int = 500
    ocr_threads: int = 2
    page_seconds: float = 60.0
    page_cpu_seconds: int = 120

    @classmethod
    def from_settings(cls, settings: SettingValues) -> ParserLimits:
        """Return the limits that the user has set."""
        seconds = settings[SECONDS_PER_FILE]
        return cls(
            seconds=float(seconds),
            cpu_seconds=seconds,
            memory_bytes=settings[PARSER_MEGABYTES] * MEBIBYTE,
            text_bytes=settings[LARGEST_TEXT_MEGABYTES] * MEBIBYTE,
            ocr=settings[OCR],
            ocr_pages=settings[OCR_PAGES],
        )
