"""What servers that speak OpenAI's protocol on the user's own machines say of their models.

The protocol itself only has names (``GET /v1/models``). LM Studio tells more at ``/api/v0/models``, llama.cpp at
``/props``, vLLM and others in fields of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.chat_models.provider import ModelRequest
from app.chat_models.served import ServedModel, abilities_from, items_in, tokens_from
from app.chat_models.wire.building import Endpoint, ask_json
from app.domain.chat_errors import ChatError

_NO_CHAT = frozenset({"embeddings", "embedding"})


async def served_by_lm_studio(request: ModelRequest, endpoint: Endpoint) -> list[ServedModel]:
    """The models of LM Studio; an older one only names them. Raises ``ChatError``s."""
    try:
        document = await ask_json(request, _root(endpoint), "/api/v0/models")
    except ChatError:
        return await served(request, endpoint)
    return [
        _lm_studio(item) for item in items_in(document, "data") if item.get("id") and item.get("type") not in _NO_CHAT
    ]


async def served_by_llama_cpp(request: ModelRequest, endpoint: Endpoint) -> list[ServedModel]:
    """The model that llama-server has loaded, with the context it was given. Raises ``ChatError``s."""
    document = await ask_json(request, endpoint, "/models")
    models = _named(document)
    try:
        props = await ask_json(request, _root(endpoint), "/props")
    except ChatError:
        return models  # a server that was told to keep its properties to itself
    settings, kinds = props.get("default_generation_settings"), props.get("modalities")
    context = tokens_from(settings.get("n_ctx")) if isinstance(settings, dict) else None
    sees = isinstance(kinds, dict) and kinds.get("vision") is True
    caps = props.get("chat_template_caps")
    tools = (
        isinstance(caps, dict) and caps.get("supports_tools") is True and caps.get("supports_tool_calls") is not False
    )
    words = [word for word, there in (("vision", sees), ("tools", tools)) if there]
    told = isinstance(kinds, dict) and isinstance(caps, dict)
    return [replace(each, context=context, abilities=abilities_from(words) if told else None) for each in models]


async def served(request: ModelRequest, endpoint: Endpoint) -> list[ServedModel]:
    """The models of any server, with what it happens to say. Raises ``ChatError``s."""
    return _named(await ask_json(request, endpoint, "/models"))


def _named(document: Mapping[str, Any]) -> list[ServedModel]:
    return [
        ServedModel(
            str(item["id"]),
            context=tokens_from(item.get("max_model_len"), item.get("context_length"), item.get("context_window")),
        )
        for item in items_in(document, "data")
        if item.get("id")
    ]


def _lm_studio(item: Mapping[str, Any]) -> ServedModel:
    abilities = abilities_from(item.get("capabilities"))
    if item.get("type") == "vlm":
        abilities = (abilities or frozenset()) | (abilities_from(["vision"]) or frozenset())
    quantization = item.get("quantization")
    context = tokens_from(item.get("loaded_context_length"), item.get("max_context_length"))
    return ServedModel(str(item["id"]), quantization if isinstance(quantization, str) else "", context, abilities)


def _root(endpoint: Endpoint) -> Endpoint:
    """The same server without the ``/v1`` of the protocol."""
    return replace(endpoint, server=replace(endpoint.server, address=endpoint.server.address.removesuffix("/v1")))
