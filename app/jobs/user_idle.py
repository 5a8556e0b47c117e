"""Since when nobody has touched mouse or keyboard, asked of each system in its way."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
from collections.abc import Callable


def seconds_since_input() -> float | None:
    """Seconds since the last input of the user; None where the system doesn't tell.

    Windows: ``GetLastInputInfo``. macOS: ``CGEventSourceSecondsSinceLastEventType``. Linux: the X11 screen saver
    extension.
    """
    ask: Callable[[], float | None]
    if sys.platform == "win32":
        ask = _windows
    elif sys.platform == "darwin":
        ask = _macos
    else:
        ask = _x11
    try:
        return ask()
    except (OSError, AttributeError):  # a library or a function of it that this system lacks
        return None


def _windows() -> float | None:
    class LastInput(ctypes.Structure):
        _fields_ = [("size", ctypes.c_uint), ("ticks", ctypes.c_uint)]

    libraries = ctypes.windll  # type: ignore[attr-defined,unused-ignore]  # Windows only
    last = LastInput(ctypes.sizeof(LastInput), 0)
    if not libraries.user32.GetLastInputInfo(ctypes.byref(last)):
        return None
    # Both count milliseconds in 32 bits and run over together.
    return float((libraries.kernel32.GetTickCount() - last.ticks) & 0xFFFFFFFF) / 1000


def _macos() -> float | None:
    path = ctypes.util.find_library("ApplicationServices")
    if path is None:
        return None
    ask = ctypes.cdll.LoadLibrary(path).CGEventSourceSecondsSinceLastEventType
    ask.restype = ctypes.c_double
    ask.argtypes = [ctypes.c_int32, ctypes.c_uint32]
    combined_session, any_input = 0, 0xFFFFFFFF
    return float(ask(combined_session, any_input))


class _ScreenSaverInfo(ctypes.Structure):
    _fields_ = [
        ("window", ctypes.c_ulong),
        ("state", ctypes.c_int),
        ("kind", ctypes.c_int),
        ("til_or_since", ctypes.c_ulong),
        ("idle", ctypes.c_ulong),
        ("event_mask", ctypes.c_ulong),
    ]


def _x11() -> float | None:
    x11_path, saver_path = ctypes.util.find_library("X11"), ctypes.util.find_library("Xss")
    if not os.environ.get("DISPLAY") or x11_path is None or saver_path is None:
        return None
    x11, saver = ctypes.CDLL(x11_path), ctypes.CDLL(saver_path)
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XDefaultRootWindow.restype = ctypes.c_ulong
    x11.XDefaultRootWindow.argtypes = x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    saver.XScreenSaverQueryInfo.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.POINTER(_ScreenSaverInfo)]
    display = x11.XOpenDisplay(None)
    if not display:
        return None
    try:
        information = _ScreenSaverInfo()
        asked = saver.XScreenSaverQueryInfo(display, x11.XDefaultRootWindow(display), ctypes.byref(information))
        return float(information.idle) / 1000 if asked else None
    finally:
        x11.XCloseDisplay(display)
