"""Profiles, prices and their catalogue."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from app.chat_models.catalog import ProfileCatalog, get_model_profile, select_model
from app.chat_models.loop_thread import LoopThread
from app.chat_models.metrics import UsageMonitor
from app.chat_models.profiles import Cost, ModelProfile, profile_from
from app.domain.chat_errors import ProtocolError
from app.domain.messages import Usage
from app.network.http import HttpFactory
from tests.chat_models.models import says, scripted, stub_model
from tests.chat_models.stub_replies import Close, Reply, chat_stream, closed_port
from tests.chat_models.stub_server import StubServer

SNAPSHOT: dict[str, Any] = {
    "acme": {
        "id": "acme",
        "models": {
            "small-1": {
                "name": "Small",
                "tool_call": True,
                "reasoning": False,
                "temperature": True,
                "modalities": {"input": ["text"], "output": ["text"]},
                "limit": {"context": 1000, "output": 100},
                "cost": {"input": 1, "output": 2},
            }
        },
    }
}


def _gpt_4o() -> ModelProfile:
    profile = get_model_profile("gpt-4o", provider_id="openai")
    assert profile is not None
    return profile


@pytest.mark.requirement("F1")
def test_a_profile_is_found_or_none() -> None:
    assert _gpt_4o().id == "gpt-4o"
    assert get_model_profile("gpt-nonsense", "openai") is None
    assert get_model_profile("gpt-4o", "nobody") is None


@pytest.mark.requirement("F1")
@pytest.mark.parametrize(
    ("name", "provider", "found"),
    [
        ("gpt-4o-2024-08-06", "openai", "gpt-4o"),
        ("claude-3-5-sonnet-20241022", "anthropic", "claude-3-5-sonnet-20241022"),
        ("claude-3-5-sonnet-latest", "anthropic", "claude-3-5-sonnet-20241022"),
        ("claude-sonnet-4-5-20250929", "anthropic", "claude-sonnet-4-5"),
        ("gemini-2.0-flash-001", "google", "gemini-2.0-flash"),
        (
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "bedrock",
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        ("gemini-2.5-pro", "vertex", "gemini-2.5-pro"),
    ],
)
def test_dated_and_regional_names_find_their_model(name: str, provider: str, found: str) -> None:
    profile = get_model_profile(name, provider)
    assert profile is not None
    assert profile.id == found


@pytest.mark.requirement("F2")
def test_capabilities() -> None:
    assert _gpt_4o().capabilities.tool_call
    assert _gpt_4o().capabilities.structured_output
    assert not _gpt_4o().capabilities.reasoning
    o3 = get_model_profile("o3-mini", "openai")
    assert o3 is not None
    assert o3.capabilities.reasoning
    assert not o3.capabilities.temperature
    opus = get_model_profile("claude-opus-4-7", "anthropic")
    assert opus is not None
    assert opus.unsupported_parameters >= {"temperature", "top_p"}


@pytest.mark.requirement("F3")
def test_modalities() -> None:
    assert {"text", "image"} <= set(_gpt_4o().modalities.input)
    assert _gpt_4o().modalities.output == ("text",)
    text_only = get_model_profile("deepseek-chat", "deepseek")
    assert text_only is not None
    assert text_only.modalities.input == ("text",)


@pytest.mark.requirement("F4")
def test_limits() -> None:
    assert (_gpt_4o().limits.context, _gpt_4o().limits.output) == (128_000, 16_384)


@pytest.mark.requirement("F5")
def test_prices() -> None:
    cost = _gpt_4o().cost
    assert cost is not None
    assert (cost.input_per_million, cost.output_per_million, cost.cache_read_per_million) == (2.5, 10.0, 1.25)
    sonnet = get_model_profile("claude-sonnet-4-5", "anthropic")
    assert sonnet is not None
    assert sonnet.cost is not None
    assert (sonnet.cost.cache_read_per_million, sonnet.cost.cache_write_per_million) == (0.3, 3.75)


@pytest.mark.requirement("F6")
def test_the_cost_of_the_documentation() -> None:
    cost = _gpt_4o().cost
    assert cost is not None
    assert cost.calculate(input_tokens=1000, output_tokens=500) == pytest.approx(0.0075)
    assert cost.calculate(1000, 500, cache_read_tokens=200) == pytest.approx(0.00725)
    assert cost.of(Usage(1000, 500, cache_read=200)) == pytest.approx(0.00725)


@pytest.mark.requirement("F6")
def test_cache_writes_and_tiers() -> None:
    cost = Cost(3.0, 15.0, 0.3, 3.75, ((200_000, Cost(6.0, 22.5, 0.6, 7.5)), (400_000, Cost(9.0, 30.0))))
    assert cost.calculate(1_000_000 // 10, 0, cache_write_tokens=100_000) == pytest.approx(0.375)
    assert cost.calculate(200_000, 10) == pytest.approx(0.6 + 0.00015)
    assert cost.calculate(200_001, 0) == pytest.approx(200_001 * 6 / 1e6)
    assert cost.calculate(500_000, 0) == pytest.approx(4.5)
    assert Cost(2.0, 1.0).calculate(10, 0, cache_read_tokens=10) == pytest.approx(20 / 1e6)


@pytest.mark.requirement("F6")
def test_tiers_of_both_spellings_are_read() -> None:
    tier = {"input": 6, "output": 22.5, "cache_read": 0.6}
    old = profile_from("a", "m", {"cost": {"input": 3, "output": 15, "context_over_200k": tier}})
    sized = {**tier, "tier": {"type": "context", "size": 200_000}}
    new = profile_from("a", "m", {"cost": {"input": 3, "output": 15, "tiers": [sized]}})
    assert old.cost == new.cost
    assert old.cost is not None
    assert old.cost.tiers == ((200_000, Cost(6.0, 22.5, 0.6)),)
    with pytest.raises(ValueError, match="damaged"):
        profile_from("a", "m", {"cost": "free"})


@pytest.mark.requirement("F7")
def test_selection_by_budget_and_capability() -> None:
    models = [("gpt-4o", "openai"), ("claude-3-5-sonnet-20241022", "anthropic"), ("gemini-2.0-flash-exp", "google")]
    assert select_model(models, max_output_per_million=5.0, needs=["tool_call"]) == "google/gemini-2.0-flash-exp"
    assert select_model(models, max_output_per_million=12.0, needs=["tool_call"]) == "openai/gpt-4o"
    assert select_model(models, needs=["tool_call"], cheapest=True) == "google/gemini-2.0-flash-exp"
    assert select_model(models[:2], max_output_per_million=5.0) is None
    assert select_model(models[:1], needs=["reasoning"]) is None
    assert select_model([("deepseek-chat", "deepseek"), ("gpt-4o", "openai")], needs=["image"]) == "openai/gpt-4o"
    assert select_model([("unknown", "openai")]) is None


@pytest.mark.requirement("F8")
def test_the_cost_of_a_response(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("a", "b", prompt_tokens=1000))
    usage = stub_model(stub, loop).invoke("x").usage
    assert usage is not None
    catalog = ProfileCatalog()
    assert catalog.cost("openai", "gpt-4o", usage) == pytest.approx(1000 * 2.5e-6 + 2 * 10e-6)
    assert catalog.cost("openai", "gpt-nonsense", usage) is None
    assert catalog.cost("ollama", "llama3", usage) == 0
    assert catalog.cost("llama.cpp", "any", usage) == 0


@pytest.mark.requirement("F9")
def test_running_totals_by_model_and_session(loop: LoopThread) -> None:
    monitor = UsageMonitor(ProfileCatalog())
    model = scripted(says("x", usage=Usage(1000, 500, cache_read=200)), loop=loop)
    for session in ("a", "a", "b"):
        model.invoke("x", config={"callbacks": [monitor.handler("openai", "gpt-4o", session)]})
    monitor.add("openai", "gpt-nonsense", Usage(1, 1), "b")
    first, total = monitor.session("a"), monitor.by_model()["openai/gpt-4o"]
    assert (first.answers, first.usage) == (2, Usage(2000, 1000, cache_read=400))
    assert first.cost == pytest.approx(2 * 0.00725)
    assert (total.answers, total.usage.total, total.unpriced) == (3, 4500, 0)
    assert monitor.session("b").unpriced == 1
    assert monitor.session("nobody").answers == 0


@pytest.mark.requirement("F10")
def test_the_bundled_snapshot_needs_no_network(only_loopback: None) -> None:
    catalog = ProfileCatalog()
    providers = {profile.provider for profile in catalog.profiles()}
    assert {"openai", "anthropic", "google", "google-vertex", "mistral", "deepseek", "groq", "azure"} <= providers
    assert "amazon-bedrock" in providers
    for profile in catalog.profiles():
        assert profile.modalities.input
        assert profile.cost is None or profile.cost.input_per_million >= 0
        assert profile.limits.context is None or profile.limits.context > 1000
    assert len(list(catalog.profiles("openai"))) > 10


def _refreshed(catalog: ProfileCatalog, url: str, *, force: bool = False) -> bool:
    async def refresh() -> bool:
        http = HttpFactory()
        try:
            return await catalog.refresh(http, url=url, force=force)
        finally:
            await http.aclose()

    return asyncio.run(refresh())


@pytest.mark.requirement("F10")
def test_a_snapshot_is_fetched_when_the_old_one_is_stale(stub: StubServer, tmp_path: Path) -> None:
    now = [1_000_000.0]
    stub.json_reply(SNAPSHOT)
    cache = tmp_path / "models" / "profiles.json"
    catalog = ProfileCatalog(cache=cache, clock=lambda: now[0], ttl_seconds=100)
    assert catalog.profile("gpt-4o", "openai") is not None
    assert _refreshed(catalog, stub.url)
    assert catalog.profile("small-1", "acme") is not None
    assert not _refreshed(catalog, stub.url)
    now[0] += 101
    assert _refreshed(catalog, stub.url)
    assert len(stub.requests) == 2
    again = ProfileCatalog(cache=cache, clock=lambda: now[0], ttl_seconds=100)
    assert again.profile("small-1", "acme") is not None
    assert _refreshed(again, stub.url, force=True)


@pytest.mark.requirement("F10")
@pytest.mark.parametrize(
    "reply",
    [
        Reply(steps=(b"not json",)),
        Reply(steps=(b"{}",)),
        Reply(steps=(b'{"acme": {"models": {"m": {"cost": "free"}}}}',)),
        Reply(status=500, steps=(b"{}",)),
        Reply(steps=(json.dumps(SNAPSHOT).encode()[:50], Close())),
    ],
)
def test_a_failed_refresh_keeps_the_old_snapshot(
    stub: StubServer, tmp_path: Path, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    stub.script(reply)
    cache = tmp_path / "profiles.json"
    cache.write_text(json.dumps(SNAPSHOT))
    catalog = ProfileCatalog(cache=cache)
    assert not _refreshed(catalog, stub.url, force=True)
    assert catalog.profile("small-1", "acme") is not None
    assert json.loads(cache.read_text()) == SNAPSHOT
    assert "could not be refreshed" in caplog.text


@pytest.mark.requirement("F10")
def test_without_a_server_or_a_place_nothing_breaks(tmp_path: Path) -> None:
    with closed_port() as url:
        assert not _refreshed(ProfileCatalog(cache=tmp_path / "p.json"), url)
        assert not _refreshed(ProfileCatalog(), url, force=True)
    damaged = tmp_path / "damaged.json"
    damaged.write_text("{")
    assert ProfileCatalog(cache=damaged).profile("gpt-4o", "openai") is not None
    with pytest.raises(ProtocolError):
        ProfileCatalog(bundled=damaged).profile("gpt-4o", "openai")


@pytest.mark.requirement("B4")
def test_parameters_that_the_profile_forbids_are_dropped_with_one_warning(
    stub: StubServer, loop: LoopThread, caplog: pytest.LogCaptureFixture
) -> None:
    stub.reply(chat_stream("x"))
    model = stub_model(stub, loop, model="o3-mini", profile=get_model_profile("o3-mini", "openai"))
    for bound in (model, model.bind(seed=1), model.bind(seed=2)):
        bound.invoke("x", temperature=0, max_tokens=5)
    assert all("temperature" not in body for body in stub.bodies)
    assert all(body["max_completion_tokens"] == 5 for body in stub.bodies)
    warnings = [record for record in caplog.records if "temperature" in record.getMessage()]
    assert len(warnings) == 1
    stub_model(stub, loop, profile=_gpt_4o()).invoke("x", temperature=0)
    assert stub.bodies[-1]["temperature"] == 0
