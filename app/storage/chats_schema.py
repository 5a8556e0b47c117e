"""The schema of ``chats.db``: sessions, messages, settings, the moderation log, feedback. Precious."""

from __future__ import annotations

from app.storage.migrations import Migration, Schema
from app.storage.schema_attachments import ATTACHMENTS
from app.storage.schema_branches import BRANCHES
from app.storage.schema_feedback import FEEDBACK
from app.storage.schema_memory import MEMORY
from app.storage.schema_organising import ORGANISING
from app.storage.schema_turn_details import TURN_DETAILS

_SESSIONS_AND_MESSAGES = Migration(
    "0001_sessions_and_messages",
    (
        """
        CREATE TABLE sessions (
            id TEXT PRIMARY KEY,
            title TEXT NOT NULL,
            created_at REAL NOT NULL,
            updated_at REAL NOT NULL,
            used INTEGER NOT NULL
        )
        """,
        # used counts up with every use of any session: their order must not depend on the clock.
        "CREATE UNIQUE INDEX sessions_used ON sessions (used)",
        # AUTOINCREMENT: an id is never used again, so order by id is order of arrival whatever the clock did.
        """
        CREATE TABLE messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
            role TEXT NOT NULL,
            text TEXT NOT NULL,
            search_text TEXT NOT NULL,
            status TEXT NOT NULL,
            created_at REAL NOT NULL,
            model TEXT NOT NULL,
            answered INTEGER NOT NULL,
            error TEXT NOT NULL,
            sentences TEXT NOT NULL,
            timings TEXT NOT NULL
        )
        """,
        "CREATE INDEX messages_session ON messages (session_id, id)",
        # The columns of a SessionRecord, in its order.
        """
        CREATE VIEW session_records AS
        SELECT id, title, created_at, updated_at,
            (SELECT count(*) FROM messages WHERE session_id = sessions.id) AS message_count, used
        FROM sessions
        """,
        """
        CREATE VIEW message_records AS
        SELECT id, session_id, role, text, status, created_at, model, answered, error, sentences, timings FROM messages
        """,
        "CREATE INDEX messages_streaming ON messages (status) WHERE status = 'streaming'",
        # A citation is a snapshot: document_id may point to a document that is gone, hence no foreign key.
        """
        CREATE TABLE citations (
            message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            document_id INTEGER NOT NULL,
            path NOT NULL,
            title TEXT NOT NULL,
            file_hash TEXT NOT NULL,
            start INTEGER NOT NULL,
            "end" INTEGER NOT NULL,
            quote TEXT NOT NULL,
            page INTEGER,
            boxes TEXT NOT NULL,
            score REAL NOT NULL,
            PRIMARY KEY (message_id, number)
        ) WITHOUT ROWID
        """,
        # search_text holds tokens joined by spaces; the ascii tokenizer splits there and takes all else as it is.
        """
        CREATE VIRTUAL TABLE messages_fts USING fts5 (
            search_text, content = 'messages', content_rowid = 'id', tokenize = 'ascii'
        )
        """,
        """
        CREATE TRIGGER messages_fts_insert AFTER INSERT ON messages BEGIN
            INSERT INTO messages_fts (rowid, search_text) VALUES (new.id, new.search_text);
        END
        """,
        """
        CREATE TRIGGER messages_fts_delete AFTER DELETE ON messages BEGIN
            INSERT INTO messages_fts (messages_fts, rowid, search_text) VALUES ('delete', old.id, old.search_text);
        END
        """,
        """
        CREATE TRIGGER messages_fts_update AFTER UPDATE OF search_text ON messages
        WHEN old.search_text IS NOT new.search_text BEGIN
            INSERT INTO messages_fts (messages_fts, rowid, search_text) VALUES ('delete', old.id, old.search_text);
            INSERT INTO messages_fts (rowid, search_text) VALUES (new.id, new.search_text);
        END
        """,
    ),
)

_SETTINGS = Migration(
    "0002_settings",
    ("CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL, updated_at REAL NOT NULL) WITHOUT ROWID",),
)

_MODERATION_LOG = Migration(
    "0003_moderation_log",
    (
        """
        CREATE TABLE moderation_log (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at REAL NOT NULL,
            stage TEXT NOT NULL,
            rule TEXT NOT NULL,
            decision TEXT NOT NULL,
            reason TEXT NOT NULL,
            session_id TEXT REFERENCES sessions (id) ON DELETE SET NULL
        )
        """,
        "CREATE INDEX moderation_log_session ON moderation_log (session_id)",
    ),
)

CHATS_SCHEMA = Schema(
    name="chats",
    application_id=0x466E4368,  # "FnCh"
    migrations=(
        _SESSIONS_AND_MESSAGES,
        _SETTINGS,
        _MODERATION_LOG,
        FEEDBACK,
        BRANCHES,
        ORGANISING,
        TURN_DETAILS,
        MEMORY,
        ATTACHMENTS,
    ),
    damaged_advice=(
        "It holds your chats. Close Footnote and run `footnote doctor --repair`: it keeps a copy of the damaged file "
        "and takes over every message that can be read, or the newest backup where there is none."
    ),
)
