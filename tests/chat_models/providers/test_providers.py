"""The providers as they are declared: names, keys, addresses, options, lists of models, images by address."""

from __future__ import annotations

from typing import Any

import pytest

from app.chat_models.keys import KeySource
from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.chat_models.provider import ModelRequest, Provider
from app.chat_models.provider_model import ProviderModel
from app.chat_models.providers.openai import azure_address
from app.chat_models.registry import ModelRegistry, built_in_providers
from app.domain.chat_errors import AuthenticationError, ChatInputError, ProtocolError
from app.domain.messages import HumanMessage, ImagePart, TextPart
from app.domain.secrets import SecretStr
from app.network.http import HttpFactory
from app.settings.setting import Setting
from tests.chat_models.providers.protocols import ANTHROPIC, BEDROCK, CHAT, GOOGLE, KEY, OLLAMA, Protocol, model_at
from tests.chat_models.stub_server import StubServer

PROVIDERS = {provider.name: provider for provider in built_in_providers()}
NO_KEYS = KeySource(environ={}, stored=lambda name: None)


def registry(environ: dict[str, str], loop: LoopThread | None = None) -> ModelRegistry:
    return ModelRegistry(loop=loop, keys=KeySource(environ=environ, stored=lambda name: None))


def transport_address(model: ChatModel) -> str:
    assert isinstance(model, ProviderModel)
    return model.transport.base_url


@pytest.mark.requirement("B1", "B2", "B3")
def test_the_providers_there_are() -> None:
    assert set(PROVIDERS) == {
        "openai", "openai-responses", "azure", "anthropic", "google", "vertex", "bedrock", "ollama", "llama.cpp",
        "lmstudio", "vllm", "huggingface", "groq", "openrouter", "deepseek", "mistral", "xai", "together",
        "openai-compatible",
    }  # fmt: skip
    names = [name for provider in PROVIDERS.values() for name in (provider.name, *provider.aliases)]
    assert len(names) == len(set(names))
    assert {name for name, provider in PROVIDERS.items() if provider.local} == {
        "ollama",
        "llama.cpp",
        "lmstudio",
        "vllm",
    }


@pytest.mark.requirement("A23", "H1")
@pytest.mark.parametrize(
    "provider", [each for each in PROVIDERS.values() if each.needs_key], ids=lambda provider: provider.name
)
def test_a_missing_key_names_its_variable(provider: Provider) -> None:
    environ = {"AZURE_OPENAI_ENDPOINT": "https://me.openai.azure.com", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}
    with pytest.raises(AuthenticationError) as caught:
        registry(environ).model(f"{provider.name}:some-model")
    assert any(name in str(caught.value) for name in provider.key_variables)


@pytest.mark.requirement("A23", "B5")
@pytest.mark.parametrize(
    ("name", "variable", "header", "value"),
    [
        ("openai", "OPENAI_API_KEY", "authorization", "Bearer my-key"),
        ("openai-responses", "OPENAI_API_KEY", "authorization", "Bearer my-key"),
        ("azure", "AZURE_OPENAI_API_KEY", "api-key", "my-key"),
        ("anthropic", "ANTHROPIC_API_KEY", "x-api-key", "my-key"),
        ("google", "GEMINI_API_KEY", "x-goog-api-key", "my-key"),
        ("google", "GOOGLE_API_KEY", "x-goog-api-key", "my-key"),
        ("vertex", "VERTEX_API_KEY", "x-goog-api-key", "my-key"),
        ("bedrock", "AWS_BEARER_TOKEN_BEDROCK", "authorization", "Bearer my-key"),
        ("ollama", "OLLAMA_API_KEY", "authorization", "Bearer my-key"),
        ("llama.cpp", "LLAMA_API_KEY", "authorization", "Bearer my-key"),
        ("lmstudio", "LMSTUDIO_API_KEY", "authorization", "Bearer my-key"),
        ("vllm", "VLLM_API_KEY", "authorization", "Bearer my-key"),
        ("huggingface", "HF_TOKEN", "authorization", "Bearer my-key"),
        ("groq", "GROQ_API_KEY", "authorization", "Bearer my-key"),
        ("openrouter", "OPENROUTER_API_KEY", "authorization", "Bearer my-key"),
        ("deepseek", "DEEPSEEK_API_KEY", "authorization", "Bearer my-key"),
        ("mistral", "MISTRAL_API_KEY", "authorization", "Bearer my-key"),
        ("xai", "XAI_API_KEY", "authorization", "Bearer my-key"),
        ("together", "TOGETHER_API_KEY", "authorization", "Bearer my-key"),
        ("openai-compatible", "OPENAI_COMPATIBLE_API_KEY", "authorization", "Bearer my-key"),
    ],
)
def test_the_key_of_the_environment_goes_into_its_header(
    stub: StubServer, loop: LoopThread, name: str, variable: str, header: str, value: str
) -> None:
    stub.json_reply({"error": {"message": "enough seen"}}, 400)
    model = registry({variable: "my-key"}, loop).model(f"{name}:some-model", base_url=stub.url)
    with pytest.raises(Exception, match="enough seen"):
        model.invoke("Hi")
    assert stub.requests[0].headers[header] == value
    assert "my-key" not in repr(model)


