"""The models of an Ollama server: list, describe, fetch and delete them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.chat_models.call import Timeouts
from app.chat_models.codec import Framing, WireRequest
from app.chat_models.loop_thread import closing
from app.chat_models.provider import ModelRequest
from app.chat_models.providers.ollama import ollama_endpoint
from app.chat_models.served import ServedModel, abilities_from, items_in
from app.chat_models.wire.error_map import Origin, chat_error, interrupted, malformed
from app.chat_models.wire.error_report import report_of_document
from app.chat_models.wire.frames import Frame
from app.domain.chat_errors import ChatError

_QUICK = Timeouts(first_token=30.0, idle=30.0)
_PATIENT = Timeouts(first_token=None, idle=None)  # a download may stand still for minutes; the user can cancel it
_AT_ONCE = 8  # questions about single models


@dataclass(frozen=True, slots=True)
class OllamaModel:
    """A model on the server. ``size`` in bytes; ``parameters`` such as "8.0B"; ``quantization`` such as "Q4_K_M"."""

    name: str
    size: int = 0
    family: str = ""
    parameters: str = ""
    quantization: str = ""


@dataclass(frozen=True, slots=True)
class OllamaDetails:
    """What the server knows of a model. ``context_tokens`` is the most it can take, None where unknown.

    ``capabilities`` are words such as "completion", "tools", "vision", "thinking".
    """

    capabilities: frozenset[str] = frozenset()
    context_tokens: int | None = None
    family: str = ""
    parameters: str = ""
    quantization: str = ""
    license: str = ""


@dataclass(frozen=True, slots=True)
class PullProgress:
    """A step of fetching a model. Bytes of the current layer; ``total`` 0 while there is none."""

    status: str
    digest: str = ""
    completed: int = 0
    total: int = 0

    @property
    def done(self) -> bool:
        """Whether the model is there now."""
        return self.status == "success"


class OllamaLibrary:
    """The library of one server. ``request`` says where it is, as for a model; its ``model`` doesn't matter.

    Its ``timeouts`` hold for quick questions.

    All methods raise ``APIConnectionError`` when no server answers, ``ModelNotFoundError`` for an unknown model.
    """

    def __init__(self, request: ModelRequest) -> None:
        self._endpoint = ollama_endpoint(request)
        self._transport = self._endpoint.transport(request.http)
        self._timeouts = request.timeouts or _QUICK

    async def list(self) -> list[OllamaModel]:
        """The models that have been fetched, by name."""
        document = await self._ask(WireRequest("/api/tags", method="GET", framing=Framing.JSON))
        return sorted((_model(item) for item in items_in(document, "models")), key=lambda model: model.name)

    async def show(self, name: str) -> OllamaDetails:
        """What is known of a model."""
        document = await self._ask(WireRequest("/api/show", {"model": name}, framing=Framing.JSON), name)
        details, info = _object(document.get("details")), _object(document.get("model_info"))
        abilities = document.get("capabilities")
        limit = next((value for key, value in info.items() if key.endswith(".context_length")), None)
        return OllamaDetails(
            capabilities=frozenset(map(str, abilities)) if isinstance(abilities, list) else frozenset(),
            context_tokens=limit if isinstance(limit, int) else None,
            family=str(details.get("family") or ""),
            parameters=str(details.get("parameter_size") or ""),
            quantization=str(details.get("quantization_level") or ""),
            license=str(document.get("license") or ""),
        )

    async def pull(self, name: str) -> AsyncIterator[PullProgress]:
        """Fetch a model; yields progress until ``done``. Closing the iterator stops; what has come is kept.

        Raises ``StreamInterruptedError`` when the server breaks off.
        """
        request = WireRequest("/api/pull", {"model": name, "stream": True}, framing=Framing.NDJSON)
        finished = False
        async with closing(self._transport.frames(request, _PATIENT, self._endpoint.codec)) as frames:
            async for frame in frames:
                progress = self._progress(frame, name)
                finished = progress.done
                yield progress
        if not finished:
            raise interrupted(self._origin(name))

    async def delete(self, name: str) -> None:
        """Remove a model from the server's disk."""
        request = WireRequest("/api/delete", {"model": name}, method="DELETE", framing=Framing.JSON)
        async with closing(self._transport.frames(request, self._timeouts, self._endpoint.codec)) as frames:
            async for _ in frames:
                pass

    async def _ask(self, request: WireRequest, name: str = "") -> Mapping[str, Any]:
        async with closing(self._transport.frames(request, self._timeouts, self._endpoint.codec)) as frames:
            documents = [frame.data async for frame in frames]
        if len(documents) != 1 or not isinstance(documents[0], dict):
            raise malformed(self._origin(name))
        return documents[0]

    def _progress(self, frame: Frame, name: str) -> PullProgress:
        line = frame.data
        if not isinstance(line, dict):
            raise malformed(self._origin(name))
        if line.get("error"):
            report = report_of_document(line)
            unknown = "manifest" in report.message  # "pull model manifest: file does not exist"
            raise chat_error(replace(report, status=404) if unknown else report, self._origin(name))
        return PullProgress(
            str(line.get("status") or ""),
            str(line.get("digest") or ""),
            int(line.get("completed") or 0),
            int(line.get("total") or 0),
        )

    def _origin(self, name: str) -> Origin:
        return Origin("ollama", "Ollama", name)


def _model(item: Mapping[str, Any]) -> OllamaModel:
    details, size = _object(item.get("details")), item.get("size")
    return OllamaModel(
        name=str(item.get("name") or item.get("model") or ""),
        size=size if isinstance(size, int) else 0,
        family=str(details.get("family") or ""),
        parameters=str(details.get("parameter_size") or ""),
        quantization=str(details.get("quantization_level") or ""),
    )


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


async def served_models(request: ModelRequest) -> list[ServedModel]:
    """The models that can chat. Raises ``ChatError``s; what a single model can do stays open where it can't be told."""
    library = OllamaLibrary(request)
    limit = asyncio.Semaphore(_AT_ONCE)

    async def describe(model: OllamaModel) -> ServedModel | None:
        async with limit:
            try:
                details = await library.show(model.name)
            except ChatError:
                return _served(model, OllamaDetails())
        embeds_only = "embedding" in details.capabilities and "completion" not in details.capabilities
        return None if embeds_only else _served(model, details)

    found = await asyncio.gather(*(describe(model) for model in await library.list() if model.name))
    return [each for each in found if each is not None]


def _served(model: OllamaModel, details: OllamaDetails) -> ServedModel:
    about = " ".join(part for part in (model.parameters, model.quantization) if part)
    abilities = abilities_from(details.capabilities) if details.capabilities else None
    return ServedModel(model.name, about, details.context_tokens, abilities)
