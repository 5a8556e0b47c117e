"""The loopback server (its routes come with the local API)."""
