"""A hub on loopback that holds one repository, as a scripted server."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.chat_models.stub_replies import Close, Reply, Stall, Step, json_reply
from tests.chat_models.stub_server import RecordedRequest, StubServer

LARGE = 1_000
"""Files of more bytes are stated with their SHA-256, smaller ones with their name in git alone."""


class HubServer:
    """Serves the files of ``folder`` as ``repository``. ``cut_after`` cuts answers with files short; with
    ``stall_after`` a large file stops coming after so many bytes, and nothing more is said.
    """

    def __init__(self, server: StubServer, repository: str, folder: Path, paths: tuple[str, ...]) -> None:
        self.repository = repository
        self.commit = "a" * 40
        self.content = {path: (folder / path).read_bytes() for path in paths}
        self.stated = dict(self.content)
        self.cut_after: list[int] = []
        self.stall_after: int | None = None
        self.requests: list[str] = []
        server.script(self.answer)

    def answer(self, request: RecordedRequest) -> Reply:
        path = urlsplit(unquote(request.path)).path
        self.requests.append(path)
        if path == f"/api/models/{self.repository}/revision/main":
            return json_reply({"sha": self.commit})
        if path == f"/api/models/{self.repository}/tree/{self.commit}":
            return json_reply([self._entry(name, content) for name, content in self.stated.items()])
        content = self.content.get(path.removeprefix(f"/{self.repository}/resolve/{self.commit}/"))
        if content is None:
            return json_reply({"error": "not found"}, 404)
        start = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        headers = {"content-range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
        steps: tuple[Step, ...] = (content[start:],)
        if len(content) > LARGE and self.cut_after:
            steps = (content[start : start + self.cut_after.pop(0)], Close())
        if len(content) > LARGE and self.stall_after is not None:
            steps = (content[start : start + self.stall_after], Stall())
        kind = "application/octet-stream"
        return Reply(steps=steps, status=206 if start else 200, headers=headers, content_type=kind)

    @staticmethod
    def _entry(path: str, content: bytes) -> dict[str, object]:
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        entry: dict[str, object] = {"type": "file", "path": path, "size": len(content), "oid": blob}
        if len(content) > LARGE:
            entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
        return entry
