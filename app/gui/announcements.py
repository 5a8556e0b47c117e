"""Telling screen readers what happens where the focus is not."""

from __future__ import annotations

from PySide6 import QtGui
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QWidget


def announce(widget: QWidget, text: str) -> None:
    """Have ``text`` read out. Does nothing where no screen reader listens or the bindings don't know such events."""
    kind = getattr(QtGui, "QAccessibleAnnouncementEvent", None)
    if kind is not None and QAccessible.isActive():
        QAccessible.updateAccessibility(kind(widget, text))
