"""LangChain as its tutorials show it: PyPDFLoader, recursive splitter 1000/200, sentence-transformers, FAISS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from langchain_community.document_loaders import PyPDFLoader, TextLoader
from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter

from tests.benchmarks.peers.chunk_table import PeerChunk, count_ingested
from tests.benchmarks.peers.pipeline import Hit, Ingested, Query, Task

CHUNK_CHARACTERS, OVERLAP_CHARACTERS = 1000, 200


class LangChainPipeline:
    """Loader, splitter, embeddings and vector store of LangChain."""

    def __init__(self, task: Task) -> None:
        self._model = Path(task.model)
        self._embeddings = HuggingFaceEmbeddings(
            model_name=task.model,
            model_kwargs={"device": "cpu"},
            encode_kwargs={"batch_size": task.batch, "normalize_embeddings": True},
        )
        self._splitter = RecursiveCharacterTextSplitter(
            chunk_size=CHUNK_CHARACTERS, chunk_overlap=OVERLAP_CHARACTERS, add_start_index=True
        )
        self._store: FAISS | None = None
        self._chunks: list[Document] = []
        self._lengths: dict[str, int] = {}

    def warm_up(self, text: str) -> None:
        """Load the model."""
        self._embeddings.embed_documents([text])

    def ingest(self, files: Sequence[Path]) -> None:
        """Read, split, embed and index ``files``."""
        documents = load_documents(files)
        self._lengths = {unit(each): len(each.page_content) for each in documents}
        self._chunks = self._splitter.split_documents(documents)
        self._store = FAISS.from_documents(self._chunks, self._embeddings)

    def ingested(self) -> Ingested:
        """Count what was ingested."""
        chunks = [PeerChunk(unit(each), each.metadata["start_index"], each.page_content) for each in self._chunks]
        return count_ingested(chunks, self._lengths, self._model)

    def search(self, query: Query, k: int) -> list[Hit]:
        """The nearest chunks."""
        if self._store is None:
            raise RuntimeError("search before ingest")
        limited = {"filter": {"source": query.file}, "fetch_k": len(self._chunks)} if query.file else {}
        return [as_hit(each) for each in self._store.similarity_search(query.text, k=k, **limited)]


def load_documents(files: Sequence[Path]) -> list[Document]:
    """PDFs by page, everything else as one text."""
    documents: list[Document] = []
    for file in files:
        loader = PyPDFLoader(str(file)) if file.suffix == ".pdf" else TextLoader(str(file), encoding="utf-8")
        documents.extend(loader.load())
    return documents


def unit(document: Document) -> str:
    """The text that a chunk's start counts in: a page of a PDF, or a whole file."""
    return f"{document.metadata['source']}#{document.metadata.get('page', 0)}"


def as_hit(document: Document) -> Hit:
    """A chunk as the benchmark sees it."""
    start, page = document.metadata["start_index"], document.metadata.get("page")
    return Hit(
        document.metadata["source"],
        start,
        start + len(document.page_content),
        document.page_content,
        None if page is None else page + 1,
    )
