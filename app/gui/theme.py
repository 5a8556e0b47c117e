"""Colours, type sizes and the style sheet of the window, light and dark, over Qt's Fusion style."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from string import Template

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPalette, QPixmap
from PySide6.QtWidgets import QApplication

from app.gui.colors import Theme, ThemeMode, load_theme, wanted_theme
from app.gui.icons import tinted_icon
from app.settings.resources import resource

# Drawn to look right at text sizes; what a desktop without a font of its own falls back to looks coarse.
PREFERRED_FAMILIES = (
    "Inter",
    "Segoe UI Variable Text",
    "Segoe UI",
    "Cantarell",
    "Ubuntu Sans",
    "Ubuntu",
    "Noto Sans",
    "Open Sans",
    "Roboto",
)
COARSE_FAMILIES = frozenset({"DejaVu Sans", "Bitstream Vera Sans", "Sans Serif", "Sans", "Helvetica", "Nimbus Sans"})
MONOSPACE_FAMILIES = (
    "JetBrains Mono",
    "Cascadia Mono",
    "SF Mono",
    "Menlo",
    "Consolas",
    "DejaVu Sans Mono",
    "monospace",
)


@dataclass(frozen=True, slots=True)
class TypeScale:
    """Font sizes in points, all derived from the body size."""

    body: float

    @property
    def sizes(self) -> dict[str, float]:
        """Size by the name that the style sheet uses."""
        steps = {
            "caption": 0.82,
            "small": 0.9,
            "body": 1.0,
            "answer": 1.06,
            "heading": 1.1,
            "title": 1.35,
            "display": 1.8,
        }
        return {name: round(self.body * factor, 1) for name, factor in steps.items()}


def palette_of(theme: Theme) -> QPalette:
    """The Fusion palette with this theme's colours, so that widgets without a style rule fit in too."""
    roles = {
        QPalette.ColorRole.Window: theme.window,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Base: theme.surface,
        QPalette.ColorRole.AlternateBase: theme.sunken,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.text_tertiary,
        QPalette.ColorRole.Button: theme.surface,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.BrightText: theme.danger,
        QPalette.ColorRole.Highlight: theme.selection,
        QPalette.ColorRole.HighlightedText: theme.text,
        QPalette.ColorRole.Link: theme.accent,
        QPalette.ColorRole.LinkVisited: theme.accent,
        QPalette.ColorRole.ToolTipBase: theme.text,
        QPalette.ColorRole.ToolTipText: theme.window,
        QPalette.ColorRole.Accent: theme.accent,
    }
    palette = QPalette(theme.color("window"))
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, theme.color("text_tertiary"))
    return palette


def style_sheet_of(theme: Theme, scale: TypeScale) -> str:
    """The style sheet with colours and sizes filled in."""
    template = Template(resource("themes", "window.qss").read_text(encoding="utf-8"))
    arrow = resource("themes", f"arrow-{theme.name}.svg").as_posix()
    return template.substitute({**asdict(theme), **scale.sizes, "arrow": arrow})


def interface_font(system: QFont) -> QFont:
    """The desktop's own font, or the best installed one where the desktop has none of its own."""
    font = QFont(system)
    if system.family() in COARSE_FAMILIES or not QFontDatabase.hasFamily(system.family()):
        installed = [family for family in PREFERRED_FAMILIES if QFontDatabase.hasFamily(family)]
        if installed:
            font.setFamily(installed[0])
    font.setPointSizeF(max(10.0, system.pointSizeF()))
    font.setHintingPreference(QFont.HintingPreference.PreferVerticalHinting)
    return font


def monospace_font() -> QFont:
    """The best installed font with fixed pitch."""
    font = QFont()
    font.setFamilies([family for family in MONOSPACE_FAMILIES if QFontDatabase.hasFamily(family)] or ["monospace"])
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setFixedPitch(True)
    return font


class Appearance(QObject):
    """The theme in force. Widgets that paint for themselves read ``theme`` and repaint on ``changed``.

    Signals: ``changed`` after palette and style sheet were applied.
    """

    changed = Signal()

    def __init__(self, application: QApplication, mode: ThemeMode = ThemeMode.SYSTEM) -> None:
        super().__init__()
        self._application = application
        self._mode = mode
        self._icons: dict[tuple[str, str, int], QIcon] = {}
        application.setStyle("Fusion")
        self.font = interface_font(application.font())
        self.scale = TypeScale(self.font.pointSizeF())
        self._monospace = monospace_font()  # asking for the installed fonts is slow
        application.setFont(self.font)
        self.theme = load_theme(wanted_theme(mode))
        application.styleHints().colorSchemeChanged.connect(self._on_scheme_changed)
        self._apply()

    @property
    def mode(self) -> ThemeMode:
        """What the user asked for; ``theme`` is what came of it."""
        return self._mode

    def set_mode(self, mode: ThemeMode) -> None:
        """Switch to light, dark or whatever the desktop uses."""
        self._mode = mode
        wanted = wanted_theme(mode)
        if wanted != self.theme.name:
            self.theme = load_theme(wanted)
            self._icons.clear()
            self._apply()
            self.changed.emit()

    def icon(self, name: str, color: str, size: int = 18) -> QIcon:
        """An icon of ours in a colour of the theme. Drawn once; a long chat has hundreds of buttons."""
        key = (name, color, size)
        if key not in self._icons:
            self._icons[key] = tinted_icon(name, self.theme.color(color), size=size)
        return self._icons[key]

    def pixmap(self, name: str, color: str, size: int, scale: float) -> QPixmap:
        """The picture of an icon for a screen of that scale."""
        return self.icon(name, color, size).pixmap(QSize(size, size), scale)

    def monospace(self, factor: float = 0.94) -> QFont:
        """The font for code at ``factor`` times the body size."""
        font = QFont(self._monospace)
        font.setPointSizeF(self.scale.body * factor)
        return font

    def _on_scheme_changed(self, _scheme: Qt.ColorScheme) -> None:
        self.set_mode(self._mode)

    def _apply(self) -> None:
        self._application.setPalette(palette_of(self.theme))
        self._application.setStyleSheet(style_sheet_of(self.theme, self.scale))


def theme_names() -> list[str]:
    """The themes that ship with the program."""
    return sorted(path.stem for path in resource("themes").glob("*.json"))
