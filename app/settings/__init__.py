"""The ``Setting`` type, the folders Footnote uses, and the schema collected from every room."""
