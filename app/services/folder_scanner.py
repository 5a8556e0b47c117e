"""Looks through a folder: one scandir a folder, one stat a file, links never followed."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.domain.documents import FileStamp
from app.services import ignore_rules as rules
from app.services.ignore_rules import IgnoreChain, ScanRules
from app.services.mount_table import PSEUDO_TYPES, file_system_type

NOTHING_CHOSEN: Mapping[Path, bool] = {}


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file as it is on the disk. ``inode`` 0 is unknown; a ``member`` of an archive has a checksum in its stamp."""

    stamp: FileStamp
    inode: int
    member: bool = False


@dataclass(slots=True)
class Scan:
    """What is in a folder: files by path, in order of name, folder by folder.

    ``unreadable`` are places that can't be looked into, and why; ``mounts`` other file systems, ``passed_over`` counts
    entries left out by reason, a folder as one.
    """

    files: dict[str, SeenFile] = field(default_factory=dict)
    unreadable: dict[str, OSError] = field(default_factory=dict)
    mounts: list[str] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(seen.stamp.size for seen in self.files.values())


class FolderScanner:
    """Finds the files below folders that can be read and are not left out.

    ``is_supported`` tells by the name. ``choices`` are what the user said about single paths: True takes a file in
    spite of the rules, False leaves a path out.
    """

    def __init__(
        self,
        is_supported: Callable[[Path], bool],
        rules: Callable[[], ScanRules] = ScanRules,
        choices: Callable[[], Mapping[Path, bool]] = lambda: NOTHING_CHOSEN,
    ) -> None:
        self._is_supported = is_supported
        self._rules = rules
        self._choices = choices

    def is_taken_out(self, path: Path) -> bool:
        """Whether the user wants this very path left out."""
        return self._choices().get(path) is False

    def scan(self, root: Path, places: Iterable[Path] | None = None) -> Scan:
        """All files of ``root``, or only those at or below some ``places`` in it, by the rules that hold in ``root``.

        A place that is gone, or left out, gives nothing.
        """
        walk = _Walk(self._is_supported, self._rules(), self._choices(), root)
        for place in [root] if places is None else places:
            if place == root:
                walk.everything()
            else:
                walk.one(place)
        return walk.scan


