"""The only place that hands anything over to other programs."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

WEB_SCHEMES = frozenset({"http", "https", "mailto"})
LONGEST_LINK = 4000


def web_target(link: str) -> QUrl | None:
    """The address a link leads to, None unless it is one for a browser or a mail program.

    Links come from models and documents. Everything that could start a program, read a file or reach a share on the
    network is refused, also in disguise: control characters, spaces, credentials, addresses without a host.
    """
    if len(link) > LONGEST_LINK or any(character.isspace() or not character.isprintable() for character in link):
        return None
    url = QUrl(link, QUrl.ParsingMode.StrictMode)
    if not url.isValid() or url.scheme() not in WEB_SCHEMES:
        return None
    if url.scheme() == "mailto":
        return url if url.path() and not url.host() else None
    return url if url.host() and not url.userInfo() else None


def page_link(text: str) -> str:
    """The address of a web page that ``text`` consists of, "" if it is anything else."""
    link = text.strip()
    url = web_target(link)
    return link if url is not None and url.scheme() != "mailto" else ""


def open_link(link: str) -> bool:
    """Open a web address that the user agreed to. False if it is none or nothing opens it."""
    url = web_target(link)
    return url is not None and QDesktopServices.openUrl(url)


def open_file(path: Path) -> bool:
    """Open a document of the library in the program the desktop has for it."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def reveal_file(path: Path) -> bool:
    """Open the folder a document is in; for one inside an archive, the folder of the archive."""
    folder = next((parent for parent in path.parents if parent.is_dir()), path.parent)
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
