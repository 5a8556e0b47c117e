"""What is left out when folders are looked through: hidden entries, keys, temporary files, what the user says.

A ``.footnoteignore`` file holds patterns as ``.gitignore`` does (https://git-scm.com/docs/gitignore) and counts for its
folder and those below it.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from app.settings.setting import Setting

if TYPE_CHECKING:
    import os

    from pathspec import GitIgnoreSpec

T = TypeVar("T")

IGNORE_FILE = ".footnoteignore"
LARGEST_IGNORE_FILE = 1 << 20
MEBIBYTE = 1 << 20

HIDDEN_FILES = Setting(
    "folders.hidden_files", False, "Read hidden files", "Files and folders whose names begin with a dot, too."
)
LARGEST_FILE_MEGABYTES = Setting(
    "folders.largest_file_megabytes",
    512,
    "Largest file in folders (MB)",
    "Larger files in folders are left out. A file that you add by itself is read anyway.",
    1,
    1 << 20,
)
IGNORED_PATTERNS: Setting[tuple[str, ...]] = Setting(
    "folders.ignored",
    (),
    "Left out of folders",
    "Patterns as in .gitignore files, such as drafts/ or *.log. A file .footnoteignore in a folder does the same.",
)
ONE_FILE_SYSTEM = Setting(
    "folders.one_file_system",
    False,
    "Stay on one drive",
    "Drives and network shares that are mounted inside a folder are left out.",
)

HIDDEN = "hidden"
IGNORED = "left out by a rule"
SECRET = "keys and passwords"  # noqa: S105  a reason in words
LEFTOVER = "temporary files"
LINK = "symbolic links"
SPECIAL = "devices and pipes"
TOO_LARGE = "too large"
UNSUPPORTED = "of other kinds"
OTHER_DRIVE = "other drives"
CHOSEN = "taken out by you"

# Names under which programs keep private keys and passwords. What the user adds by name is read all the same.
_SECRETS = re.compile(
    r"(?:id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?(?:\..*)?|.*\.(?:pem|p12|pfx|ppk|jks|keystore|kdbx?|gpg|pgp|key|der|crt)"
    r"|.*\.env(?:\..*)?|\.env.*|\.netrc|_netrc|\.htpasswd|\.pgpass|\.npmrc|\.pypirc|known_hosts|authorized_keys"
    r"|credentials(?:\.(?:json|ya?ml|toml|ini|csv|txt))?|secrets?\.(?:json|ya?ml|toml|ini|env|txt)|wallet\.dat"
    r"|service[-_]account.*\.json)",
    re.IGNORECASE,
)
_SECRET_FOLDERS = frozenset({".ssh", ".gnupg", ".aws", ".azure", ".kube", ".password-store", ".docker", "keyrings"})
_LEFTOVERS = re.compile(r"(?:~\$.*|.*~|.*\.(?:tmp|temp|part|partial|crdownload|download|swp|swo)|#.*#)", re.IGNORECASE)
_LEFTOVER_FOLDERS = frozenset(
    {"node_modules", "__pycache__", "$recycle.bin", "system volume information", "lost+found", "__macosx"}
)


class SettingValues(Protocol):
    """Where the values of settings come from."""

    def __getitem__(self, setting: Setting[T], /) -> T: ...


@dataclass(frozen=True, slots=True)
class ScanRules:
    """What the user has set. ``largest_bytes`` is the largest size of a file; ``patterns`` are as in ``.gitignore``."""

    hidden_files: bool = False
    largest_bytes: int = LARGEST_FILE_MEGABYTES.default * MEBIBYTE
    patterns: tuple[str, ...] = ()
    one_file_system: bool = False

    @classmethod
    def from_settings(cls, settings: SettingValues) -> ScanRules:
        """The rules as they are set now."""
        return cls(
            settings[HIDDEN_FILES],
            settings[LARGEST_FILE_MEGABYTES] * MEBIBYTE,
            settings[IGNORED_PATTERNS],
            settings[ONE_FILE_SYSTEM],
        )

    def reason_to_skip(self, name: str, *, folder: bool) -> str:
        """Why an entry of that name is left out; empty when it isn't."""
        if (name.lower() in _SECRET_FOLDERS) if folder else _SECRETS.fullmatch(name):
            return SECRET
        if name.startswith(".") and not self.hidden_files:
            return HIDDEN
        if (name.lower() in _LEFTOVER_FOLDERS) if folder else _LEFTOVERS.fullmatch(name):
            return LEFTOVER
        return ""


def is_hidden_by_system(information: os.stat_result) -> bool:
    """Whether Windows or macOS marks the file as hidden."""
    attributes = getattr(information, "st_file_attributes", 0)
    flags = getattr(information, "st_flags", 0)
    return bool(attributes & stat.FILE_ATTRIBUTE_HIDDEN) or bool(flags & stat.UF_HIDDEN)


@dataclass(frozen=True, slots=True)
class IgnoreChain:
    """Patterns that count for a folder: its own and those of the folders above, the nearest last."""

    links: tuple[tuple[str, GitIgnoreSpec], ...] = ()

    def with_patterns(self, folder: str, lines: list[str]) -> IgnoreChain:
        """The chain with the patterns of ``folder`` added. Lines that are no patterns are passed over."""
        from pathspec import GitIgnoreSpec

        usable = [line for line in lines if _is_pattern(line)]
        if not usable:
            return self
        prefix = folder if folder.endswith("/") else folder + "/"
        return IgnoreChain((*self.links, (prefix, GitIgnoreSpec.from_lines(usable))))

    def with_file(self, folder: str) -> IgnoreChain:
        """The chain with ``folder``'s ignore file added. One that can't be read raises ``OSError``."""
        path = Path(folder, IGNORE_FILE)
        if path.is_symlink() or not path.is_file():  # a pipe by that name must not block
            return self
        with path.open(encoding="utf-8", errors="replace") as file:
            return self.with_patterns(folder, file.read(LARGEST_IGNORE_FILE).splitlines())

    def ignores(self, path: str, *, folder: bool) -> bool:
        """Whether the last pattern that fits ``path`` leaves it out. ``/`` is the separator."""
        for prefix, spec in reversed(self.links):
            verdict = spec.check_file(path[len(prefix) :] + ("/" if folder else "")).include
            if verdict is not None:
                return verdict
        return False


def _is_pattern(line: str) -> bool:
    from pathspec import GitIgnoreSpec
    from pathspec.patterns.gitignore import GitIgnorePatternError

    try:
        GitIgnoreSpec.from_lines([line])
    except GitIgnorePatternError:
        return False
    return bool(line.strip())
