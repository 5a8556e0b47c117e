"""Prompts, footnote markers, sentence alignment and the extractive answerer."""
