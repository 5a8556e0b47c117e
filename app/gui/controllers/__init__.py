"""Controllers: the only callers of services from the window."""
