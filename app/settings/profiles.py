"""Local profiles: each is a home of its own, with its library, chats, settings and keys.

The first profile is the home itself and has no name of its own. The others lie in ``profiles/ID`` of its data folder,
with their name in ``profile.json``: renaming moves nothing, and the keys in the system's keyring, stored by id, stay.
"""

from __future__ import annotations

import json
import re
import unicodedata
import uuid
from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import BadInputError, StorageError
from app.settings.paths import AppPaths

FIRST_PROFILE = "default"
LONGEST_NAME = 40
_FACTS = "profile.json"
_ID = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile. ``id`` is empty for the first one."""

    id: str
    name: str
    paths: AppPaths


class Profiles:
    """The profiles of a home, given by the folders of any of them.

    Names are told apart without regard to case. Raises ``BadInputError`` for a name that is unknown, taken or none, and
    ``StorageError`` where the disk refuses.
    """

    def __init__(self, paths: AppPaths) -> None:
        self._first = paths.first or paths

    @property
    def deleted_dir(self) -> Path:
        """Where deleted profiles lie until the user erases them."""
        return self._first.data / "deleted-profiles"

    def profiles(self) -> list[Profile]:
        """All profiles: the first one, then the others by name."""
        try:
            folders = [each for each in self._dir.iterdir() if _ID.fullmatch(each.name)]
        except (FileNotFoundError, NotADirectoryError):
            folders = []
        except OSError as error:
            raise _refused(self._dir, error) from error
        others = [Profile(each.name, _name_in(each), self._paths(each)) for each in folders]
        return [Profile("", FIRST_PROFILE, self._first), *sorted(others, key=lambda each: each.name.casefold())]

    def profile(self, name: str) -> Profile:
        """The profile of that name."""
        found = self._find(name)
        if found is None:
            raise BadInputError(
                f"There is no profile “{name}”. `footnote profiles` lists them, and "
                "`footnote profiles create NAME` makes one."
            )
        return found

    def create(self, name: str) -> Profile:
        """Make an empty profile."""
        name = self._free_name(name)
        ident = uuid.uuid4().hex[:12]
        folder, made = self._dir / ident, self._dir / f".{ident}"
        try:
            self._first.data.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._dir.mkdir(exist_ok=True, mode=0o700)
            made.mkdir(mode=0o700)
            _write_name(made, name)
            made.rename(folder)  # so that a profile is there with its name or not at all
        except OSError as error:
            raise _refused(folder, error) from error
        return Profile(ident, name, self._paths(folder))

    def rename(self, name: str, new: str) -> Profile:
        """Give a profile another name."""
        found = self.other(name, "renamed")
        new = self._free_name(new, besides=found.id)
        folder = self.folder(found)
        try:
            _write_name(folder, new)
        except OSError as error:
            raise _refused(folder, error) from error
        return Profile(found.id, new, found.paths)

    def other(self, name: str, what: str) -> Profile:
        """The profile of that name, which must not be the first one; ``what`` is to be done to it."""
        found = self.profile(name)
        if not found.id:
            raise BadInputError(f"The profile “{FIRST_PROFILE}” can't be {what}: it is the home of all others.")
        return found

    def folder(self, profile: Profile) -> Path:
        """The folder of a profile that is not the first."""
        return self._dir / profile.id

    @property
    def _dir(self) -> Path:
        return self._first.data / "profiles"

    def _paths(self, folder: Path) -> AppPaths:
        return AppPaths(
            folder / "data",
            folder / "config",
            folder / "cache",
            folder / "logs",
            profile=folder.name,
            first=self._first,
        )

    def _find(self, name: str) -> Profile | None:
        wanted = _plain(name)
        return next((each for each in self.profiles() if each.name.casefold() == wanted.casefold()), None)

    def _free_name(self, name: str, besides: str | None = None) -> str:
        name = _plain(name)
        if not name or len(name) > LONGEST_NAME:
            raise BadInputError(f"A profile's name has 1 to {LONGEST_NAME} characters.")
        if not name.isprintable() or name.startswith("-") or "/" in name or "\\" in name:
            raise BadInputError(
                f"{name!r} can't be a profile's name: it may not begin with - and holds no / or \\ and no control "
                "characters."
            )
        taken = self._find(name)
        if taken is not None and taken.id != besides:
            raise BadInputError(f"There is a profile “{taken.name}” already. Choose another name.")
        return name


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split(" ")).strip()


def _name_in(folder: Path) -> str:
    """The name of the profile in ``folder``; its id where that can't be read, so that it can still be opened."""
    try:
        name = json.loads((folder / _FACTS).read_text(encoding="utf-8"))["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return folder.name
    return name if isinstance(name, str) and name else folder.name


def _write_name(folder: Path, name: str) -> None:
    partial = folder / f"{_FACTS}.partial"
    partial.write_text(json.dumps({"name": name}), encoding="utf-8")
    partial.replace(folder / _FACTS)


def _refused(folder: Path, error: OSError) -> StorageError:
    return StorageError(f"{folder} can't be used: {error.strerror}. Check who owns it and the space on the disk.")
