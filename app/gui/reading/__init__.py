"""How documents are set for reading: blocks of text that know where in the document each character stands."""
