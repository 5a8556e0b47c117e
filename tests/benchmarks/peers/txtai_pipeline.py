"""txtai with hybrid search and stored content. It has no PDF reader or splitter of its own without further packages, so
it gets the pages and chunks that LangChain makes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from langchain_core.documents import Document
from langchain_text_splitters import RecursiveCharacterTextSplitter
from txtai import Embeddings

from tests.benchmarks.peers.chunk_table import PeerChunk, count_ingested
from tests.benchmarks.peers.langchain_pipeline import (
    CHUNK_CHARACTERS,
    OVERLAP_CHARACTERS,
    as_hit,
    load_documents,
    unit,
)
from tests.benchmarks.peers.pipeline import Hit, Ingested, Query, Task


class TxtaiPipeline:
    """``Embeddings`` of txtai: dense vectors and its own sparse index, half and half."""

    def __init__(self, task: Task) -> None:
        self._model = Path(task.model)
        self._embeddings = Embeddings(
            path=task.model, hybrid=True, content=True, gpu=False, encodebatch=task.batch, batch=1024
        )
        self._splitter = RecursiveCharacterTextSplitter(
            chunk_size=CHUNK_CHARACTERS, chunk_overlap=OVERLAP_CHARACTERS, add_start_index=True
        )
        self._chunks: list[Document] = []
        self._lengths: dict[str, int] = {}

    def warm_up(self, text: str) -> None:
        """Load the model."""
        self._embeddings.batchtransform([text])

    def ingest(self, files: Sequence[Path]) -> None:
        """Read, split, embed and index ``files``."""
        documents = load_documents(files)
        self._lengths = {unit(each): len(each.page_content) for each in documents}
        self._chunks = self._splitter.split_documents(documents)
        self._embeddings.index(
            (number, {"text": each.page_content, "source": each.metadata["source"]}, None)
            for number, each in enumerate(self._chunks)
        )

    def ingested(self) -> Ingested:
        """Count what was ingested."""
        chunks = [PeerChunk(unit(each), each.metadata["start_index"], each.page_content) for each in self._chunks]
        return count_ingested(chunks, self._lengths, self._model)

    def search(self, query: Query, k: int) -> list[Hit]:
        """The best chunks of both indexes."""
        condition = "similar(:q)" + (" and source = :source" if query.file else "")
        rows = self._embeddings.search(
            f"select id, score from txtai where {condition}",  # no value stands in the statement
            limit=k,
            parameters={"q": query.text, "source": query.file},
        )
        return [as_hit(self._chunks[int(row["id"])]) for row in rows]
