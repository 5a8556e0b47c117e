"""The two SQLite databases, their migrations, stores and the library lock."""