class _Walk:
    """One look through ``root``."""

    def __init__(
        self, is_supported: Callable[[Path], bool], rules_now: ScanRules, choices: Mapping[Path, bool], root: Path
    ) -> None:
        self.scan = Scan()
        self._is_supported = is_supported
        self._rules = rules_now
        self._choices = {str(path): included for path, included in choices.items()}
        self._root = str(root)
        self._chains: dict[str, IgnoreChain | None] = {}
        self._supported: dict[str, bool] = {}

    def everything(self) -> None:
        """The whole root."""
        self._descend(self._root, self._top_chain(), self._device_of(self._root))

    def one(self, place: Path) -> None:
        """A single file or folder below the root."""
        chain = self._chain_of(str(place.parent))
        if chain is None:
            return
        try:
            information = place.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self.scan.unreadable[str(place)] = error
            return
        if stat.S_ISDIR(information.st_mode):
            if not self._skipped(place.name, str(place), chain, folder=True):
                self._enter([str(place)], chain, self._device_of(str(place.parent)))
        elif stat.S_ISREG(information.st_mode):
            self._take(place.name, str(place), information, chain)

    def _descend(self, path: str, above: IgnoreChain, device: int | None) -> None:
        """Everything in a folder, without recursion: trees may be deeper than Python's stack."""
        waiting = [(path, above, device)]
        while waiting:
            here, chain, own = waiting.pop()
            try:
                with os.scandir(here) as entries:
                    listed = sorted(entries, key=lambda entry: entry.name)
                if any(entry.name == rules.IGNORE_FILE for entry in listed):
                    chain = chain.with_file(_slashed(here))
            except FileNotFoundError:
                continue  # removed since its name was read
            except OSError as error:
                # An ignore file that can't be read counts too: nobody knows what it leaves out.
                self.scan.unreadable[here] = error
                continue
            folders = self._take_files(listed, chain)
            waiting.extend(reversed(self._enterable(folders, chain, own)))

    def _take_files(self, listed: list[os.DirEntry[str]], chain: IgnoreChain) -> list[str]:
        """Take the files of a folder. Returns its folders that are not left out."""
        folders: list[str] = []
        for entry in listed:
            try:
                if entry.is_symlink():
                    self.scan.passed_over[rules.LINK] += 1
                elif entry.is_dir(follow_symlinks=False):
                    if not self._skipped(entry.name, entry.path, chain, folder=True):
                        folders.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    self._consider(entry, chain)
                else:
                    self.scan.passed_over[rules.SPECIAL] += 1
            except FileNotFoundError:
                continue
            except OSError as error:
                self.scan.unreadable[entry.path] = error
        return folders

    def _consider(self, entry: os.DirEntry[str], chain: IgnoreChain) -> None:
        if self._supports(entry.name, entry.path) and not self._skipped(entry.name, entry.path, chain, folder=False):
            self._add(entry.path, entry.stat(follow_symlinks=False))

    def _take(self, name: str, path: str, information: os.stat_result, chain: IgnoreChain) -> None:
        if self._supports(name, path) and not self._skipped(name, path, chain, folder=False):
            self._add(path, information)

    def _add(self, path: str, information: os.stat_result) -> None:
        chosen = self._choices.get(path, False)
        if not chosen and information.st_size > self._rules.largest_bytes:
            self.scan.passed_over[rules.TOO_LARGE] += 1
        elif not chosen and not self._rules.hidden_files and rules.is_hidden_by_system(information):
            self.scan.passed_over[rules.HIDDEN] += 1
        else:
            self.scan.files[path] = seen_file(information)

    def _supports(self, name: str, path: str) -> bool:
        """Loaders go by the suffix or the whole name, so one answer serves all files of a kind."""
        kind = os.path.splitext(name)[1] or name  # noqa: PTH122  a Path for each of ten thousand files takes long
        if kind not in self._supported:
            self._supported[kind] = self._is_supported(Path(f"name{kind}" if kind != name else name))
        supported = self._supported[kind] or self._is_supported(Path(path))
        if not supported:
            self.scan.passed_over[rules.UNSUPPORTED] += 1
        return supported

    def _skipped(self, name: str, path: str, chain: IgnoreChain, *, folder: bool) -> bool:
        reason = self._reason(name, path, chain, folder=folder)
        if reason:
            self.scan.passed_over[reason] += 1
        return bool(reason)

    def _reason(self, name: str, path: str, chain: IgnoreChain, *, folder: bool) -> str:
        if self._choices and path in self._choices:
            return "" if self._choices[path] else rules.CHOSEN
        reason = self._rules.reason_to_skip(name, folder=folder)
        if not reason and chain.links and chain.ignores(_slashed(path), folder=folder):
            reason = rules.IGNORED
        return reason

    # -- folders ---------------------------------------------------------------------------------------------------

    def _enter(self, folders: list[str], chain: IgnoreChain, device: int | None) -> None:
        for place in self._enterable(folders, chain, device):
            self._descend(*place)

    def _enterable(
        self, folders: list[str], chain: IgnoreChain, device: int | None
    ) -> list[tuple[str, IgnoreChain, int | None]]:
        """Folders with the device they are on, noting where another file system than ``device`` begins."""
        found = [(path, chain, self._device_of(path)) for path in folders]
        return [each for each in found if each[2] is not None and (each[2] == device or self._enters_mount(each[0]))]

    def _enters_mount(self, path: str) -> bool:
        if file_system_type(Path(path)) in PSEUDO_TYPES or self._rules.one_file_system:
            self.scan.passed_over[rules.OTHER_DRIVE] += 1
            return False
        self.scan.mounts.append(path)
        return True

    def _device_of(self, path: str) -> int | None:
        try:
            return os.stat(path, follow_symlinks=path == self._root).st_dev  # noqa: PTH116  ten thousand paths
        except FileNotFoundError:
            return None
        except OSError as error:
            self.scan.unreadable[path] = error
            return None

    # -- patterns --------------------------------------------------------------------------------------------------

    def _top_chain(self) -> IgnoreChain:
        """The patterns that the user has set for every folder; a root's own file comes in when it is listed."""
        return IgnoreChain().with_patterns(_slashed(self._root), list(self._rules.patterns))

    def _chain_of(self, folder: str) -> IgnoreChain | None:
        """The patterns that count inside ``folder``; None where it or a folder above it is left out or unreadable."""
        if folder not in self._chains:
            self._chains[folder] = self._find_chain(folder)
        return self._chains[folder]

    def _find_chain(self, folder: str) -> IgnoreChain | None:
        if folder == self._root:
            above: IgnoreChain | None = self._top_chain()
        else:
            above = self._chain_of(str(Path(folder).parent)) if len(folder) > len(self._root) else None
        try:
            if above is None or (folder != self._root and self._is_closed(Path(folder), above)):
                return None
            return above.with_file(_slashed(folder))
        except OSError as error:
            self.scan.unreadable[folder] = error
            return None

    def _is_closed(self, folder: Path, above: IgnoreChain) -> bool:
        return folder.is_symlink() or bool(self._reason(folder.name, str(folder), above, folder=True))


def seen_file(information: os.stat_result) -> SeenFile:
    """What a stat tells of a file."""
    return SeenFile(FileStamp(information.st_size, information.st_mtime_ns), information.st_ino & (1 << 63) - 1)


def _slashed(path: str) -> str:
    return path.replace(os.sep, "/") if os.sep != "/" else path
