"""Footnote: ask questions of your own files and check every sentence of the answer."""
