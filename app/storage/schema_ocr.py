"""The migration that adds to ``library.db`` how sure OCR was, and where on the page it read the words."""

from __future__ import annotations

from app.storage.migrations import Migration

OCR = Migration(
    "0005_ocr",
    (
        # 0 to 1; NULL for text that was read directly.
        "ALTER TABLE sections ADD COLUMN confidence REAL",
        # A compressed BoxMap, for sections that have no character map.
        "ALTER TABLE sections ADD COLUMN box_map BLOB",
        # Small, as most libraries hold few scans; a search asks it for every passage it shows.
        """
        CREATE INDEX sections_confidence ON sections (document_id, start, "end", confidence)
        WHERE confidence IS NOT NULL
        """,
    ),
)
