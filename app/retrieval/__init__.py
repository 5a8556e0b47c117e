"""Splitting, embedding, indexing and ranking of passages."""
