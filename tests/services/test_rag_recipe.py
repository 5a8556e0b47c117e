"""The common recipe of chat over documents: rows K1 to K7, over the real index and a scripted server."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat_models.loop_thread import LoopThread
from app.domain.documents import Section, assemble
from app.domain.messages import HumanMessage, SystemMessage
from app.retrieval.recursive_splitter import RecursiveSplitter
from app.services.rag_recipe import WITHOUT_CONTEXT, RagChat
from tests.chat_models.models import stub_model
from tests.chat_models.stub_replies import chat_stream
from tests.chat_models.stub_server import StubServer
from tests.retrieval.small_library import HashEmbedder

FACTS = [
    "The platform watches servers and shows a status page.",
    "The free tier has five monitors and one status page.",
    "To install it, run the compose file in its directory.",
    "Invoices are sent on the first of each month.",
]


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer() as server:
        server.reply(chat_stream("Five monitors."))
        yield server


@pytest.fixture
def chat(tmp_path: Path, server: StubServer) -> Iterator[RagChat]:
    loop = LoopThread("recipe")
    with RagChat(tmp_path / "recipe", HashEmbedder(), stub_model(server, loop)) as chat:
        yield chat
    loop.close()


def split(text: str, splitter: RecursiveSplitter | None = None) -> list[str]:
    document = assemble([Section(text)], title="", media_type="text/plain")
    return [each.text for each in (splitter or RecursiveSplitter()).split(document)]


@pytest.mark.requirement("K1")
def test_chunks_are_cut_at_the_first_separator_that_does(chat: RagChat) -> None:
    paragraphs = ["".join(f"{letter}{n} " for n in range(150)).strip() for letter in "abc"]
    assert split("\n\n".join(paragraphs)) == paragraphs
    assert split("x" * 2_500) == ["x" * 1_000, "x" * 1_000, "x" * 900]

    assert chat.add_documents(["\n\n".join(paragraphs), *FACTS]) == 7
    assert chat.chunk_count == 7


@pytest.mark.requirement("K1")
def test_sentences_are_kept_whole_and_chunks_overlap_by_at_most_200() -> None:
    sentences = [f"Sentence number {n} says a little about the matter at hand. " for n in range(60)]
    chunks = split("".join(sentences))
    assert len(chunks) > 3
    assert all(len(each) <= 1_000 and each.endswith(".") for each in chunks)
    for one, other in itertools.pairwise(chunks):
        shared = next(size for size in range(min(len(one), len(other)), -1, -1) if one.endswith(other[:size]))
        assert 100 < shared <= 200


@pytest.mark.requirement("K1")
@given(
    st.text(alphabet="ab \n.", max_size=300),
    st.integers(1, 40).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))),
)
def test_every_character_is_in_a_chunk_and_no_chunk_is_too_long(text: str, sizes: tuple[int, int]) -> None:
    document = assemble([Section(text)], title="", media_type="text/plain")
    covered: set[int] = set()
    starts: list[int] = []
    for chunk in RecursiveSplitter(*sizes).split(document):
        assert document.text[chunk.start : chunk.end] == chunk.text
        assert len(chunk.text) <= sizes[0]
        covered.update(range(chunk.start, chunk.end))
        starts.append(chunk.start)
    assert starts == sorted(starts)
    assert covered >= {place for place, character in enumerate(document.text) if not character.isspace()}


@pytest.mark.requirement("K2")
def test_more_documents_grow_the_index_by_the_same_splitter(chat: RagChat) -> None:
    long = "\n\n".join("".join(f"{letter}{n} " for n in range(150)).strip() for letter in "abc")
    chat.add_documents(FACTS)
    assert chat.add_documents([long]) == 3
    assert chat.chunk_count == 7
    assert chat.add_documents([long]) == 0
    assert any("b17" in each for each in chat.retrieve("b17 b18 b19"))


@pytest.mark.requirement("K3")
def test_the_three_nearest_chunks_are_found(chat: RagChat) -> None:
    assert chat.retrieve("anything") == []
    chat.add_documents(FACTS)
    found = chat.retrieve("free tier monitors")
    assert len(found) == 3
    assert found[0] == FACTS[1]
    assert chat.retrieve("  ") == []


@pytest.mark.requirement("K4")
def test_the_prompt_holds_the_chunks_and_three_guidelines(chat: RagChat) -> None:
    chat.add_documents([*FACTS[:2], "Braces {like} {0.these} are text."])
    system, question = chat.messages("What is in the free tier?")

    assert isinstance(system, SystemMessage)
    context = system.text.partition("knowledge base:\n")[2].partition("\n\nGuidelines:")[0]
    assert context.split("\n\n---\n\n") == chat.retrieve("What is in the free tier?")
    assert len(re.findall(r"^- ", system.text.partition("Guidelines:\n")[2], re.MULTILINE)) == 3
    assert "{like} {0.these}" in system.text
    assert question == HumanMessage("What is in the free tier?")


@pytest.mark.requirement("K5")
def test_without_documents_the_prompt_says_so(chat: RagChat) -> None:
    system, _ = chat.messages("What is in the free tier?")
    assert system.text == WITHOUT_CONTEXT
    assert "context" in system.text
    assert "Guidelines" not in system.text


@pytest.mark.requirement("K6")
def test_the_last_ten_messages_reach_the_model(chat: RagChat, server: StubServer) -> None:
    for number in range(7):
        assert chat.chat(f"Question {number}?") == "Five monitors."

    sent = [(each["role"], each["content"]) for each in server.bodies[-1]["messages"]]
    assert sent[0][0] == "system"
    assert len(sent) == 12
    assert sent[1] == ("user", "Question 1?")
    assert sent[2] == ("assistant", "Five monitors.")
    assert sent[-1] == ("user", "Question 6?")


@pytest.mark.requirement("K7")
def test_clearing_the_history_keeps_the_index(chat: RagChat, server: StubServer) -> None:
    chat.add_documents(FACTS)
    chat.chat("What is in the free tier?")
    chat.clear_history()
    chat.chat("And how is it installed?")

    assert [each["role"] for each in server.bodies[-1]["messages"]] == ["system", "user"]
    assert FACTS[2] in server.bodies[-1]["messages"][0]["content"]
    assert chat.chunk_count == len(FACTS)


def test_the_index_lasts(tmp_path: Path, server: StubServer) -> None:
    loop = LoopThread("recipe")
    with RagChat(tmp_path, HashEmbedder(), stub_model(server, loop)) as chat:
        chat.add_documents(FACTS)
    with RagChat(tmp_path, HashEmbedder(), stub_model(server, loop)) as chat:
        assert chat.retrieve("free tier monitors")[0] == FACTS[1]
    loop.close()
