"""Downloads models from a hub: pinned to a commit, verified, and there all at once or not at all.

Protocol of the Hugging Face hub: ``GET {hub}/api/models/{repository}/tree/{commit}?recursive=true`` lists files,
``GET {hub}/{repository}/resolve/{commit}/{path}`` leads to one, by redirects. https://huggingface.co/docs/hub/api
"""

from __future__ import annotations

import asyncio
import fnmatch
import hashlib
import json
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import quote

from app.domain.cancellation import CancelToken
from app.domain.errors import WorkCancelledError
from app.network.file_download import DownloadError, FileDownload

HUB = "https://huggingface.co"
OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
# Pickles and sources run code when loaded.
REFUSED_PATTERNS = ("*.bin", "*.ckpt", "*.h5", "*.msgpack", "*.pickle", "*.pkl", "*.pt", "*.pth", "*.py")
MAX_LISTING_BYTES = 16 * 1024 * 1024
_COMMIT = re.compile(r"[0-9a-f]{40}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_REPOSITORY = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository. ``size`` in bytes; ``sha256`` in hex, or "" where the hub states none.

    ``blob`` is what git calls the file: the SHA-1 of "blob", its size and its bytes, for files that git itself holds.
    """

    path: str
    size: int
    sha256: str = ""
    blob: str = ""


@dataclass(frozen=True, slots=True)
class HubModel:
    """Files of a repository at one commit (40 hex digits, as a branch can change), pinned by path and SHA-256.

    Raises ``DownloadError`` for a name, commit, path or checksum that can't be one.
    """

    repository: str
    commit: str
    sha256: Mapping[str, str]

    def __post_init__(self) -> None:
        if not _REPOSITORY.fullmatch(self.repository) or ".." in self.repository:
            raise DownloadError(f"“{self.repository}” is not the name of a model. One looks like owner/model.")
        if not _COMMIT.fullmatch(self.commit):
            raise DownloadError(f"“{self.commit}” is not a commit of {self.repository}. Give all 40 digits of one.")
        for path, digest in self.sha256.items():
            if not is_safe_path(path) or matches(path, REFUSED_PATTERNS) or not _DIGEST.fullmatch(digest):
                raise DownloadError(f"The file “{path}” of {self.repository} can't be downloaded safely.")


def offline_reason(environ: Mapping[str, str]) -> str:
    """Why the environment forbids downloads; "" if it doesn't."""
    for name in OFFLINE_VARIABLES:
        if environ.get(name, "").strip().lower() in {"1", "on", "true", "yes"}:
            return f"{name} is set"
    return ""


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path or its last part fits a shell pattern, whatever its case."""
    names = {path.lower(), PurePosixPath(path).name.lower()}
    return any(fnmatch.fnmatchcase(name, pattern.lower()) for name in names for pattern in patterns)


def is_safe_path(path: str) -> bool:
    """Whether a path stays inside the folder it is meant for, on every system."""
    parts = PureWindowsPath(path).parts
    return bool(parts) and not PureWindowsPath(path).anchor and not {"..", "."} & set(parts) and "\0" not in path


class HubDownloads:
    """Downloads from one hub.

    ``refusal`` says why nothing may be downloaded now, or "" (``offline_reason`` is one reason, a network lock
    another).
    """

    def __init__(self, download: FileDownload, refusal: Callable[[], str], hub: str = HUB) -> None:
        self._download = download
        self._refusal = refusal
        self._hub = hub.rstrip("/")

    async def files(self, repository: str, commit: str, allow: Sequence[str] = ("*",)) -> list[RemoteFile]:
        """The files that fit a pattern of ``allow`` and can't run code. Raises ``DownloadError``."""
        model = HubModel(repository, commit, {})
        self._check_allowed()
        url = f"{self._hub}/api/models/{model.repository}/tree/{model.commit}?recursive=true"
        body = await self._download.read(url, MAX_LISTING_BYTES)
        try:
            entries: list[dict[str, Any]] = [*json.loads(body)]
            found = [_remote_file(entry) for entry in entries if entry["type"] == "file"]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DownloadError(f"{self._hub} answered something that is no list of files. Try again later.") from error
        return [
            file
            for file in found
            if is_safe_path(file.path) and matches(file.path, allow) and not matches(file.path, REFUSED_PATTERNS)
        ]

    async def newest_commit(self, repository: str) -> str:
        """The commit that the repository's main branch has now. Raises ``DownloadError``."""
        HubModel(repository, "0" * 40, {})
        self._check_allowed()
        body = await self._download.read(f"{self._hub}/api/models/{repository}/revision/main", MAX_LISTING_BYTES)
        try:
            return HubModel(repository, str(json.loads(body)["sha"]), {}).commit
        except (KeyError, TypeError, ValueError) as error:
            raise DownloadError(f"{self._hub} answered something that names no commit. Try again later.") from error

    async def pinned(self, repository: str, commit: str, paths: Sequence[str]) -> HubModel:
        """These files with the SHA-256 that the hub states; small ones are read and compared with their git name.

        Raises ``DownloadError`` for a file that is not there or that differs.
        """
        listed = {file.path: file for file in await self.files(repository, commit)}
        sha256 = {}
        for path in paths:
            if path not in listed:
                raise DownloadError(f"{repository} holds no file “{path}” that can be downloaded safely.")
            sha256[path] = listed[path].sha256 or await self._read_digest(repository, commit, listed[path])
        return HubModel(repository, commit, sha256)

    async def _read_digest(self, repository: str, commit: str, file: RemoteFile) -> str:
        body = await self._download.read(self._address(repository, commit, file.path), max(1, file.size))
        if hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest() != file.blob:
            raise DownloadError(f"The file {file.path} of {repository} is not the one that its list of files states.")
        return hashlib.sha256(body).hexdigest()

    def _address(self, repository: str, commit: str, path: str) -> str:
        return f"{self._hub}/{repository}/resolve/{commit}/{quote(path)}"

    async def download(self, model: HubModel, target: Path, progress: Progress, cancel: CancelToken) -> Path:
        """Fetch the model's files into the new folder ``target``.

        What an interrupted download left is used. ``progress`` is told a file's path and how many of its bytes are
        there. Raises ``DownloadError`` and ``WorkCancelledError``.
        """
        if not model.sha256:
            raise DownloadError(f"No file of {model.repository} is known by its checksum, so nothing is downloaded.")
        self._check_allowed()
        aside = _partial_folder(target)
        await _cancellable(self._fetch_all(model, aside, progress, cancel), cancel)
        aside.rename(target)
        return target

    async def _fetch_all(self, model: HubModel, folder: Path, progress: Progress, cancel: CancelToken) -> None:
        for path, digest in sorted(model.sha256.items()):
            url = self._address(model.repository, model.commit, path)

            def tell(present: int, path: str = path) -> None:
                progress(path, present)

            await self._download.fetch(url, folder / path, digest, tell, cancel)

    def _check_allowed(self) -> None:
        if reason := self._refusal():
            raise DownloadError(f"Downloads are turned off: {reason}. Allow them, or copy the model's folder by hand.")


def _partial_folder(target: Path) -> Path:
    """Where files are gathered before they appear together in ``target``."""
    if target.exists():
        raise DownloadError(f"{target} exists already. Remove it or choose another place.")
    aside = target.with_name(f".{target.name}.partial")
    aside.mkdir(parents=True, exist_ok=True)
    return aside


async def _cancellable(work: Coroutine[Any, Any, None], cancel: CancelToken) -> None:
    """Run ``work`` and end it the moment ``cancel`` is cancelled, from whatever thread."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)

    def stop() -> None:
        loop.call_soon_threadsafe(task.cancel)

    forget = cancel.on_cancel(stop)
    try:
        await task
    except asyncio.CancelledError:
        if cancel.cancelled:
            raise WorkCancelledError from None
        raise
    finally:
        forget()
        task.cancel()


def _remote_file(entry: Mapping[str, Any]) -> RemoteFile:
    """One entry of a listing; large files state their SHA-256 as ``lfs.oid``."""
    stored = entry.get("lfs") or {}
    digest = str(stored.get("oid") or "").removeprefix("sha256:")
    known = digest if _DIGEST.fullmatch(digest) else ""
    return RemoteFile(str(entry["path"]), int(entry["size"]), known, str(entry.get("oid") or ""))
