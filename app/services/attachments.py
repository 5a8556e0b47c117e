"""Files attached to one chat: read like any other, searched by that chat only, gone with it.

They live in ``chats.db`` beside the messages; no library, no index and no other chat ever sees them. Their passages
carry negative ids, so that nothing takes them for documents of a library.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.domain.documents import DocumentRecord, DocumentState, FileStamp, ParsedDocument, assemble
from app.domain.errors import BadInputError, DocumentError
from app.domain.passages import Passage
from app.grounding.sweeping import share, terms_in, weights_of
from app.grounding.terms import terms
from app.retrieval.search_text import search_text
from app.services.ingest_item import sha256_of_file
from app.storage.attachment_store import AttachedChunk, AttachmentRow, AttachmentStore

if TYPE_CHECKING:
    from app.domain.cancellation import CancelToken
    from app.retrieval.embedder import Embedder
    from app.retrieval.text_splitter import TextSplitter

MOST_PICTURE_BYTES = 8 * 1024 * 1024
PICTURE_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
_CHUNKS_PER_FILE = 1_000_000
_EMBEDDED_AT_ONCE = 32


class Parser(Protocol):
    """What is needed of the parser pool."""

    def parse(self, path: Path, cancel: CancelToken | None = None) -> ParsedDocument:
        """Read one file. Raises ``DocumentError``."""
        ...


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file of a chat. ``document_id`` is what its passages and footnotes carry; it is negative.

    ``kind`` is "image" where a model may look at the file itself, else "text". ``tokens`` counts those of its text.
    """

    id: int
    session_id: str
    path: Path
    kind: str
    media_type: str
    tokens: int

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def document_id(self) -> int:
        """The negative id."""
        return -self.id


