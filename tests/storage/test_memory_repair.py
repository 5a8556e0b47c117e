"""Memory after damage: what is derived goes, what was said stays."""

from __future__ import annotations

from app.domain.messages import HumanMessage
from app.storage.chats_integrity import repair_chats
from app.storage.conversation_sqlite import SqliteConversationStore
from app.storage.database import Database
from app.storage.memory_store import MemoryStore, StoredSummary
from app.storage.session_store import SessionStore


def test_messages_of_a_lost_conversation_are_found_and_summaries_of_a_lost_chat_forgotten(
    chats: Database, sessions: SessionStore
) -> None:
    store, memory = SqliteConversationStore(chats), MemoryStore(chats)
    whole, lost = (store.create_session("ann").session_id for _ in range(2))
    for each in (whole, lost):
        store.add_messages(each, [HumanMessage("Hello.")])
    kept, gone = sessions.create().id, sessions.create().id
    for each in (kept, gone):
        memory.add_summary(each, StoredSummary(b"d", 1, "Notes.", "m"))
    connection = chats.connection
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("DELETE FROM conversations WHERE id = ?", (lost,))
    connection.execute("DELETE FROM sessions WHERE id = ?", (gone,))
    connection.execute("PRAGMA foreign_keys = ON")
    assert chats.integrity()
    repair_chats(chats)
    assert chats.integrity() == []
    assert store.load_messages(lost) == store.load_messages(whole) == [HumanMessage("Hello.")]
    assert (len(memory.summaries(kept)), len(memory.summaries(gone))) == (1, 0)
    session = store.session(whole)
    assert session is not None
    assert session.user_id == "ann"
