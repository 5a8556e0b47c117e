"""Every command, with text for people, JSON for scripts, and plain words for bad input."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from app.__main__ import SINGLE_THREADED
from tests.cli.conftest import REPOSITORY, Footnote

SAMPLE_FILES = 6


def test_ingest_prints_a_line_a_file_and_a_summary(footnote: Footnote, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("The gate closes at sunset.")
    result = footnote("ingest", tmp_path / "note.txt", "--json")
    assert result.status == 0
    line, summary = result.rows
    assert line.keys() == {"path", "status", "chunks", "pages", "seconds", "error", "warning"}
    assert (line["path"], line["status"], line["chunks"], line["error"]) == (
        str(tmp_path / "note.txt"),
        "ready",
        1,
        None,
    )
    assert summary["summary"].keys() == {"documents", "chunks", "failed", "skipped", "seconds"}
    assert (summary["summary"]["documents"], summary["summary"]["failed"]) == (1, 0)


def test_ingest_fails_with_status_1_and_reads_the_rest(footnote: Footnote, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "good.txt").write_text("The well is deep.")
    (folder / "empty.txt").write_text("")
    result = footnote("ingest", folder, "--json")
    assert result.status == 1
    status = {Path(row["path"]).name: row["status"] for row in result.rows[:-1]}
    assert status == {"good.txt": "ready", "empty.txt": "failed"}
    [failed] = [row for row in result.rows[:-1] if row["status"] == "failed"]
    assert failed["error"]["reason"] == "empty"


def test_a_path_that_does_not_exist_is_bad_input_and_changes_nothing(footnote: Footnote, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("Text.")
    result = footnote("ingest", tmp_path / "note.txt", tmp_path / "nowhere.txt")
    assert result.status == 2
    assert "nowhere.txt" in result.err
    assert "Traceback" not in result.err
    assert footnote("documents", "--json").out == ""


def test_the_version_is_told(footnote: Footnote) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    result = footnote("--version")
    assert (result.status, result.out) == (0, f"footnote {project['version']}\n")


def test_search_lists_the_best_passages(sample_footnote: Footnote) -> None:
    result = sample_footnote("search", "how long do tomato seeds keep", "-k", "3", "--json")
    assert result.status == 0
    assert [row["rank"] for row in result.rows] == [1, 2, 3]
    best = result.rows[0]
    assert best.keys() == {"rank", "score", "path", "title", "page", "start", "end", "text", "ocr_confidence", "url"}
    assert Path(best["path"]).name == "Seed saving.txt"
    assert "five years" in best["text"]
    scores = [row["score"] for row in result.rows]
    assert scores == sorted(scores, reverse=True)


def test_excerpts_leave_out_what_is_far_from_the_best(sample_footnote: Footnote) -> None:
    question = "how long do tomato seeds keep"
    whole = sample_footnote("search", question, "-k", "20", "--json").rows
    rows = sample_footnote("search", question, "-k", "20", "--excerpts", "--json").rows
    assert 1 <= len(rows) < len(whole)
    assert "five years" in rows[0]["text"]
    assert sample_footnote("search", question, "--excerpts", "--mode", "dense").status == 2


@pytest.mark.parametrize("mode", ["hybrid", "dense", "keyword"])
def test_each_mode_finds_the_right_document(sample_footnote: Footnote, mode: str) -> None:
    result = sample_footnote("search", "wasp nest in the tool shed", "--mode", mode, "-k", "1", "--json")
    assert Path(result.rows[0]["path"]).name == "Bees and wasps.html"


def test_a_batch_answers_every_query_in_one_process(sample_footnote: Footnote) -> None:
    lines = 'rain tank\n{"id": "q7", "text": "half plot rent"}\n\n'
    result = sample_footnote("search", "--batch", "-", "-k", "2", "--json", stdin=lines)
    assert result.status == 0
    assert [row["query_id"] for row in result.rows] == ["1", "1", "q7", "q7"]


@pytest.mark.parametrize(
    "query", ['AND "', "title:", "the of and", '"', "*", "a AND (b", "-x", "C++", "don't", "(((", "\\"]
)
def test_query_syntax_is_never_interpreted(sample_footnote: Footnote, query: str) -> None:
    result = sample_footnote("search", "--json", "--", query)
    assert result.status == 0, result.err
    assert "Traceback" not in result.err


def test_ask_answers_with_footnotes(sample_footnote: Footnote) -> None:
    result = sample_footnote("ask", "On which days may I water in a dry summer?", "--json")
    assert result.status == 0, result.err
    [answer] = result.rows
    assert answer.keys() == {"answer", "answered", "sentences", "citations", "model", "timings"}
    assert answer["answered"]
    assert "Tuesdays" in answer["answer"]
    numbers = {citation["n"] for citation in answer["citations"]}
    assert numbers == set(range(1, len(numbers) + 1))
    assert all(number in numbers for sentence in answer["sentences"] for number in sentence["citations"])
    [citation] = [each for each in answer["citations"] if "Tuesdays" in each["quote"]]
    assert Path(citation["path"]).name == "Garden handbook.pdf"
    assert citation["page"] == 2
    assert citation["boxes"]


def test_ask_streams_text_and_lists_its_sources(sample_footnote: Footnote) -> None:
    result = sample_footnote("ask", "What does a half plot cost?")
    assert result.status == 0, result.err
    assert "[1]" in result.out
    assert "Plot prices.csv" in result.out


def test_ask_says_when_the_documents_do_not_tell(sample_footnote: Footnote) -> None:
    [answer] = sample_footnote("ask", "Who won the chess olympiad of 1972?", "--json").rows
    assert not answer["answered"]
    assert answer["citations"] == []


def test_ask_does_not_import_torch_and_doctor_shows_it(sample_footnote: Footnote) -> None:
    code = (
        "import sys\nfrom app.__main__ import main\n"
        "status = main(['ask', 'How long do tomato seeds keep?', '--json'])\n"
        "heavy = sorted({'torch', 'transformers', 'sentence_transformers', 'PySide6'} & set(sys.modules))\n"
        "print(heavy)\nsys.exit(status)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], env=sample_footnote.environment, capture_output=True, text=True, timeout=120
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines()[-1] == "[]"
    [diagnosis] = sample_footnote("doctor", "--json").rows
    assert diagnosis["torch_imported"] is False


def test_a_product_of_matrices_leaves_the_other_cores_alone(sample_footnote: Footnote) -> None:
    environment = {name: value for name, value in sample_footnote.environment.items() if name not in SINGLE_THREADED}
    code = (
        "from app.__main__ import main\nmain(['documents'])\n"
        "import numpy, psutil\n"
        "before = psutil.Process().num_threads()\n"
        "square = numpy.ones((500, 500), dtype=numpy.float32)\nsquare @ square\n"
        "print(before, psutil.Process().num_threads())\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    before, after = finished.stdout.splitlines()[-1].split()
    assert before == after == "1", finished.stderr


def test_documents_and_remove(footnote: Footnote, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The pump has a float switch.")
    (tmp_path / "b.txt").write_text("The hedge is cut in June.")
    footnote("ingest", tmp_path / "a.txt", tmp_path / "b.txt")
    rows = footnote("documents", "--json").rows
    assert [(Path(row["path"]).name, row["state"]) for row in rows] == [("a.txt", "ready"), ("b.txt", "ready")]
    removed = footnote("remove", tmp_path / "a.txt", "--json")
    assert removed.status == 0
    assert (tmp_path / "a.txt").exists()
    assert [Path(row["path"]).name for row in footnote("documents", "--json").rows] == ["b.txt"]
    found = footnote("search", "float switch pump", "--mode", "keyword", "--json").rows
    assert all(Path(row["path"]).name != "a.txt" for row in found)


def test_remove_of_something_unknown_is_bad_input(footnote: Footnote, tmp_path: Path) -> None:
    result = footnote("remove", tmp_path / "unknown.txt")
    assert result.status == 2
    assert "not in the library" in result.err


def test_doctor_finds_a_sound_library(sample_footnote: Footnote) -> None:
    result = sample_footnote("doctor", "--json")
    assert result.status == 0, result.out
    [diagnosis] = result.rows
    assert diagnosis["problems"] == []
    assert diagnosis["documents"]["ready"] == SAMPLE_FILES
    assert diagnosis["index"]["vectors"] == diagnosis["chunks"] == diagnosis["index"]["keyword_chunks"]
    assert "no problems" in sample_footnote("doctor").out


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "x", "-k", "0"],
        ["search"],
        ["search", "x", "--batch", "-"],
        ["search", "--batch", "/nowhere/queries.txt"],
        ["ask", "   "],
        ["ask", "why?", "--model", "no-such-model"],
        ["juggle"],
        ["search", "x", "--mode", "magic"],
    ],
)
def test_bad_input_ends_with_status_2_and_plain_words(footnote: Footnote, arguments: list[str]) -> None:
    result = footnote(*arguments)
    assert result.status == 2
    assert result.err
    assert "Traceback" not in result.err
    assert result.out == ""


def test_a_home_that_is_a_file_is_bad_input(tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.write_text("")
    result = Footnote(home)("documents")
    assert result.status == 2
    assert str(home) in result.err


def test_a_second_writer_is_told_who_owns_the_library(footnote: Footnote, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("Text.")
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, sys\nfrom app.bootstrap import open_services\n"
            "with open_services(os.environ, writer=True):\n    print('open', flush=True)\n    sys.stdin.read()",
        ],
        env=footnote.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "open\n"
        result = footnote("ingest", tmp_path / "note.txt")
        assert result.status == 1
        assert str(holder.pid) in result.err
        assert footnote("documents").status == 0
        holder.stdin.close()
    assert footnote("ingest", tmp_path / "note.txt").status == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_kill_in_the_middle_of_ingestion_is_resumed(footnote: Footnote, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(40):
        text = "\n\n".join(f"Note {number}.{line}: the level was {number * line} millimetres." for line in range(60))
        (folder / f"{number:02}.txt").write_text(text)
    ingest = subprocess.Popen(
        [sys.executable, "-m", "app", "ingest", str(folder), "--json"],
        env=footnote.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    with ingest:
        assert ingest.stdout is not None
        finished_before = [json.loads(ingest.stdout.readline())["path"] for _ in range(5)]
        ingest.send_signal(signal.SIGKILL)
    again = footnote("ingest", folder, "--json")
    assert again.status == 0, again.err
    rows = footnote("documents", "--json").rows
    assert sorted(Path(row["path"]).name for row in rows) == sorted(path.name for path in folder.iterdir())
    assert {row["state"] for row in rows} == {"ready"}
    skipped = {row["path"] for row in again.rows if row.get("status") == "skipped"}
    assert skipped >= set(finished_before)
    [diagnosis] = footnote("doctor", "--json").rows
    assert diagnosis["problems"] == []
    assert diagnosis["index"]["vectors"] == diagnosis["chunks"] == sum(row["chunks"] for row in rows)
