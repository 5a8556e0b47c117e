"""Downloads from a hub, against a scripted server."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

import pytest

from app.domain.cancellation import CancelToken
from app.domain.errors import WorkCancelledError
from app.network.downloads import HubDownloads, HubModel, RemoteFile, is_safe_path, offline_reason
from app.network.file_download import ATTEMPTS, DownloadError, FileDownload
from app.network.http import HttpFactory
from tests.chat_models.stub_replies import Close, Reply, Step, closed_port, json_reply
from tests.chat_models.stub_server import RecordedRequest, StubServer

T = TypeVar("T")

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = bytes(range(256)) * 1000
CONFIG = b'{"hidden_size": 4}'
FILES = {"config.json": CONFIG, "model.safetensors": WEIGHTS, "1_Pooling/config ä.json": b"{}"}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def model(**files: bytes) -> HubModel:
    wanted = files or FILES
    return HubModel("owner/tiny", COMMIT, {path: digest(content) for path, content in wanted.items()})


class Hub:
    """A hub that serves ``FILES``, whole or from where it is asked, and can be told to cut files short."""

    def __init__(self, server: StubServer, *, serves: bool = True) -> None:
        self.server = server
        self.cut_after: list[int] = []
        self.content = dict(FILES)
        self.ranges = True
        self.waited: list[float] = []
        if serves:
            server.script(self.answer)  # the last one of a script is repeated

    def answer(self, request: RecordedRequest) -> Reply:
        path = unquote(request.path).removeprefix(f"/owner/tiny/resolve/{COMMIT}/")
        content = self.content.get(path)
        if content is None:
            return json_reply({"error": "not found"}, 404)
        start = 0
        if self.ranges and "range" in request.headers:
            start = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                return Reply(status=416, framing="length")
        headers = {"content-range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
        steps: tuple[Step, ...] = (content[start:],)
        if len(content) > 1000 and self.cut_after:
            steps = (content[start : start + self.cut_after.pop(0)], Close())
        return Reply(
            steps=steps, status=206 if start else 200, headers=headers, content_type="application/octet-stream"
        )

    async def wait(self, seconds: float) -> None:
        self.waited.append(seconds)

    def run(self, work: Callable[[HubDownloads], Coroutine[object, object, T]], refusal: str = "") -> T:
        async def main() -> T:
            factory = HttpFactory()
            try:
                return await work(HubDownloads(FileDownload(factory, self.wait), lambda: refusal, self.server.url))
            finally:
                await factory.aclose()

        return asyncio.run(main())

    def download(self, wanted: HubModel, target: Path, cancel: CancelToken | None = None) -> Path:
        return self.run(lambda hub: hub.download(wanted, target, lambda path, have: None, cancel or CancelToken()))

    def requested(self, name: str) -> list[RecordedRequest]:
        return [request for request in self.server.requests if request.path.endswith(name)]


@pytest.fixture
def hub(stub: StubServer) -> Hub:
    return Hub(stub)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "models" / "tiny"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_all_files_arrive_with_progress(hub: Hub, target: Path) -> None:
    told: list[tuple[str, int]] = []
    found = hub.run(lambda each: each.download(model(), target, lambda *step: told.append(step), CancelToken()))
    assert found == target
    assert contents(target) == FILES
    assert dict(told) == {path: len(content) for path, content in FILES.items()}
    assert [path.name for path in target.parent.iterdir()] == ["tiny"]


@pytest.mark.parametrize("position", [0, 1000, len(WEIGHTS) - 1])
def test_an_altered_byte_is_refused_and_nothing_appears(position: int, hub: Hub, target: Path) -> None:
    altered = bytearray(WEIGHTS)
    altered[position] ^= 1
    hub.content["model.safetensors"] = bytes(altered)
    with pytest.raises(DownloadError, match=r"model\.safetensors .*checksum"):
        hub.download(model(), target)
    assert not target.exists()
    assert len(hub.requested("model.safetensors")) == 1  # asking again would give the same
    hub.content["model.safetensors"] = WEIGHTS
    assert contents(hub.download(model(), target)) == FILES


def test_a_broken_connection_goes_on_where_it_stopped(hub: Hub, target: Path) -> None:
    hub.cut_after = [100_000, 50_000]
    assert contents(hub.download(model(), target)) == FILES
    ranges = [request.headers.get("range") for request in hub.requested("model.safetensors")]
    assert ranges == [None, "bytes=100000-", "bytes=150000-"]
    assert hub.waited == [1.0, 2.0]


def test_a_server_that_ignores_ranges_sends_all_again(hub: Hub, target: Path) -> None:
    hub.cut_after = [100_000]
    hub.ranges = False
    assert contents(hub.download(model(), target)) == FILES


def test_an_interrupted_download_is_continued_by_the_next(hub: Hub, target: Path) -> None:
    hub.cut_after = [30_000] + [1] * (ATTEMPTS - 1)
    with pytest.raises(DownloadError, match="broke"):
        hub.download(model(), target)
    assert not target.exists()
    before = len(hub.server.requests)
    assert contents(hub.download(model(), target)) == FILES
    assert not any(request.path.endswith("/config.json") for request in hub.server.requests[before:])
    assert hub.server.requests[-1].headers["range"] == f"bytes={30_000 + ATTEMPTS - 1}-"


@pytest.mark.parametrize("leftover", [b"of another version", WEIGHTS, WEIGHTS + b"more", WEIGHTS[:-1] + b"!"])
def test_leftovers_of_any_kind_do_no_harm(leftover: bytes, hub: Hub, target: Path) -> None:
    partial = target.with_name(".tiny.partial")
    partial.mkdir(parents=True)
    (partial / "model.safetensors.part").write_bytes(leftover)
    (partial / "config.json").write_bytes(b"damaged")
    assert contents(hub.download(model(), target)) == FILES


def test_the_other_half_of_a_range_is_refused(stub: StubServer, tmp_path: Path) -> None:
    part = tmp_path / "file.part"
    part.write_bytes(WEIGHTS[:1000])
    stub.reply(WEIGHTS[500:], status=206, headers={"content-range": f"bytes 500-{len(WEIGHTS) - 1}/{len(WEIGHTS)}"})

    async def main() -> None:
        factory = HttpFactory()
        try:
            download = FileDownload(factory)
            await download.fetch(stub.url, tmp_path / "file", digest(WEIGHTS), lambda have: None, CancelToken())
        finally:
            await factory.aclose()

    with pytest.raises(DownloadError, match="another part"):
        asyncio.run(main())
    assert part.read_bytes() == WEIGHTS[:1000]


@pytest.mark.parametrize(
    ("status", "tries"), [(404, 1), (403, 1), (401, 1), (418, 1), (503, ATTEMPTS), (429, ATTEMPTS)]
)
def test_refusals_are_told_and_busy_servers_asked_again(
    status: int, tries: int, stub: StubServer, target: Path
) -> None:
    stub.json_reply({}, status)
    with pytest.raises(DownloadError, match=str(status)):
        Hub(stub, serves=False).download(model(), target)
    assert len(stub.requests) == tries


def test_a_server_that_is_not_there_is_named(tmp_path: Path, stub: StubServer) -> None:
    hub = Hub(stub)
    with closed_port() as url:
        hub.server.url = url
        with pytest.raises(DownloadError, match=r"127\.0\.0\.1 broke"):
            hub.download(model(), tmp_path / "tiny")
    assert len(hub.waited) == ATTEMPTS - 1


def test_redirects_are_followed(stub: StubServer, target: Path) -> None:
    stub.script(Reply(status=302, headers={"location": f"{stub.url}/cdn/blob?sign=1"}, framing="length"))
    stub.reply(CONFIG)
    hub = Hub(stub)
    assert contents(hub.download(model(**{"config.json": CONFIG}), target)) == {"config.json": CONFIG}
    assert [request.path for request in stub.requests][1] == "/cdn/blob"


@pytest.mark.parametrize("location", ["ftp://example.org/x", "file:///etc/passwd", "", "http://example.org/x"])
def test_redirects_to_elsewhere_without_encryption_are_refused(location: str, stub: StubServer, target: Path) -> None:
    stub.script(Reply(status=302, headers={"location": location}, framing="length"))
    with pytest.raises(DownloadError, match="not safe"):
        Hub(stub).download(model(), target)


def test_redirects_in_circles_end(stub: StubServer, target: Path) -> None:
    for _ in range(10):
        stub.script(Reply(status=302, headers={"location": f"{stub.url}/again"}, framing="length"))
    with pytest.raises(DownloadError, match="circles"):
        Hub(stub).download(model(), target)


def test_cancelling_stops_a_silent_download_and_keeps_what_is_there(stub: StubServer, target: Path) -> None:
    gate = stub.gate()
    stub.reply(WEIGHTS[:5000], gate, WEIGHTS[5000:], framing="chunked")
    hub = Hub(stub)
    token = CancelToken()
    arrived = threading.Event()

    def cancel() -> None:
        arrived.wait(10)
        token.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    wanted = model(**{"model.safetensors": WEIGHTS})

    def tell(path: str, have: int) -> None:
        if have == 5000:
            arrived.set()

    with pytest.raises(WorkCancelledError):
        hub.run(lambda each: each.download(wanted, target, tell, token))
    canceller.join()
    gate.open()
    assert (target.with_name(".tiny.partial") / "model.safetensors.part").stat().st_size == 5000
    assert contents(hub.download(wanted, target)) == {"model.safetensors": WEIGHTS}
    assert stub.requests[-1].headers["range"] == "bytes=5000-"


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({}, ""),
        ({"HF_HUB_OFFLINE": "0"}, ""),
        ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE is set"),
        ({"TRANSFORMERS_OFFLINE": " True"}, "TRANSFORMERS_OFFLINE is set"),
    ],
)
def test_the_environment_can_forbid_downloads(environ: dict[str, str], reason: str) -> None:
    assert offline_reason(environ) == reason


def test_a_forbidden_download_asks_nobody(hub: Hub, target: Path) -> None:
    for work in (
        lambda each: each.download(model(), target, lambda path, have: None, CancelToken()),
        lambda each: each.files("owner/tiny", COMMIT),
    ):
        with pytest.raises(DownloadError, match="network lock is on"):
            hub.run(work, refusal="the network lock is on")
    assert hub.server.requests == []
    assert not target.parent.exists()


@pytest.mark.parametrize(
    ("repository", "commit", "files"),
    [
        ("owner/tiny", "main", {}),
        ("owner/tiny", COMMIT[:-1], {}),
        ("../tiny", COMMIT, {}),
        ("owner/..", COMMIT, {}),
        ("owner/tiny/extra", COMMIT, {}),
        ("", COMMIT, {}),
        ("owner/tiny", COMMIT, {"../escape": digest(b"")}),
        ("owner/tiny", COMMIT, {"C:\\escape": digest(b"")}),
        ("owner/tiny", COMMIT, {"pytorch_model.BIN": digest(b"")}),
        ("owner/tiny", COMMIT, {"code/modeling.py": digest(b"")}),
        ("owner/tiny", COMMIT, {"config.json": "abc"}),
    ],
)
def test_what_is_not_pinned_or_not_safe_is_refused(repository: str, commit: str, files: dict[str, str]) -> None:
    with pytest.raises(DownloadError):
        HubModel(repository, commit, files)


@pytest.mark.parametrize("path", ["/etc/passwd", "a/../b", "..", "\\\\server\\x", "c:x", "a\0b", "", "./."])
def test_paths_that_leave_the_folder(path: str) -> None:
    assert not is_safe_path(path)


def test_the_list_of_files_keeps_to_what_is_allowed(stub: StubServer) -> None:
    def entry(path: str, **more: object) -> dict[str, object]:
        return {"type": "file", "path": path, "size": 9, "oid": "0" * 40, **more}

    stub.json_reply(
        [
            {"type": "directory", "path": "onnx", "size": 0},
            entry("config.json"),
            entry("model.safetensors", lfs={"oid": digest(WEIGHTS), "size": 9}),
            entry("onnx/model.onnx", lfs={"oid": f"sha256:{digest(CONFIG)}"}),
            entry("pytorch_model.bin", lfs={"oid": digest(b"")}),
            entry("modeling.py"),
            entry("README.md"),
            entry("../escape.json"),
        ]
    )
    found = Hub(stub).run(lambda hub: hub.files("owner/tiny", COMMIT, ("*.json", "*.safetensors", "onnx/*")))
    assert found == [
        RemoteFile("config.json", 9, blob="0" * 40),
        RemoteFile("model.safetensors", 9, digest(WEIGHTS), "0" * 40),
        RemoteFile("onnx/model.onnx", 9, digest(CONFIG), "0" * 40),
    ]
    assert stub.requests[0].target == f"/api/models/owner/tiny/tree/{COMMIT}?recursive=true"


@pytest.mark.parametrize(
    "body", [{"error": "?"}, [1], [{"type": "file"}], [{"type": "file", "path": "a", "size": "x"}], "a"]
)
def test_a_list_that_is_none_is_refused(body: object, stub: StubServer) -> None:
    stub.json_reply(body)
    with pytest.raises(DownloadError, match="no list of files"):
        Hub(stub, serves=False).run(lambda hub: hub.files("owner/tiny", COMMIT))


def test_an_existing_folder_is_left_alone(hub: Hub, target: Path) -> None:
    target.mkdir(parents=True)
    (target / "mine").touch()
    with pytest.raises(DownloadError, match="exists already"):
        hub.download(model(), target)
    assert contents(target) == {"mine": b""}


def test_a_download_larger_than_the_disk_is_refused_at_once(stub: StubServer, target: Path, tmp_path: Path) -> None:
    size = shutil.disk_usage(tmp_path).free + 10**9
    stub.reply(b"x", Close(), headers={"content-length": str(size)}, framing="close")
    with pytest.raises(DownloadError, match="Free some space"):
        Hub(stub).download(model(), target)
    assert contents(target.with_name(".tiny.partial")) == {}
