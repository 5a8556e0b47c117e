"""Every object is made here, once, and passed on by constructor.

Nothing heavy is imported before it is used: opening the services of a library takes a few milliseconds.
"""

from app.bootstrap.services import Services, open_services

__all__ = ["Services", "open_services"]
