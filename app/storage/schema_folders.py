"""The migration that adds followed folders to ``library.db``."""

from __future__ import annotations

from app.storage.migrations import Migration

# Paths have no type on purpose: a name that is not valid Unicode is stored as bytes.
FOLDERS = Migration(
    "0006_folders",
    (
        """
        CREATE TABLE folders (
            id INTEGER PRIMARY KEY,
            path NOT NULL UNIQUE,
            state TEXT NOT NULL,
            message TEXT NOT NULL,
            identity TEXT NOT NULL,
            added_at REAL NOT NULL,
            scanned_at REAL
        )
        """,
        """
        CREATE TABLE folder_mounts (
            folder_id INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
            path NOT NULL,
            PRIMARY KEY (folder_id, path)
        ) WITHOUT ROWID
        """,
        # What the user said about single paths: 1 take it though a rule leaves it out, 0 leave it out.
        "CREATE TABLE path_choices (path NOT NULL PRIMARY KEY, included INTEGER NOT NULL) WITHOUT ROWID",
        # The file a document was seen in; by it a moved file is known again without being read.
        """
        CREATE TABLE file_inodes (
            document_id INTEGER PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
            inode INTEGER NOT NULL
        )
        """,
    ),
)