def test_no_key_is_demanded_for_a_server_on_this_machine(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(*CHAT.text("ok"))
    assert model_at(stub, CHAT, loop, api_key=None).invoke("Hi").text == "ok"
    assert "authorization" not in stub.requests[0].headers


@pytest.mark.requirement("B5", "B38")
def test_unknown_options_are_named() -> None:
    with pytest.raises(ChatInputError, match="num_ctx"):
        registry({"OPENAI_API_KEY": "k"}).model("openai:gpt-4o", num_ctx=5)
    with pytest.raises(ChatInputError, match="context_tokens, keep_alive"):
        registry({}).model("ollama:llama3.2", num_ctx=5)
    with pytest.raises(ChatInputError, match="OPENAI_COMPATIBLE_BASE_URL"):
        registry({}).model("openai-compatible:m")


@pytest.mark.requirement("B2", "B5")
@pytest.mark.parametrize(
    ("spec", "environ", "options", "address"),
    [
        ("openai:m", {"OPENAI_API_KEY": "k"}, {}, "https://api.openai.com/v1"),
        ("openai:m", {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "https://proxy.example/v1/"}, {}, "https://proxy.example/v1"),
        ("anthropic:m", {"ANTHROPIC_API_KEY": "k"}, {"base_url": "https://proxy.example/v1"}, "https://proxy.example"),
        ("google:m", {"GEMINI_API_KEY": "k"}, {"base_url": "https://proxy.example/g"}, "https://proxy.example/g/v1beta"),
        ("azure:d", {"AZURE_OPENAI_API_KEY": "k", "AZURE_OPENAI_ENDPOINT": "https://me.openai.azure.com/"}, {},
         "https://me.openai.azure.com/openai/v1"),
        ("azure:d", {"AZURE_OPENAI_API_KEY": "k", "OPENAI_API_VERSION": "2024-10-21"},
         {"base_url": "https://me.openai.azure.com"}, "https://me.openai.azure.com/openai"),
        ("bedrock:m", {"AWS_BEARER_TOKEN_BEDROCK": "k", "AWS_REGION": "eu-west-1"}, {},
         "https://bedrock-runtime.eu-west-1.amazonaws.com"),
        ("bedrock:m", {"AWS_BEARER_TOKEN_BEDROCK": "k"}, {"region": "us-west-2"},
         "https://bedrock-runtime.us-west-2.amazonaws.com"),
        ("ollama:m", {}, {}, "http://127.0.0.1:11434"),
        ("openai-compatible:m", {"OPENAI_COMPATIBLE_BASE_URL": "http://127.0.0.1:9/v1"}, {}, "http://127.0.0.1:9/v1"),
    ],
)  # fmt: skip
def test_addresses(spec: str, environ: dict[str, str], options: dict[str, Any], address: str) -> None:
    assert transport_address(registry(environ).model(spec, **options)) == address


def test_azure_addresses_that_are_complete_stay() -> None:
    assert (
        azure_address("https://me.openai.azure.com/openai/v1", versioned=False)
        == "https://me.openai.azure.com/openai/v1"
    )


@pytest.mark.requirement("B37")
def test_servers_on_this_machine_may_be_silent_for_long() -> None:
    local = registry({}).model("llama.cpp:m")
    remote = registry({"OPENAI_API_KEY": "k"}).model("openai:m")
    assert isinstance(local, ProviderModel)
    assert isinstance(remote, ProviderModel)
    assert (local.timeouts.first_token, local.timeouts.idle) == (None, None)
    assert (remote.timeouts.first_token, remote.timeouts.idle) == (120.0, 90.0)


@pytest.mark.parametrize(
    ("protocol", "path", "answer", "models"),
    [
        (CHAT, "/v1/models", {"data": [{"id": "b"}, {"id": "a"}, {}]}, ["a", "b"]),
        (ANTHROPIC, "/v1/models", {"data": [{"id": "claude-x"}]}, ["claude-x"]),
        (GOOGLE, "/v1beta/models", {"models": [{"name": "models/gemini-x"}]}, ["gemini-x"]),
        (OLLAMA, "/api/tags", {"models": [{"name": "llama3.2:latest"}]}, ["llama3.2:latest"]),
        (BEDROCK, "/foundation-models", {"modelSummaries": [{"modelId": "amazon.nova"}]}, ["amazon.nova"]),
    ],
    ids=lambda value: value.name if isinstance(value, Protocol) else "",
)
def test_lists_of_models(
    stub: StubServer, loop: LoopThread, protocol: Protocol, path: str, answer: Any, models: list[str]
) -> None:
    stub.json_reply(answer)
    stub.json_reply([])
    http = HttpFactory()
    request = ModelRequest(
        protocol.name, "", api_key=SecretStr(KEY), base_url=stub.url + protocol.suffix, keys=NO_KEYS, http=http
    )
    list_models = PROVIDERS[protocol.name].list_models
    assert list_models is not None

    async def listed() -> list[str]:
        return await list_models(request)

    assert loop.run(listed()) == models
    assert (stub.requests[0].method, stub.requests[0].path, stub.requests[0].body) == ("GET", path, b"")
    with pytest.raises(ProtocolError):
        loop.run(listed())
    loop.run(http.aclose())


def test_every_setting_of_a_provider_is_an_option_that_it_takes() -> None:
    environ = {variable: "k" for provider in PROVIDERS.values() for variable in provider.key_variables}
    for provider in PROVIDERS.values():
        options = {name: setting.default for name, setting in provider.settings.items() if name != "base_url"}
        registry(environ).model(f"{provider.name}:m", base_url="http://127.0.0.1:9/v1", **options)
        assert all(isinstance(setting, Setting) for setting in provider.settings.values())


# Images by address for servers that take bytes only


def picture_question(url: str) -> list[HumanMessage]:
    return [HumanMessage(parts=(TextPart("What is it?"), ImagePart(url=url)))]


@pytest.mark.requirement("A14", "A15", "A16")
@pytest.mark.parametrize("protocol", [GOOGLE, OLLAMA, BEDROCK], ids=lambda protocol: protocol.name)
def test_images_by_address_are_fetched(stub: StubServer, loop: LoopThread, protocol: Protocol) -> None:
    with StubServer() as pictures:
        pictures.reply(b"\x89PNG", content_type="image/png", framing="length")
        stub.reply(*protocol.text("A dot."), content_type=protocol.content_type)
        model = model_at(stub, protocol, loop)
        model.profiles = None  # type: ignore[attr-defined]  # whatever the profile says about images
        assert model.invoke(picture_question(f"{pictures.url}/a.png")).text == "A dot."
        assert pictures.requests[0].path == "/a.png"
        assert not {"authorization", "x-goog-api-key"} & pictures.requests[0].headers.keys()
    assert "iVBORw==" in stub.requests[0].body.decode()
    assert pictures.url not in stub.requests[0].body.decode()


@pytest.mark.requirement("A14", "B38")
@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ({"status": 404, "content_type": "text/plain"}, "404"),
        ({"content_type": "text/html"}, "no image but text/html"),
        ({"content_type": ""}, "no image but of unknown type"),
    ],
)
def test_what_is_no_image_is_not_sent_on(stub: StubServer, loop: LoopThread, reply: dict[str, Any], words: str) -> None:
    stub.reply(*OLLAMA.text("never"), content_type=OLLAMA.content_type)
    with StubServer() as pictures:
        pictures.reply(b"x", **reply)
        with pytest.raises(ChatInputError, match=words):
            model_at(stub, OLLAMA, loop).invoke(picture_question(f"{pictures.url}/a"))
    assert stub.requests == []


def test_images_that_are_too_large_are_given_up(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(*OLLAMA.text("never"), content_type=OLLAMA.content_type)
    with StubServer() as pictures:
        pictures.reply(*[b"x" * 1024 * 1024] * 22, content_type="image/png")
        with pytest.raises(ChatInputError, match="20 MiB"):
            model_at(stub, OLLAMA, loop).invoke(picture_question(f"{pictures.url}/a"))
