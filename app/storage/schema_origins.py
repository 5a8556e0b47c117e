"""The migration that adds to ``library.db`` where documents come from that are not plain files."""

from __future__ import annotations

from app.storage.migrations import Migration

ORIGINS = Migration(
    "0007_origins",
    (
        # The web address behind a stored page. By path, not by document: a page that is removed and added again
        # keeps its address. Times in seconds since 1970.
        """
        CREATE TABLE origins (
            path NOT NULL PRIMARY KEY,
            url TEXT NOT NULL UNIQUE,
            final_url TEXT NOT NULL,
            etag TEXT NOT NULL,
            last_modified TEXT NOT NULL,
            fetched_at REAL NOT NULL,
            checked_at REAL NOT NULL
        ) WITHOUT ROWID
        """,
        # What is in an archive, as JSON, compressed, while its stamp is this one.
        """
        CREATE TABLE archive_listings (
            path NOT NULL PRIMARY KEY,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            listing BLOB NOT NULL
        )
        """,
    ),
)
