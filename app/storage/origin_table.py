"""Where documents come from that are not plain files: web addresses, and archives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domain.documents import FileStamp
from app.storage.database import Database
from app.storage.rows import path_from_column, path_to_column, text_from_blob, text_to_blob


@dataclass(frozen=True, slots=True)
class Origin:
    """The web page that the file at ``path`` was made from.

    ``url`` is the address the user gave, ``final_url`` the one it led to. ``etag`` and ``last_modified`` are what the
    server said of the page, for asking whether it has changed. Times in seconds since 1970: when it was fetched, and
    when it was last asked for.
    """

    path: Path
    url: str
    final_url: str
    etag: str
    last_modified: str
    fetched_at: float
    checked_at: float


_COLUMNS = "path, url, final_url, etag, last_modified, fetched_at, checked_at"


class OriginTable:
    """Origins of web pages and listings of archives. Part of ``LibraryStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put_origin(self, origin: Origin) -> None:
        """Keep where a page came from, in place of what was known of its address."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM origins WHERE url = ? OR path = ?", (origin.url, _column(origin.path)))
            connection.execute(
                f"INSERT INTO origins ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  made of constants
                (
                    _column(origin.path),
                    origin.url,
                    origin.final_url,
                    origin.etag,
                    origin.last_modified,
                    origin.fetched_at,
                    origin.checked_at,
                ),
            )

    def origins(self) -> list[Origin]:
        """All pages that are documents, in the order of their addresses."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM origins WHERE path IN (SELECT path FROM documents) ORDER BY url"  # noqa: S608
            ).fetchall()
        return [_origin(row) for row in rows]

    def origin_of(self, path: Path) -> Origin | None:
        """Where the file at ``path`` came from, None if it is no web page."""
        return self._one("path", _column(path))

    def origin_by_url(self, url: str) -> Origin | None:
        """The page that was added under this address, also one that is no document any more."""
        return self._one("url", url)

    def forget_origins(self, paths: list[Path]) -> None:
        """Forget pages."""
        with self._database.write() as connection:
            connection.executemany("DELETE FROM origins WHERE path = ?", [(_column(path),) for path in paths])

    def origins_without_document(self) -> list[Origin]:
        """Pages that were removed from the library."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM origins WHERE path NOT IN (SELECT path FROM documents)"  # noqa: S608
            ).fetchall()
        return [_origin(row) for row in rows]

    def archive_listing(self, path: Path, stamp: FileStamp) -> str | None:
        """What was stored of the archive at ``path`` when it had this stamp."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT listing FROM archive_listings WHERE path = ? AND size = ? AND mtime_ns = ?",
                (_column(path), stamp.size, stamp.mtime_ns),
            ).fetchone()
        return text_from_blob(row[0]) if row else None

    def put_archive_listing(self, path: Path, stamp: FileStamp, listing: str) -> None:
        """Store what is in an archive, in place of what was."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO archive_listings (path, size, mtime_ns, listing) VALUES (?, ?, ?, ?)",
                (_column(path), stamp.size, stamp.mtime_ns, text_to_blob(listing)),
            )

    def forget_archive_listing(self, path: Path) -> None:
        """Forget what is in an archive."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM archive_listings WHERE path = ?", (_column(path),))

    def _one(self, column: str, value: str | bytes) -> Origin | None:
        with self._database.read() as connection:
            row = connection.execute(f"SELECT {_COLUMNS} FROM origins WHERE {column} = ?", (value,)).fetchone()  # noqa: S608
        return _origin(row) if row else None


def _column(path: Path) -> str | bytes:
    return path_to_column(path)


def _origin(row: tuple[Any, ...]) -> Origin:
    return Origin(path_from_column(row[0]), *row[1:])
