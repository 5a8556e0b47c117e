"""Chat models: one codec per wire protocol, and wrappers that compose."""
