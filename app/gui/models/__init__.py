"""Qt item models. They hold the data that views paint."""
