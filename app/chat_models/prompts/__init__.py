"""Prompts: templates, blocks of content, and ready-made system prompts."""
