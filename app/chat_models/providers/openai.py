"""Providers that speak OpenAI's protocols: OpenAI, Azure, local servers, and many others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from app.chat_models.model import ChatModel, OutputMethod
from app.chat_models.provider import ModelRequest, Provider
from app.chat_models.providers.openai_chat import OpenAIChatCodec
from app.chat_models.providers.openai_dialects import (
    AZURE,
    DEEPSEEK,
    DIALECTS,
    GENERIC,
    GROQ,
    HUGGING_FACE,
    LLAMA_CPP,
    LM_STUDIO,
    MISTRAL,
    OPENAI,
    OPENROUTER,
    TOGETHER,
    VLLM,
    XAI,
    Dialect,
)
from app.chat_models.providers.openai_responses import ResponsesCodec
from app.chat_models.providers.openai_served import served, served_by_llama_cpp, served_by_lm_studio
from app.chat_models.served import ServedModel
from app.chat_models.wire.building import (
    Endpoint,
    address_of,
    ask_json,
    build_model,
    check_options,
    key_auth,
    names_in,
    option,
)
from app.chat_models.wire.connection_errors import Server
from app.settings.setting import Setting

LLAMA_CPP_URL = Setting("chat.llama_cpp.base_url", LLAMA_CPP.base_url, "Address of the llama.cpp server")
LM_STUDIO_URL = Setting("chat.lmstudio.base_url", LM_STUDIO.base_url, "Address of LM Studio")
VLLM_URL = Setting("chat.vllm.base_url", VLLM.base_url, "Address of vLLM")
AZURE_URL = Setting("chat.azure.base_url", "", "Address of Azure OpenAI", "https://NAME.openai.azure.com")
AZURE_VERSION = Setting(
    "chat.azure.api_version",
    "",
    "API version of Azure OpenAI",
    "Leave it empty unless your deployment needs one, such as 2024-10-21.",
)
COMPATIBLE_URL = Setting(
    "chat.openai_compatible.base_url",
    "",
    "Address of another OpenAI-compatible server",
    "The address before /chat/completions, such as http://127.0.0.1:8080/v1.",
)

_SETTINGS: dict[str, dict[str, Setting[Any]]] = {
    LLAMA_CPP.name: {"base_url": LLAMA_CPP_URL},
    LM_STUDIO.name: {"base_url": LM_STUDIO_URL},
    VLLM.name: {"base_url": VLLM_URL},
    AZURE.name: {"base_url": AZURE_URL, "api_version": AZURE_VERSION},
    GENERIC.name: {"base_url": COMPATIBLE_URL},
}
_WITHOUT_SCHEMA: tuple[OutputMethod, ...] = ("tool", "json_mode", "xml")
_ALIASES = {
    AZURE.name: ("azure-openai", "azure_openai"),
    LLAMA_CPP.name: ("llamacpp", "llama-cpp", "llama-server"),
    LM_STUDIO.name: ("lm-studio",),
    HUGGING_FACE.name: ("hf", "hugging-face"),
    MISTRAL.name: ("mistralai",),
    TOGETHER.name: ("togetherai",),
    GENERIC.name: ("openai_compatible", "local"),
}
_PROFILE_PROVIDERS = {TOGETHER.name: "togetherai"}
_START_HINTS = {
    LLAMA_CPP.name: "Start it: llama-server -m MODEL.gguf --jinja",
    LM_STUDIO.name: "Start LM Studio and its server (Developer → Start server).",
    VLLM.name: "Start it: vllm serve MODEL",
}
_DOCUMENTATION = {
    OPENAI.name: "https://platform.openai.com/docs/api-reference/chat",
    AZURE.name: "https://learn.microsoft.com/azure/ai-foundry/openai/reference",
    LLAMA_CPP.name: "https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
    LM_STUDIO.name: "https://lmstudio.ai/docs/api",
    VLLM.name: "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
    HUGGING_FACE.name: "https://huggingface.co/docs/inference-providers",
    OPENROUTER.name: "https://openrouter.ai/docs/api-reference",
    DEEPSEEK.name: "https://api-docs.deepseek.com",
    MISTRAL.name: "https://docs.mistral.ai/api",
}
_KEY_PAGES = {
    OPENAI.name: "platform.openai.com, under API keys",
    AZURE.name: "the Azure portal, under Keys and Endpoint of your resource",
    HUGGING_FACE.name: "huggingface.co, under Settings, Access Tokens",
    GROQ.name: "console.groq.com, under API Keys",
    OPENROUTER.name: "openrouter.ai, under Settings, Keys",
    DEEPSEEK.name: "platform.deepseek.com, under API keys",
    MISTRAL.name: "console.mistral.ai, under API Keys",
    XAI.name: "console.x.ai, under API Keys",
    TOGETHER.name: "api.together.ai, under Settings, API Keys",
}
_ASKS = {LLAMA_CPP.name: served_by_llama_cpp, LM_STUDIO.name: served_by_lm_studio}


def _endpoint(request: ModelRequest, dialect: Dialect) -> Endpoint:
    address = address_of(request, dialect.base_url_variables, dialect.base_url, dialect.label)
    version = ""
    if dialect is AZURE:
        version = option(request, "api_version", ("AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION"))
        address = azure_address(address, versioned=bool(version))
    check_options(request, dialect.label, ("api_version",) if dialect is AZURE else ())
    needed = not (dialect.local or dialect is GENERIC)
    auth = key_auth(request, dialect.label, dialect.keys, address, header=dialect.key_header, needed=needed)
    server = Server(dialect.name, dialect.label, address, _START_HINTS.get(dialect.name, ""))
    return Endpoint(server, auth, OpenAIChatCodec(dialect, api_version=version))


def azure_address(address: str, *, versioned: bool) -> str:
    """Azure's base URL from what its portal shows, which is only the host's part."""
    if "/openai" in address:
        return address
    return f"{address}/openai" if versioned else f"{address}/openai/v1"


def _builder(dialect: Dialect) -> Callable[[ModelRequest], ChatModel]:
    def build(request: ModelRequest) -> ChatModel:
        endpoint = _endpoint(request, dialect)
        forms = None if dialect.json_schema else _WITHOUT_SCHEMA
        return build_model(request, endpoint, fetches_images=not dialect.image_urls, output_forms=forms)

    return build


def _lister(dialect: Dialect) -> Callable[[ModelRequest], Awaitable[list[str]]]:
    async def list_models(request: ModelRequest) -> list[str]:
        return names_in(await ask_json(request, _endpoint(request, dialect), "/models"), "data", "id")

    return list_models


def _asker(dialect: Dialect) -> Callable[[ModelRequest], Awaitable[list[ServedModel]]] | None:
    if not (dialect.local or dialect is GENERIC):
        return None
    ask = _ASKS.get(dialect.name, served)

    async def ask_server(request: ModelRequest) -> list[ServedModel]:
        return await ask(request, _endpoint(request, dialect))

    return ask_server


def _provider(dialect: Dialect) -> Provider:
    return Provider(
        name=dialect.name,
        label=dialect.label,
        build=_builder(dialect),
        key_variables=dialect.keys,
        needs_key=not (dialect.local or dialect is GENERIC),
        local=dialect.local,
        base_url=dialect.base_url,
        aliases=_ALIASES.get(dialect.name, ()),
        profile_provider=_PROFILE_PROVIDERS.get(dialect.name, ""),
        documentation=_DOCUMENTATION.get(dialect.name, ""),
        list_models=_lister(dialect),
        ask_server=_asker(dialect),
        base_url_variables=dialect.base_url_variables,
        key_page=_KEY_PAGES.get(dialect.name, ""),
        settings=_SETTINGS.get(dialect.name, {}),
    )


def _build_responses(request: ModelRequest) -> ChatModel:
    address = address_of(request, OPENAI.base_url_variables, OPENAI.base_url, OPENAI.label)
    check_options(request, OPENAI.label)
    auth = key_auth(request, OPENAI.label, OPENAI.keys, address)
    server = Server("openai-responses", OPENAI.label, address)
    return build_model(request, Endpoint(server, auth, ResponsesCodec()))


RESPONSES = Provider(
    name="openai-responses",
    label="OpenAI (Responses)",
    build=_build_responses,
    key_variables=OPENAI.keys,
    base_url=OPENAI.base_url,
    aliases=("openai_responses", "responses"),
    profile_provider="openai",
    documentation="https://platform.openai.com/docs/api-reference/responses",
    list_models=_lister(OPENAI),
    key_page=_KEY_PAGES[OPENAI.name],
)

PROVIDERS = (*(_provider(dialect) for dialect in DIALECTS), RESPONSES)
