"""What servers of the user's own have ready, asked over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.chat_models.call import NO_OVERRIDES
from app.chat_models.loop_thread import LoopThread
from app.services.model_servers import InstalledModel, ModelServer, ask_servers, leads_here
from tests.chat_models.stub_replies import Reply
from tests.chat_models.stub_server import RecordedRequest, StubServer
from tests.services.model_stub import TAGS, by_path
from tests.services.models_rig import ModelsRig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[ModelsRig]:
    rig = ModelsRig(tmp_path)
    yield rig
    rig.close()


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


def abilities(model: InstalledModel) -> tuple[bool, bool, bool]:
    """Tools, images, reasoning."""
    can = model.profile.capabilities
    return can.tool_call, "image" in model.profile.modalities.input, can.reasoning


def only(servers: list[ModelServer]) -> ModelServer:
    [server] = servers
    return server


def test_without_any_server_there_are_no_models_and_no_error(rig: ModelsRig) -> None:
    assert rig.models.installed() == []
    silent = list(rig.models.each_server())
    assert {each.provider for each in silent} == {"ollama", "llama.cpp", "lmstudio", "vllm", "openai-compatible"}
    assert not any(each.answers or each.models for each in silent)


def test_ollama_tells_size_context_and_abilities_and_keeps_what_only_embeds(rig: ModelsRig, stub: StubServer) -> None:
    rig.point("ollama", stub.url)
    stub.script(by_path({"/api/tags": TAGS}))
    server = only(rig.models.installed())
    assert (server.provider, server.here) == ("ollama", True)
    [model] = server.models
    assert (model.profile.id, model.details, model.profile.limits.context) == ("qwen3:8b", "8.2B Q4_K_M", 40960)
    assert abilities(model) == (True, False, True)
    assert model.profile.cost is None


def test_llama_server_tells_the_context_it_was_started_with(rig: ModelsRig, stub: StubServer) -> None:
    rig.point("llama.cpp", f"{stub.url}/v1")
    props = {
        "default_generation_settings": {"n_ctx": 4096},
        "modalities": {"vision": True, "audio": False},
        "chat_template_caps": {"supports_tools": True},
    }
    stub.script(by_path({"/v1/models": {"data": [{"id": "/models/tiny.gguf"}]}, "/props": props}))
    [model] = only(rig.models.installed()).models
    assert (model.profile.id, model.profile.limits.context) == ("/models/tiny.gguf", 4096)
    assert abilities(model) == (True, True, False)


def test_lm_studio_tells_more_at_an_address_of_its_own(rig: ModelsRig, stub: StubServer) -> None:
    rig.point("lmstudio", f"{stub.url}/v1")
    models = [
        {"id": "gemma-3-4b", "type": "vlm", "quantization": "4bit", "max_context_length": 131072},
        {"id": "embed-it", "type": "embeddings"},
        {"id": "loaded", "type": "llm", "loaded_context_length": 8192, "max_context_length": 32768,
         "capabilities": ["tool_use"]},
    ]  # fmt: skip
    stub.script(by_path({"/api/v0/models": {"data": models}}))
    found = {each.profile.id: each for each in only(rig.models.installed()).models}
    assert found.keys() == {"gemma-3-4b", "loaded"}
    assert abilities(found["gemma-3-4b"]) == (False, True, False)
    assert abilities(found["loaded"]) == (True, False, False)
    assert [each.profile.limits.context for each in found.values()] == [131072, 8192]


def test_what_a_server_says_its_models_can_holds_for_questions(rig: ModelsRig, stub: StubServer) -> None:
    rig.point("lmstudio", f"{stub.url}/v1")
    models = [
        {"id": "sees", "type": "vlm", "loaded_context_length": 8192, "capabilities": []},
        {"id": "calls", "type": "llm", "capabilities": ["tool_use"]},
        {"id": "untold", "type": "llm"},
    ]
    stub.script(by_path({"/api/v0/models": {"data": models}}))
    sees, calls, untold = (rig.models.facts(f"lmstudio:{each}").profile for each in ("sees", "calls", "untold"))
    assert len(stub.requests) == 1
    assert sees is not None
    assert ("image" in sees.modalities.input, sees.limits.context) == (True, 8192)
    assert calls is not None
    assert (calls.capabilities.tool_call, "image" in calls.modalities.input) == (True, False)
    assert untold is None
    model = rig.models.model("lmstudio:calls")
    assert model.profile_of(NO_OVERRIDES) == calls
    assert "json_schema" in model.output_methods()
    rig.models.facts("lmstudio:new")  # perhaps it was loaded since
    rig.models.facts("lmstudio:new")
    assert len(stub.requests) == 1, "a server that was asked just now is not asked again"


def test_nothing_is_known_of_models_of_a_silent_server(rig: ModelsRig) -> None:
    assert rig.models.facts("lmstudio:tiny").profile is None
    assert rig.models.facts("lmstudio:tiny").local


def test_an_older_server_only_names_its_models(rig: ModelsRig, stub: StubServer) -> None:
    rig.point("lmstudio", f"{stub.url}/v1")
    stub.script(by_path({"/v1/models": {"data": [{"id": "tiny"}, {"id": "text-embedding-small"}, "odd", {}]}}))
    [model] = only(rig.models.installed()).models
    assert (model.profile.id, model.profile.limits.context) == ("tiny", None)


@pytest.mark.parametrize(
    "answer",
    [
        {"models": "none"},
        {"models": [{"name": "odd", "details": "x", "size": "big"}]},
        {"models": [{"details": {}}, 7, None]},
        [],
        Reply(steps=(b"<html>router</html>",), content_type="text/html"),
        Reply(steps=(b"not json",), content_type="application/json"),
        Reply(steps=(b"{}",), status=500, content_type="application/json"),
    ],
)
def test_nonsense_is_no_error(rig: ModelsRig, stub: StubServer, answer: object) -> None:
    rig.point("ollama", stub.url)
    stub.script(by_path({"/api/tags": answer, "/api/show": {"capabilities": 3, "details": 4, "model_info": 5}}))
    assert [each.profile.id for server in rig.models.installed() for each in server.models] in ([], ["odd"])


def test_a_silent_server_keeps_nobody_waiting(rig: ModelsRig, stub: StubServer) -> None:
    with StubServer() as silent:
        silent.reply(silent.gate(), content_type="application/json")
        rig.point("vllm", f"{silent.url}/v1")
        rig.point("ollama", stub.url)

        def after_the_silent_one(request: RecordedRequest) -> Reply:
            silent.wait_for_requests(1)
            return by_path({"/api/tags": TAGS})(request)

        stub.script(after_the_silent_one)
        answers = rig.models.each_server()
        while not (each := next(answers)).answers:
            assert each.provider != "vllm"
        assert each.provider == "ollama"
        answers.close()  # type: ignore[attr-defined]  # it is a generator
        silent.requests[0].wait_disconnected()


def test_the_time_a_server_may_take_is_limited(rig: ModelsRig, stub: StubServer) -> None:
    rig.point("vllm", f"{stub.url}/v1")
    stub.reply(stub.gate())
    loop = LoopThread("limited")
    started = time.monotonic()
    answers = list(loop.iterate(ask_servers(rig.registry, seconds=0.1)))
    assert time.monotonic() - started < 5
    assert not any(each.answers for each in answers)
    loop.close()


def test_addresses_of_the_environment_count(rig: ModelsRig, stub: StubServer) -> None:
    rig.settings.reset(rig.registry.provider("ollama").settings["base_url"])
    rig.environ["OLLAMA_HOST"] = stub.url.removeprefix("http://")
    stub.script(by_path({"/api/tags": TAGS}))
    assert only(rig.models.installed()).here


def test_what_is_here_and_what_is_elsewhere() -> None:
    assert all(
        leads_here(each) for each in ("http://localhost:1234/v1", "127.0.0.1:11434", "0.0.0.0", "http://[::1]:8")
    )
    assert not any(leads_here(each) for each in ("http://192.168.1.7:8080/v1", "box:11434", "https://example.org"))
