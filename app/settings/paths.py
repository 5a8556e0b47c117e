"""The folders and files Footnote uses."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import BadInputError

APP_NAME = "footnote"
HOME_VARIABLE = "FOOTNOTE_HOME"
PROFILE_VARIABLE = "FOOTNOTE_PROFILE"
FOLDER_MODE = 0o700


@dataclass(frozen=True, slots=True)
class AppPaths:
    """Folders: ``data`` is precious, ``cache`` can be rebuilt, ``config`` is for files the user edits.

    ``profile`` is the id of the profile they belong to, and ``first`` are the folders of the first profile; for that
    one itself they are empty and None.
    """

    data: Path
    config: Path
    cache: Path
    logs: Path
    profile: str = ""
    first: AppPaths | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> AppPaths:
        """The folders of the profile that ``FOOTNOTE_PROFILE`` names, of the first one where it is not set or empty.

        Raises ``BadInputError`` if there is no such profile.
        """
        first, name = cls._first(environ), environ.get(PROFILE_VARIABLE, "")
        if not name:
            return first
        from app.settings.profiles import Profiles

        return Profiles(first).profile(name).paths

    @classmethod
    def _first(cls, environ: Mapping[str, str]) -> AppPaths:
        """The first profile's folders: those under ``FOOTNOTE_HOME``, else those of the operating system."""
        home = environ.get(HOME_VARIABLE, "")
        if home:
            root = Path(os.path.abspath(Path(home).expanduser()))  # noqa: PTH100  Path.resolve would follow links
            return cls(root / "data", root / "config", root / "cache", root / "logs")
        import platformdirs

        dirs = platformdirs.PlatformDirs(APP_NAME, appauthor=False)
        return cls(dirs.user_data_path, dirs.user_config_path, dirs.user_cache_path, dirs.user_log_path)

    @property
    def chats_db(self) -> Path:
        """Sessions, messages, settings and logs: precious."""
        return self.data / "chats.db"

    @property
    def library_db(self) -> Path:
        """Documents, chunks and vectors: can be rebuilt from the files."""
        return self.data / "library.db"

    @property
    def library_lock(self) -> Path:
        """Held by the one process that writes the library."""
        return self.data / "library.lock"

    @property
    def backups_dir(self) -> Path:
        """Copies of the databases taken before migrations."""
        return self.data / "backups"

    @property
    def models_dir(self) -> Path:
        """Models that were downloaded or converted."""
        return self.data / "models"

    @property
    def index_dir(self) -> Path:
        """The vector and keyword indexes, rebuilt from ``library_db`` when missing."""
        return self.cache / "index"

    @property
    def archives_dir(self) -> Path:
        """Copies of files from archives, as many as there is room for."""
        return self.cache / "archives"

    @property
    def web_dir(self) -> Path:
        """Web pages as they were when they were fetched."""
        return self.data / "web"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder that ``create`` makes."""
        return (self.data, self.config, self.cache, self.logs, self.backups_dir, self.models_dir, self.index_dir)

    def create(self) -> None:
        """Make the folders, readable by their owner only. Raises ``BadInputError`` where that can't be done."""
        for folder in self.folders:
            try:
                _make_private(folder)
            except (FileExistsError, NotADirectoryError):
                raise BadInputError(_not_a_folder(folder)) from None
            except OSError as error:
                raise BadInputError(f"Footnote can't make the folder {folder}: {error.strerror}. {_ADVICE}") from error
            if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                raise BadInputError(f"Footnote may not write in the folder {folder}. {_ADVICE}")


_ADVICE = f"Check who owns it and the space on the disk, or set {HOME_VARIABLE} to another folder."


def _make_private(folder: Path) -> None:
    for missing in [each for each in reversed(folder.parents) if not each.exists()]:
        missing.mkdir(mode=FOLDER_MODE, exist_ok=True)  # mkdir(parents=True) would give these the default mode
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)


def _not_a_folder(folder: Path) -> str:
    culprit = next((each for each in (folder, *folder.parents) if each.exists() and not each.is_dir()), folder)
    return f"{culprit} is a file, but Footnote needs a folder there. Move it away or set {HOME_VARIABLE} to a folder."
