"""Profiles as the user works with them: which there are, which are open, and deleting without erasing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import BadInputError, LibraryLockedError, StorageError
from app.settings.paths import AppPaths
from app.settings.profiles import Profile, Profiles
from app.storage.library_lock import LibraryLock


@dataclass(frozen=True, slots=True)
class ProfileState:
    """A profile; ``current`` is the one this program runs with. ``owner`` is the process that has it open, if any."""

    profile: Profile
    current: bool
    owner: int | None


class ProfileService:
    """Use cases of profiles. ``paths`` are the folders that this program runs with. Every method blocks on the disk."""

    def __init__(self, paths: AppPaths) -> None:
        self._profiles = Profiles(paths)
        self._current = paths.profile

    def states(self) -> list[ProfileState]:
        """All profiles, the first one first, the others by name."""
        return [
            ProfileState(each, each.id == self._current, LibraryLock(each.paths.library_lock).owner())
            for each in self._profiles.profiles()
        ]

    def profile(self, name: str) -> Profile:
        """The profile of that name. Raises ``BadInputError`` if there is none."""
        return self._profiles.profile(name)

    def create(self, name: str) -> Profile:
        """Make an empty profile. Raises ``BadInputError`` for a name that is taken or none."""
        return self._profiles.create(name)

    def rename(self, name: str, new: str) -> Profile:
        """Give a profile another name, whether it is open or not. Raises ``BadInputError`` as ``create`` does."""
        return self._profiles.rename(name, new)

    def delete(self, name: str) -> Path:
        """Put a profile aside, with all that is in it; returns the folder where it lies until the user erases it.

        Raises ``BadInputError`` for the first profile and the one this program runs with, ``LibraryLockedError`` while
        another process has it open.
        """
        found = self._profiles.other(name, "deleted")
        if found.id == self._current:
            raise BadInputError(f"The profile “{found.name}” is open here. Switch to another one, then delete it.")
        folder = self._profiles.folder(found)
        target = self._profiles.deleted_dir / f"{time.strftime('%Y-%m-%d %H.%M.%S')} {found.id}"
        try:
            self.make_sure_it_is_closed(found)
            self._profiles.deleted_dir.mkdir(exist_ok=True, mode=0o700)
            folder.rename(target)
        except OSError as error:
            raise StorageError(
                f"The profile “{found.name}” can't be moved to {target}: {error.strerror}. Nothing was changed."
            ) from error
        return target

    def make_sure_it_is_closed(self, profile: Profile) -> None:
        """Raises ``LibraryLockedError`` while a process has the profile open."""
        lock = LibraryLock(profile.paths.library_lock)
        if not lock.path.exists():
            return  # it was never opened
        try:
            with lock:
                pass  # Windows moves no folder whose files are open, so the lock can't be held until it is moved
        except LibraryLockedError as error:
            who = f" (process {error.owner_pid})" if error.owner_pid else ""
            raise LibraryLockedError(
                f"The profile “{profile.name}” is open in another Footnote{who}. Close it and try again.",
                error.owner_pid,
            ) from error
