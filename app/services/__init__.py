"""Use cases: ingest, search, ask, manage sessions."""
