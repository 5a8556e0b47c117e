"""Rules that inspect what goes into and comes out of a chat model."""
