"""Finding providers, making models, keys, and restoring models."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import AsyncIterator, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from app.chat_models import providers
from app.chat_models import registry as registry_module
from app.chat_models.call import Call, Timeouts
from app.chat_models.keys import KeySource
from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.chat_models.provider import ModelRequest, Provider
from app.chat_models.registry import ModelRegistry, built_in_providers, init_chat_model, split_spec
from app.chat_models.wrappers.cache import Cache
from app.chat_models.wrappers.rate_limit import RateLimit
from app.chat_models.wrappers.retry import Retry
from app.domain.chat_errors import AuthenticationError, ChatInputError
from app.domain.messages import AIMessageChunk, Message
from app.domain.secrets import SecretStr
from app.settings.setting import Setting
from tests.chat_models.models import KEY
from tests.chat_models.stub_replies import chat_stream
from tests.chat_models.stub_server import StubServer


def _nothing_stored(name: str) -> str | None:
    return None


def _registry(environ: dict[str, str] | None = None, **settings: object) -> ModelRegistry:
    keys = KeySource(environ or {}, stored=_nothing_stored)
    return ModelRegistry(keys=keys, plugins=list, **settings)  # type: ignore[arg-type]  # checked by the constructor


@pytest.mark.requirement("B1")
@pytest.mark.parametrize("spec", ["openai:gpt-4o-mini", "openai/gpt-4o-mini", " OpenAI : gpt-4o-mini "])
def test_a_model_by_name(spec: str) -> None:
    model = init_chat_model(spec, temperature=0, api_key=KEY)
    assert model.get_model_info() == {"model_id": "gpt-4o-mini", "provider": "openai"}
    assert model.resolve(Call()).temperature == 0


@pytest.mark.requirement("B1")
@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("openrouter:meta/llama-3:free", ("openrouter", "meta/llama-3:free")),
        ("openrouter/meta/llama-3:free", ("openrouter", "meta/llama-3:free")),
        ("ollama:llama3.2:3b", ("ollama", "llama3.2:3b")),
    ],
)
def test_models_have_separators_of_their_own(spec: str, parts: tuple[str, str]) -> None:
    assert split_spec(spec) == parts


@pytest.mark.requirement("B1", "B38")
def test_an_unknown_provider_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no provider 'opnai'.*anthropic.*ollama.*openai"):
        init_chat_model("opnai:gpt-4o")
    for spec in ("gpt-4o", "", ":", "openai:", ":x"):
        with pytest.raises(ValueError, match="names no model"):
            init_chat_model(spec)


@pytest.mark.requirement("B2", "B3")
def test_all_providers_are_there() -> None:
    names = {provider.name for provider in built_in_providers()}
    official = {"openai", "anthropic", "azure", "google", "vertex", "bedrock"}
    local = {"ollama", "huggingface", "llama.cpp", "lmstudio", "vllm"}
    assert official | local | {"groq", "openrouter", "deepseek", "mistral"} <= names


def test_a_build_without_providers_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(providers, "__path__", [str(tmp_path)])
    with pytest.raises(RuntimeError, match="incomplete"):
        list(built_in_providers())


class Shouting(ChatModel):
    """A model of somebody else's package."""

    loudness: int = 1
    """How many exclamation marks."""

    async def _astream(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
        yield AIMessageChunk(messages[-1].text.upper() + "!" * self.loudness)


def make_shouting(request: ModelRequest) -> ChatModel:
    """A builder, as an entry point may name it."""
    return Shouting(model=request.model, loudness=3)


SHOUTING = Provider("ignored", "Shouting", make_shouting, needs_key=False)


@pytest.mark.requirement("B3")
@pytest.mark.parametrize(
    ("target", "answer"), [("Shouting", "HI!!"), ("make_shouting", "HI!!!"), ("SHOUTING", "HI!!!")]
)
def test_another_package_adds_a_provider(target: str, answer: str, loop: LoopThread) -> None:
    entry = EntryPoint("shout", f"{__name__}:{target}", "footnote.chat_models")
    registry = ModelRegistry(plugins=lambda: [entry], loop=loop, keys=KeySource({}, stored=_nothing_stored))
    settings = {"loudness": 2} if target == "Shouting" else {}
    model = registry.model("shout:x", **settings)
    assert model.invoke("hi").text == answer
    assert "shout" in {provider.name for provider in registry.providers()}


@pytest.mark.requirement("B3")
def test_the_program_adds_providers_of_its_own(loop: LoopThread) -> None:
    registry = _registry(extra=[Provider("shout", "Shouting", make_shouting, aliases=("loud",))], loop=loop)
    assert registry.model("loud:x").invoke("hi").text == "HI!!!"


@pytest.mark.requirement("A23")
def test_the_key_comes_from_the_environment(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("x"))
    registry = _registry({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "https://unused"}, loop=loop)
    registry.model("openai:m", base_url=f"{stub.url}/v1").invoke("x")
    registry.model("openai:m", base_url=f"{stub.url}/v1", api_key="sk-given").invoke("x")
    assert [request.headers["authorization"] for request in stub.requests] == [f"Bearer {KEY}", "Bearer sk-given"]


@pytest.mark.requirement("A23")
def test_a_dotenv_file_is_read_once_and_after_the_environment(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(f"OPENAI_API_KEY='{KEY}'\nANTHROPIC_API_KEY=sk-ant\n")
    keys = KeySource({"ANTHROPIC_API_KEY": "sk-env"}, path, stored=lambda name: f"stored-{name}")
    assert keys.find("openai", ["OPENAI_API_KEY"]) is not None
    path.write_text("OPENAI_API_KEY=changed\n")
    openai, anthropic, groq = (
        keys.require(name, name, [f"{name.upper()}_API_KEY"]) for name in ("openai", "anthropic", "groq")
    )
    assert (openai.key, openai.source) == (SecretStr(KEY), f"OPENAI_API_KEY in {path}")
    assert (anthropic.key, anthropic.source) == (SecretStr("sk-env"), "the environment variable ANTHROPIC_API_KEY")
    assert (groq.key, groq.source) == (SecretStr("stored-groq"), "the system's keyring")
    assert KEY not in repr(openai)
    assert keys.variable("OPENAI_API_KEY") == KEY


@pytest.mark.requirement("A23")
def test_a_dotenv_file_of_the_current_folder_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stub: StubServer, loop: LoopThread
) -> None:
    stub.reply(chat_stream("x"))
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={KEY}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    model = init_chat_model("openai:m", base_url=f"{stub.url}/v1")
    model.loop = loop
    model.invoke("x")
    assert stub.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.requirement("A23")
def test_a_missing_key_names_the_variable() -> None:
    with pytest.raises(AuthenticationError, match="OPENAI_API_KEY") as caught:
        _registry().model("openai:gpt-4o")
    assert caught.value.provider == "openai"
    with pytest.raises(AuthenticationError, match="ANTHROPIC_API_KEY"):
        _registry().model("anthropic:claude-sonnet-4-5")


def test_a_local_server_needs_no_key(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("x"))
    _registry(loop=loop).model("llama.cpp:m", base_url=f"{stub.url}/v1").invoke("x")
    assert "authorization" not in stub.requests[0].headers


@pytest.mark.requirement("B5")
def test_options_reach_the_provider(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("x"))
    model = _registry(loop=loop).model(
        "openai:my-model",
        api_key=KEY,
        base_url=f"{stub.url}/custom/v1/",
        options={"service_tier": "flex"},
        headers={"x-org": "o"},
        timeouts=Timeouts(idle=5),
        callbacks=[],
        streaming=True,
    )
    model.invoke("x")
    assert stub.requests[0].path == "/custom/v1/chat/completions"
    assert stub.requests[0].headers["x-org"] == "o"
    assert (stub.bodies[0]["model"], stub.bodies[0]["service_tier"]) == ("my-model", "flex")
    with pytest.raises(ValueError, match="no option 'frequency'"):
        _registry().model("openai:m", api_key=KEY, frequency=1)


def test_the_users_settings_reach_the_provider(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("x"))

    def chosen(setting: Setting[str]) -> str:
        return f"{stub.url}/v1" if setting.key == "chat.lmstudio.base_url" else setting.default

    registry = _registry(loop=loop, setting=chosen)
    registry.model("lmstudio:m").invoke("x")
    assert stub.requests[0].path == "/v1/chat/completions"


@pytest.mark.requirement("B35", "B31")
def test_a_model_is_restored_from_its_description(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("x"))
    registry = _registry({"OPENAI_API_KEY": KEY}, loop=loop)
    tool = {"name": "f", "parameters": {"type": "object", "properties": {}}}
    model = registry.model(
        "openai:my-model",
        api_key=SecretStr(KEY),
        base_url=f"{stub.url}/v1",
        temperature=0,
        max_tokens=7,
        stop=["END"],
        tools=[tool],
        headers={"authorization": f"Bearer {KEY}"},
    )
    state = json.loads(json.dumps(model.serialize()))
    assert set(state) == {"footnote_type", "provider", "model_type", "state"}
    assert (state["footnote_type"], state["provider"], state["model_type"]) == ("model", "openai", "chat_completion")
    assert KEY not in json.dumps(state)
    restored = registry.restore(state)
    assert restored.invoke("hi").text == "x"
    assert stub.requests[0].headers["authorization"] == f"Bearer {KEY}"
    body = stub.bodies[0]
    assert (body["model"], body["temperature"], body["max_completion_tokens"]) == ("my-model", 0, 7)
    assert body["tools"][0]["function"]["name"] == "f"
    assert restored.serialize() == state
    for bad in ({}, {**state, "footnote_type": "os.system"}, {**state, "state": {"model": "m", "tools": [{"x": 1}]}}):
        with pytest.raises(ChatInputError):
            registry.restore(bad)


def test_wrappers_by_name() -> None:
    model = init_chat_model(
        "openai:m", api_key=KEY, enable_cache=True, cache_size=3, max_retries=2, requests_per_minute=6
    )
    assert isinstance(model, Cache)
    assert isinstance(model.inner, Retry)
    assert isinstance(model.inner.inner, RateLimit)
    assert model.cache_info()["maxsize"] == 3
    assert model.inner.policy.max_retries == 2
    assert model.get_model_info() == {"model_id": "m", "provider": "openai"}
    assert model.serialize()["state"]["model"] == "m"


@pytest.mark.requirement("B23")
def test_every_provider_has_a_type_of_its_own() -> None:
    settings = {"api_key": KEY, "base_url": "http://127.0.0.1:9"}
    registry = _registry({"AWS_BEARER_TOKEN_BEDROCK": "k", "GOOGLE_CLOUD_PROJECT": "p", "AWS_REGION": "eu-central-1"})
    kinds = [registry.model(f"{provider.name}:m", **settings)._llm_type for provider in built_in_providers()]
    assert len(set(kinds)) == len(kinds)


@pytest.mark.requirement("B24")
def test_identifying_parameters_name_the_model() -> None:
    model = init_chat_model("openai:gpt-4o", api_key=KEY)
    assert model._identifying_params["model_name"] == "gpt-4o"
    assert KEY not in repr(model._identifying_params)


_FILES = sorted(Path(registry_module.__file__).parent.rglob("*.py"))


@pytest.mark.requirement("B32")
@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_every_field_of_a_model_is_explained(path: Path) -> None:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef) or not _is_model(node):
            continue
        assert ast.get_docstring(node), f"{node.name} has no docstring"
        for field, after in zip(node.body, [*node.body[1:], None], strict=True):
            if isinstance(field, ast.AnnAssign):
                explained = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                assert explained, f"{node.name}.{ast.unparse(field.target)} is not explained"


def _is_model(node: ast.ClassDef) -> bool:
    bases = {ast.unparse(base) for base in node.bases}
    return node.name == "ChatModel" or bool(bases & {"ChatModel", "ProviderModel", "Wrapper"})


@pytest.mark.requirement("B32")
def test_every_provider_names_its_documentation() -> None:
    for provider in built_in_providers():
        if provider.name not in ("openai-compatible", "xai", "together", "groq"):
            assert re.match(r"https://\S+$", provider.documentation), provider.name
