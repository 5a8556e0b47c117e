"""A toolkit-free engine for long work in bounded stages."""
