"""``footnote evaluate`` as a user runs it, on the sample library."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from app.bootstrap import open_services
from app.domain.citations import Citation
from app.domain.feedback import Judgement
from app.storage.session_store import SessionStore, open_chats
from tests.cli.conftest import Footnote

QUESTIONS = (
    {"question": "How often may I water my plot in a dry summer?", "file": "Garden handbook.pdf", "page": 2},
    {"question": "How long do tomato seeds keep?", "file": "seed saving", "quote": "Tomato seeds keep for five years"},
    {"question": "What does a half plot cost?", "file": "*.csv"},
    {"question": "wasp nest in the tool shed", "file": "Seed saving.txt"},
)


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """Three questions that any search answers, and one with an answer where none is."""
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(json.dumps(each) for each in QUESTIONS), encoding="utf-8")
    return path


def test_a_table_and_a_verdict_for_people(sample_footnote: Footnote, questions: Path) -> None:
    result = sample_footnote("evaluate", questions, "-k", "1")
    assert result.status == 0, result.err
    assert result.out.startswith("4 questions, 60 passages looked at for each.")
    for words in ("Files", "Pages (2 questions)", "hit@1", "MRR@1", "nDCG@10", "hybrid", "dense", "keyword"):
        assert words in result.out
    assert "Over files, " in result.out
    assert "line 4: “wasp nest in the tool shed”" in result.out
    assert "expected Seed saving.txt; first stands Bees and wasps.html" in result.out


def test_a_row_a_question_and_a_summary_for_scripts(sample_footnote: Footnote, questions: Path) -> None:
    result = sample_footnote("evaluate", questions, "--json")
    assert result.status == 0, result.err
    *rows, last = result.rows
    assert [row["line"] for row in rows] == [1, 2, 3, 4]
    assert rows[0].keys() == {"line", "question", "expected", "ranks", "first"}
    assert rows[0]["ranks"].keys() == {"hybrid", "dense", "keyword"}
    assert rows[0]["ranks"]["hybrid"] == {"file": 1, "page": 1}
    assert rows[2]["ranks"]["hybrid"]["page"] is None
    summary = last["summary"]
    assert (summary["questions"], summary["k"]) == (4, 10)
    scores = summary["files"]["hybrid"]
    assert scores.keys() == {"questions", "hit@1", "hit@3", "hit@5", "hit@10", "mrr@10", "ndcg@10"}
    first = [row["ranks"]["hybrid"]["file"] for row in rows]
    assert scores["hit@1"] == sum(rank == 1 for rank in first) / 4
    assert scores["mrr@10"] == pytest.approx(sum(1 / rank for rank in first if rank) / 4, abs=1e-4)


def test_one_mode_alone(sample_footnote: Footnote, questions: Path) -> None:
    result = sample_footnote("evaluate", questions, "--mode", "keyword", "--json")
    assert result.rows[-1]["summary"]["best"] == "keyword"
    assert result.rows[0]["ranks"].keys() == {"keyword"}


def test_bad_rows_stop_it_and_can_be_left_out(sample_footnote: Footnote, tmp_path: Path) -> None:
    path = tmp_path / "questions.csv"
    path.write_text(
        "question,file,page\nWater?,Gardn handbook.pdf,2\nWater?,Garden handbook.pdf,9\n,x.pdf,\n"
        "How often may I water?,Garden handbook.pdf,2\n",
        encoding="utf-8",
    )
    result = sample_footnote("evaluate", path)
    assert (result.status, result.out) == (2, "")
    assert "line 2: “Gardn handbook.pdf” is not in the library; did you mean “Garden handbook.pdf”?" in result.err
    assert "line 3: “Garden handbook.pdf” has 4 pages" in result.err
    assert "line 4: no question" in result.err
    assert "--skip-bad" in result.err
    result = sample_footnote("evaluate", path, "--skip-bad", "--json")
    assert result.status == 0
    assert result.rows[-1]["summary"]["questions"] == 1
    assert "line 2" in result.err


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), ("question,file\ncaf\xe9,x".encode("latin-1"), "not UTF-8"), (b"a,b\n1,2\n", "name the columns")],
)
def test_files_that_cannot_be_used(sample_footnote: Footnote, tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "questions.csv"
    path.write_bytes(content)
    result = sample_footnote("evaluate", path)
    assert result.status == 2
    assert words in result.err
    assert "Traceback" not in result.err


def test_what_is_asked_for_must_be_clear(sample_footnote: Footnote, tmp_path: Path, questions: Path) -> None:
    assert sample_footnote("evaluate").status == 2
    assert sample_footnote("evaluate", questions, "--from-feedback").status == 2
    assert sample_footnote("evaluate", questions, "-k", "0").status == 2
    missing = sample_footnote("evaluate", tmp_path / "nowhere.csv")
    assert (missing.status, "nowhere.csv can't be read" in missing.err) == (2, True)


def test_an_empty_library_says_so(footnote: Footnote, questions: Path) -> None:
    result = footnote("evaluate", questions)
    assert result.status == 2
    assert "The library is empty" in result.err


def test_it_works_beside_a_process_that_writes(footnote: Footnote, questions: Path, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("The gate closes at sunset.", encoding="utf-8")
    assert footnote("ingest", tmp_path / "note.txt").status == 0
    questions.write_text('{"question": "When does the gate close?", "file": "note.txt"}', encoding="utf-8")
    with open_services(os.environ | {"FOOTNOTE_HOME": str(footnote.home)}, writer=True):
        result = footnote("evaluate", questions, "--json")
    assert result.status == 0, result.err
    assert result.rows[0]["ranks"]["hybrid"]["file"] == 1


def answered(chats: Path, question: str, citation: Citation) -> int:
    """Store a question and an answer as the window would. Returns the id of the answer."""
    database = open_chats(chats)
    store = SessionStore(database)
    session = store.create()
    store.add_message(session.id, "user", question)
    answer = store.add_message(session.id, "assistant", "At sunset. [1]", citations=[citation])
    database.close()
    return answer.id


def test_what_the_window_kept_is_scored_and_forgotten(footnote: Footnote, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("The gate closes at sunset.", encoding="utf-8")
    assert footnote("ingest", tmp_path / "note.txt").status == 0
    nothing = footnote("evaluate", "--from-feedback")
    assert (nothing.status, "no examples yet" in nothing.err) == (2, True)
    with open_services(os.environ | {"FOOTNOTE_HOME": str(footnote.home)}, writer=True) as services:
        [record] = services.library.documents()
        quote = "The gate closes at sunset."
        citation = Citation(1, record.id, record.path, "note", record.content_hash, 0, len(quote), quote)
        answer = answered(services.paths.chats_db, "When does the gate close?", citation)
        services.measuring.feedback.judge(answer, Judgement.UP)
    result = footnote("evaluate", "--from-feedback", "--json")
    assert result.status == 0, result.err
    [row, last] = result.rows
    assert (row["line"], row["question"]) == (None, "When does the gate close?")
    assert row["ranks"]["hybrid"] == {"file": 1, "page": 1}
    assert last["summary"]["files"]["hybrid"]["ndcg@10"] == 1
    assert footnote("evaluate", "--clear-feedback", "--json").rows == [{"cleared": 1}]
    assert footnote("evaluate", "--from-feedback").status == 2
