"""Finds the document loaders by walking this folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

from app.domain.documents import ParsedDocument, assemble
from app.domain.errors import DocumentError, FailureReason
from app.loaders.document_loader import DocumentLoader
from app.loaders.drawings import image_mark
from app.loaders.ocr_reader import OcrReader, no_more_time
from app.loaders.parser_limits import ParserLimits
from app.loaders.regular_file import require_readable
from app.loaders.titles import document_title


class EmptyRegistryError(RuntimeError):
    """No document loader was found: the program was packaged without its modules."""


class Registry:
    """The document loaders, by file name."""

    def __init__(self, found: Sequence[DocumentLoader]) -> None:
        """Raises ``EmptyRegistryError`` if ``found`` is empty, ``ValueError`` if two loaders claim one extension."""
        if not found:
            raise EmptyRegistryError("no document loaders found; the installation is incomplete")
        self._by_extension: dict[str, DocumentLoader] = {}
        self._by_name: dict[str, DocumentLoader] = {}
        for loader in found:
            self._claim(self._by_extension, loader.extensions, loader)
            self._claim(self._by_name, loader.names, loader)

    @property
    def supported_extensions(self) -> frozenset[str]:
        """Lower-case suffixes with their dot."""
        return frozenset(self._by_extension)

    def loader_for(self, path: Path) -> DocumentLoader | None:
        """Return the loader for ``path``, told from its name, or None."""
        extensions = ["".join(path.suffixes[-2:]).lower(), path.suffix.lower()]  # .tar.gz goes before .gz
        return self._by_name.get(path.name.lower()) or next(
            (self._by_extension[each] for each in extensions if each in self._by_extension), None
        )

    @staticmethod
    def _claim(table: dict[str, DocumentLoader], keys: frozenset[str], loader: DocumentLoader) -> None:
        for key in keys:
            if key in table:
                raise ValueError(f"two loaders claim {key}: {type(table[key]).__name__}, {type(loader).__name__}")
            table[key] = loader


def loaders(
    package: str = "app.loaders",
    limits: ParserLimits | None = None,
    ask_for_time: Callable[[], None] = no_more_time,
    ocr: OcrReader | None = None,
) -> Registry:
    """Return the loaders defined in the modules of ``package``, made with ``limits`` (default: the usual).

    They call ``ask_for_time`` before each page that takes seconds, or read pictures by ``ocr`` if there is one already.

    Raises ``EmptyRegistryError`` if there are none.
    """
    folder = importlib.import_module(package)
    found: list[DocumentLoader] = []
    limits = limits or ParserLimits()
    ocr = ocr or OcrReader(limits, ask_for_time)
    for info in pkgutil.iter_modules(folder.__path__):
        if not info.ispkg:
            kinds = _loaders_in(importlib.import_module(f"{package}.{info.name}"))
            found.extend(kind.with_ocr(limits, ocr) for kind in kinds)
    return Registry(found)


def _loaders_in(module: ModuleType) -> Iterator[type[DocumentLoader]]:
    for value in vars(module).values():
        own = isinstance(value, type) and value.__module__ == module.__name__
        if (
            own
            and DocumentLoader in value.__mro__
            and not value.__name__.startswith("_")
            and value is not DocumentLoader
        ):
            yield value


def load_document(path: Path, limits: ParserLimits, registry: Registry) -> ParsedDocument:
    """Read ``path`` with the loader for its name. Raises ``DocumentError`` if there is nothing to read."""
    loader = registry.loader_for(path)
    if loader is None:
        kind = f"“{path.suffix}” files" if path.suffix else "files without an extension"
        raise DocumentError(FailureReason.UNSUPPORTED, f"“{path.name}” was left out: {kind} can't be read.")
    _require_size(path, require_readable(path), loader, limits)
    loaded = loader.load(path)
    document = assemble(
        loaded.sections,
        title=document_title(loaded, path),
        media_type=loader.media_type(path),
        page_count=loaded.page_count,
        metadata=loaded.metadata,
    )
    if not document.text.replace(image_mark(), "").strip():
        raise DocumentError(FailureReason.NO_TEXT, f"“{path.name}” holds no text that could be searched.")
    if len(document.text) > limits.output_chars:
        raise DocumentError(
            FailureReason.TOO_LARGE,
            f"“{path.name}” holds {len(document.text):,} characters of text; a document may have up to "
            f"{limits.output_chars:,}. Split it into smaller files and add those.",
        )
    return document


def _require_size(path: Path, size: int, loader: DocumentLoader, limits: ParserLimits) -> None:
    allowed = limits.text_bytes if loader.plain_text else limits.file_bytes
    if size <= allowed:
        return
    kind = "text files" if loader.plain_text else "files"
    raise DocumentError(
        FailureReason.TOO_LARGE,
        f"“{path.name}” has {size / 1e6:,.0f} MB; {kind} up to {allowed / 1e6:,.0f} MB can be added. "
        "Split it into smaller files, or raise the limit in the settings.",
    )
