"""Settings of the window itself."""

from __future__ import annotations

from app.gui.colors import ThemeMode
from app.settings.setting import Setting

THEME = Setting("window.theme", ThemeMode.SYSTEM, "Theme", "Light, dark, or whatever the desktop uses.")
