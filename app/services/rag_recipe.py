"""The common recipe of chat over documents, as a preset over the classes of this program.

Texts are cut by ``RecursiveSplitter`` (1000 characters, 200 of them shared), kept in a library of their own, found by
``VectorIndex`` (FAISS, by meaning alone, the three nearest) and put into a system prompt; the last ten messages go
with the question. Nothing is checked and nothing has a footnote: that is what the program's own way adds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from app.chat_models.prompts.templates import ChatPromptTemplate, MessagesPlaceholder
from app.domain.documents import Chunk, FileStamp, ParsedDocument, Section, assemble
from app.domain.messages import AIMessage, HumanMessage, Message
from app.retrieval.recursive_splitter import SEPARATORS, RecursiveSplitter
from app.retrieval.search_text import search_text
from app.storage.library_store import LibraryStore, open_library

if TYPE_CHECKING:
    from app.chat_models.model import ChatModel
    from app.retrieval.embedder import Embedder

BETWEEN_CHUNKS = "\n\n---\n\n"

WITH_CONTEXT = """\
You help the user and can read from a knowledge base.

Answer from the context below. If it has nothing on the question, say so, then answer from what you know in general.

Context from the knowledge base:
{context}

Guidelines:
- Name what you take from the context where it matters.
- Where the context and your own knowledge disagree, go by the context.
- Keep apart what comes from the context and what is general knowledge."""

WITHOUT_CONTEXT = """\
You help the user.
There is no context for this question, so answer from what you know in general."""


@dataclass(frozen=True, slots=True)
class RagRecipe:
    """The numbers of the recipe: characters of a chunk, chunks that are found, messages that are remembered."""

    chunk_size: int = 1000
    chunk_overlap: int = 200
    separators: tuple[str, ...] = SEPARATORS
    top_k: int = 3
    history_messages: int = 10


DEFAULT_RECIPE = RagRecipe()


class RagChat:
    """A chat by the recipe. ``folder`` keeps the library and its index; they last until it is deleted.

    Not for several threads at once. Raises what the embedder, the model and the database raise.
    """

    def __init__(self, folder: Path, embedder: Embedder, model: ChatModel, recipe: RagRecipe = DEFAULT_RECIPE) -> None:
        from app.retrieval.vector_index import VectorIndex

        folder.mkdir(parents=True, exist_ok=True)
        self._database = open_library(folder / "library.db")
        self._store = LibraryStore(self._database)
        self._index = VectorIndex(self._store, folder / "index", embedder.model_key, embedder.dimension)
        self._index.open()
        self._embedder = embedder
        self._model = model
        self._recipe = recipe
        self._folder = folder
        self._splitter = RecursiveSplitter(recipe.chunk_size, recipe.chunk_overlap, recipe.separators)
        self.history: list[Message] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def chunk_count(self) -> int:
        """How many chunks are indexed."""
        return self._store.chunk_count()

    def add_documents(self, texts: Sequence[str]) -> int:
        """Index more texts. Returns how many chunks came in; a text that is there already brings none."""
        before = self.chunk_count
        for text in texts:
            self._add(text)
        self._index.refresh()
        return self.chunk_count - before

    def retrieve(self, query: str) -> list[str]:
        """The nearest chunks, best first; none where nothing was indexed."""
        if not query.strip() or not self.chunk_count:
            return []
        hits = self._index.search(self._embedder.embed_query(query), self._recipe.top_k)
        found = self._store.passages(chunk_id for chunk_id, _ in hits)
        return [found[chunk_id].text for chunk_id, _ in hits if chunk_id in found]

    def messages(self, question: str) -> list[Message]:
        """What the model is sent."""
        chunks = self.retrieve(question)
        template = ChatPromptTemplate.from_messages(
            [
                ("system", WITH_CONTEXT if chunks else WITHOUT_CONTEXT),
                MessagesPlaceholder("history"),
                ("human", "{input}"),
            ]
        )
        recent = self.history[-self._recipe.history_messages :]
        return template.format_messages(context=BETWEEN_CHUNKS.join(chunks), history=recent, input=question)

    def chat(self, question: str) -> str:
        """Answer a question and remember both."""
        answer = self._model.invoke(self.messages(question))
        self.history += [HumanMessage(question), AIMessage(answer.text)]
        return answer.text

    def clear_history(self) -> None:
        """Forget what was said. What was indexed stays."""
        self.history.clear()

    def close(self) -> None:
        """Close the index and the library."""
        self._index.close()
        self._database.close()

    def _add(self, text: str) -> None:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        path = self._folder / f"{digest}.txt"
        if self._store.document_by_path(path) is not None:
            return
        document = assemble([Section(text)], title="", media_type="text/plain")
        chunks = self._splitter.split(document)
        record = self._store.enqueue(path, FileStamp(len(text), 0))
        self._fill(record.id, document, digest, chunks)

    def _fill(self, document_id: int, document: ParsedDocument, digest: str, chunks: Sequence[Chunk]) -> None:
        import numpy as np

        words = [search_text("", (), each.text) for each in chunks]
        stored = self._store.replace_content(document_id, document, digest, chunks, words)
        if stored.new:
            vectors = self._embedder.embed_passages([each.embed_text for each in stored.new]).astype(np.float16)
            rows = zip((each.chunk_id for each in stored.new), vectors, strict=True)
            self._store.store_vectors(
                self._embedder.model_key, [(chunk_id, vector.tobytes()) for chunk_id, vector in rows]
            )
        self._store.finish(document_id)