class AttachmentService:
    """Use cases of attached files. Every method blocks; call it off the GUI thread and the event loop.

    ``is_supported`` tells by its name whether a file can be read.
    """

    def __init__(
        self,
        store: AttachmentStore,
        open_parser: Callable[[], Parser],
        open_splitter: Callable[[], TextSplitter],
        open_embedder: Callable[[], Embedder],
        is_supported: Callable[[Path], bool],
    ) -> None:
        self._store = store
        self._open_parser = open_parser
        self._open_splitter = open_splitter
        self._open_embedder = open_embedder
        self._is_supported = is_supported

    def can_attach(self, path: Path) -> bool:
        """Whether a file can be attached, by its name."""
        return self._is_supported(path)

    def add(self, session_id: str, path: Path) -> AttachedFile:
        """Read a file into a chat; one that is there in this version is not read again.

        Raises ``BadInputError`` for a file that is missing or of no known kind and for a chat that is gone, and
        ``DocumentError`` for a file that can't be read. A picture without any text is attached all the same.
        """
        if not path.is_file():
            raise BadInputError(f"{path} is not there. Attach a file that exists.")
        if not self.can_attach(path):
            raise BadInputError(f"{path.name} is of a kind that Footnote can't read.")
        status = path.stat()
        digest = sha256_of_file(path)
        known = next(
            (each for each in self._store.of(session_id) if (each.path, each.file_hash) == (path, digest)), None
        )
        if known is not None:
            return _attached(known)
        picture = _picture(path, status.st_size)
        document = self._read(path, picture)
        stamp = FileStamp(status.st_size, status.st_mtime_ns)
        added = self._store.add(session_id, path, digest, stamp, document, self._chunks(document), picture)
        return _attached(self._store.attachment(added))

    def of(self, session_id: str) -> list[AttachedFile]:
        """The files of a chat, in the order they came."""
        return [_attached(each) for each in self._store.of(session_id)]

    def remove(self, session_id: str, attachment_id: int) -> None:
        """Take a file out of a chat. Its quotes stay."""
        self._store.remove(session_id, attachment_id)

    def picture(self, file: AttachedFile) -> bytes | None:
        """The bytes of a picture that a model may look at."""
        return self._store.picture(file.id)

    def picture_of(self, document_id: int) -> bytes | None:
        """The bytes of a picture by its negative id; None if it is gone or none."""
        return self._store.picture(-document_id)

    def text(self, document_id: int) -> str:
        """The text of an attached file by its negative id; empty if it is gone."""
        return self._store.text(-document_id)

    def record(self, document_id: int) -> DocumentRecord:
        """An attached file as a document. Raises ``BadInputError`` if it is gone."""
        return _record(self._store.attachment(-document_id))

    def records(self, session_id: str) -> list[DocumentRecord]:
        """The files of a chat as documents."""
        return [_record(each) for each in self._store.of(session_id)]

    def passages_of(self, document_id: int) -> list[Passage]:
        """All passages of one file, in order; none if it is gone."""
        try:
            row = self._store.attachment(-document_id)
        except BadInputError:
            return []
        return [_passage(row, each) for each in self._store.chunks([row.id])]

    def search(self, session_id: str, query: str, k: int) -> list[Passage]:
        """The ``k`` best passages of the files of a chat, best first: half by meaning, half by words."""
        if not query.strip() or k <= 0:
            return []
        swept = self._swept(self._store.of(session_id), query)
        wanted = tuple(dict.fromkeys(terms(query)))
        held = [terms_in(words, wanted) for _, words in swept]
        weights = weights_of(wanted, [each for each in held if each])
        scored = [
            replace(passage, score=0.5 * (passage.similarity or 0.0) + 0.5 * share(own, weights))
            for (passage, _), own in zip(swept, held, strict=True)
        ]
        return sorted(scored, key=lambda each: (-each.score, -each.document_id, each.start))[:k]

    def swept(self, document_ids: Collection[int], query: str) -> list[tuple[Passage, str]]:
        """All passages of some files by their negative ids, each with its words as an index has them.

        ``similarity`` is the cosine with ``query``. Files that are gone have none.
        """
        rows = (self._store.attachment(-each) for each in document_ids if self._store.text(-each))
        return self._swept(list(rows), query)

    def _swept(self, files: Sequence[AttachmentRow], query: str) -> list[tuple[Passage, str]]:
        rows = {each.id: each for each in files}
        chunks = self._store.chunks(list(rows))
        cosines = self._cosines(query, chunks) if chunks else []
        return [
            (replace(_passage(rows[each.attachment_id], each), similarity=cosine), each.search_text)
            for each, cosine in zip(chunks, cosines, strict=True)
        ]

    def _cosines(self, query: str, chunks: Sequence[AttachedChunk]) -> list[float]:
        """Cosines of query and chunks; chunks of another embedding model are embedded again, as they are few."""
        import numpy as np

        embedder = self._open_embedder()
        vector = embedder.embed_query(query)
        old = [each for each in chunks if each.model_key != embedder.model_key]
        fresh = dict(zip(map(id, old), self._vectors([each.chunk.text for each in old]), strict=True))
        vectors = [fresh.get(id(each), each.vector) for each in chunks]
        matrix = np.frombuffer(b"".join(vectors), dtype="<f2").reshape(len(chunks), -1).astype(np.float32)
        return [float(each) for each in matrix @ vector]

    def _read(self, path: Path, picture: bytes | None) -> ParsedDocument:
        try:
            return self._open_parser().parse(path)
        except DocumentError:
            if picture is None:
                raise
            return assemble([], title=path.stem, media_type=PICTURE_TYPES[path.suffix.lower()])

    def _chunks(self, document: ParsedDocument) -> list[AttachedChunk]:
        chunks = self._open_splitter().split(document)
        vectors = self._vectors([each.embedded_text for each in chunks])
        key = self._open_embedder().model_key if chunks else ""
        return [
            AttachedChunk(0, position, chunk, search_text(document.title, chunk.headings, chunk.text), key, vector)
            for position, (chunk, vector) in enumerate(zip(chunks, vectors, strict=True))
        ]

    def _vectors(self, texts: Sequence[str]) -> list[bytes]:
        vectors: list[bytes] = []
        for start in range(0, len(texts), _EMBEDDED_AT_ONCE):
            rows = self._open_embedder().embed_passages(texts[start : start + _EMBEDDED_AT_ONCE]).astype("<f2")
            vectors += [each.tobytes() for each in rows]
        return vectors


def _picture(path: Path, size: int) -> bytes | None:
    """The file itself, if it is a picture that models take and not too large for them."""
    if path.suffix.lower() not in PICTURE_TYPES or size > MOST_PICTURE_BYTES:
        return None
    return path.read_bytes()


def _attached(row: AttachmentRow) -> AttachedFile:
    media_type = PICTURE_TYPES.get(row.path.suffix.lower(), row.media_type) if row.has_picture else row.media_type
    kind = "image" if row.has_picture else "text"
    return AttachedFile(row.id, row.session_id, row.path, kind, media_type, row.token_count)


def _record(row: AttachmentRow) -> DocumentRecord:
    return DocumentRecord(
        -row.id,
        row.path,
        row.title,
        row.media_type,
        row.stamp,
        row.file_hash,
        DocumentState.READY,
        None,
        "",
        row.page_count,
        row.chunk_count,
        row.added_at,
        row.added_at,
        "",
    )


def _passage(row: AttachmentRow, each: AttachedChunk) -> Passage:
    chunk = each.chunk
    return Passage(
        chunk_id=-(row.id * _CHUNKS_PER_FILE + each.position + 1),
        document_id=-row.id,
        path=row.path,
        title=row.title,
        file_hash=row.file_hash,
        start=chunk.start,
        end=chunk.end,
        text=chunk.text,
        score=0.0,
        page=chunk.page,
        headings=chunk.headings,
        token_count=chunk.token_count,
    )
