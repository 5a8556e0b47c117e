"""One file per wire protocol; the registry finds them by walking this folder."""
