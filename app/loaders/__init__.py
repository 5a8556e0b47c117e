"""One file per document format family; parsers run in child processes."""
