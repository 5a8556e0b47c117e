"""LlamaIndex with its defaults: SimpleDirectoryReader, sentence splitter 1024/200 tokens, vectors in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llama_index.core import Settings, SimpleDirectoryReader, VectorStoreIndex
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores import ExactMatchFilter, MetadataFilters
from llama_index.embeddings.huggingface import HuggingFaceEmbedding

from tests.benchmarks.peers.chunk_table import PeerChunk, count_ingested
from tests.benchmarks.peers.pipeline import Hit, Ingested, Query, Task


class LlamaIndexPipeline:
    """Reader, splitter, embedding and index of LlamaIndex, as ``from_documents`` puts them together."""

    def __init__(self, task: Task) -> None:
        self._model = Path(task.model)
        self._embedding = HuggingFaceEmbedding(model_name=task.model, device="cpu", embed_batch_size=task.batch)
        self._index: VectorStoreIndex | None = None
        self._lengths: dict[str, int] = {}

    def warm_up(self, text: str) -> None:
        """Load the model."""
        Settings.llm = None
        self._embedding.get_text_embedding(text)

    def ingest(self, files: Sequence[Path]) -> None:
        """Read, split, embed and index ``files``."""
        documents = SimpleDirectoryReader(input_files=[str(file) for file in files]).load_data()
        self._lengths = {each.doc_id: len(each.text) for each in documents}
        self._index = VectorStoreIndex.from_documents(documents, embed_model=self._embedding)

    def ingested(self) -> Ingested:
        """Count what was ingested."""
        nodes = self._require_index().docstore.docs.values()
        chunks = [
            PeerChunk(node.ref_doc_id or "", node.start_char_idx or 0, node.text)
            for node in nodes
            if isinstance(node, TextNode)
        ]
        return count_ingested(chunks, self._lengths, self._model)

    def search(self, query: Query, k: int) -> list[Hit]:
        """The nearest chunks."""
        filters = MetadataFilters(filters=[ExactMatchFilter(key="file_path", value=query.file)]) if query.file else None
        retriever = self._require_index().as_retriever(similarity_top_k=k, filters=filters)
        return [_hit(each.node) for each in retriever.retrieve(query.text)]

    def _require_index(self) -> VectorStoreIndex:
        if self._index is None:
            raise RuntimeError("search before ingest")
        return self._index


def _hit(node: Any) -> Hit:  # the peers' packages are not installed where types are checked
    label = node.metadata.get("page_label")
    start, end = node.start_char_idx, node.end_char_idx
    return Hit(
        node.metadata["file_path"],
        -1 if start is None else start,
        -1 if end is None else end,
        node.text,
        int(label) if label and label.isdigit() else None,
    )
