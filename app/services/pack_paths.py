"""Where the documents of a pack belong on this computer."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from app.domain.errors import BadInputError


@dataclass(frozen=True, slots=True)
class PathMapping:
    """Pairs of a folder there and the folder here that stands for it; the longest that fits decides."""

    pairs: tuple[tuple[str, Path], ...] = ()

    @classmethod
    def from_options(cls, options: Iterable[str]) -> PathMapping:
        """From texts OLD=NEW. Raises ``BadInputError``."""
        pairs = []
        for option in options:
            old, sign, new = option.partition("=")
            if not (sign and old and new):
                raise BadInputError(f"“{option}” is no mapping of a folder. Write OLD=NEW.")
            pairs.append((old, Path(os.path.abspath(new))))  # noqa: PTH100  links stay as the user knows them
        return cls(tuple(pairs))

    def place(self, path: str, *, windows: bool) -> Path:
        """The place here of a path there."""
        kind: type[PurePath] = PureWindowsPath if windows else PurePosixPath
        there = kind(path)
        fitting = [(kind(old), new) for old, new in self.pairs if there.is_relative_to(kind(old))]
        if fitting:
            old, new = max(fitting, key=lambda pair: len(pair[0].parts))
            return new.joinpath(*there.relative_to(old).parts)
        if windows == (os.name == "nt"):
            return Path(path)
        # A path of another system that no folder here stands for: kept as a name, below a folder that is not there.
        return Path(os.sep, *(part.strip("\\/") for part in there.parts if part.strip("\\/")))
