"""Search measured on questions of one's own: what rows mean, what is scored, and what the user is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.citations import Citation
from app.domain.feedback import Judgement
from app.domain.passages import SearchMode
from app.retrieval.ranking_metrics import first_rank
from app.services.evaluation import EvaluationReport
from app.services.evaluation_file import QuestionRow
from app.services.evaluation_targets import EvaluationQuestion, quote_spans
from tests.services.evaluation_rig import EvaluationRig

PAGES = ("The gate opens at seven.", "Water comes from the well.", "Turn the compost in March.")
SEEDS = ("Tomato seeds keep for five years.", "Lettuce seeds keep for three years.")
MODES = tuple(SearchMode)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[EvaluationRig]:
    rig = EvaluationRig(tmp_path)
    rig.put("garden/handbook.pdf", PAGES, paged=True)
    rig.put("garden/seeds [2024].txt", SEEDS)
    rig.put("home/handbook.pdf", ["The boiler is serviced in May."], paged=True)
    yield rig
    rig.close()


def row(
    question: str, *files: str, line: int = 1, page: int | None = None, quote: str = "", **where: str
) -> QuestionRow:
    return QuestionRow(line, question, files, page, quote, **where)


def problem(rig: EvaluationRig, *rows: QuestionRow) -> str:
    questions, problems = rig.measuring.evaluation.resolve(rows)
    assert questions == []
    return "; ".join(each.message for each in problems)


def only(rig: EvaluationRig, *rows: QuestionRow) -> EvaluationQuestion:
    [question], problems = rig.measuring.evaluation.resolve(rows)
    assert problems == []
    return question


def names(rig: EvaluationRig, question: EvaluationQuestion) -> set[str]:
    ids = {each for target in question.targets for each in target.document_ids}
    return {str(rig.store.document(each).path.relative_to(rig.folder)) for each in ids}


def score(rig: EvaluationRig, *rows: QuestionRow, depth: int = 10) -> EvaluationReport:
    questions, problems = rig.measuring.evaluation.resolve(rows)
    assert problems == []
    return rig.measuring.evaluation.score(questions, modes=MODES, depth=depth)


@pytest.mark.parametrize(
    ("file", "found"),
    [
        ("seeds [2024].txt", {"garden/seeds [2024].txt"}),
        ("SEEDS [2024].TXT", {"garden/seeds [2024].txt"}),
        ("seeds [2024]", {"garden/seeds [2024].txt"}),
        ("handbook.pdf", {"garden/handbook.pdf", "home/handbook.pdf"}),
        ("garden/handbook.pdf", {"garden/handbook.pdf"}),
        ("*.txt", {"garden/seeds [2024].txt"}),
        ("garden/*", {"garden/handbook.pdf", "garden/seeds [2024].txt"}),
    ],
)
def test_files_are_named_by_name_path_or_pattern(rig: EvaluationRig, file: str, found: set[str]) -> None:
    assert names(rig, only(rig, row("q", file))) == found


def test_a_whole_path_means_that_file_only(rig: EvaluationRig) -> None:
    assert names(rig, only(rig, row("q", str(rig.folder / "home" / "handbook.pdf")))) == {"home/handbook.pdf"}
    assert "not in the library" in problem(rig, row("q", str(rig.folder / "elsewhere" / "handbook.pdf")))


def test_what_is_not_there_is_told_with_what_is_like_it(rig: EvaluationRig) -> None:
    rig.fail("broken.pdf")
    assert "did you mean “handbook.pdf”?" in problem(rig, row("q", "handbok.pdf"))
    assert "did you mean “seeds [2024].txt”?" in problem(rig, row("q", "seeds"))
    assert "no file fits the pattern" in problem(rig, row("q", "*.docx"))
    assert "not readable" in problem(rig, row("q", "broken.pdf"))
    assert "not in the library" in problem(rig, row("q", "~$lock.docx"))


def test_pages_and_quotes_are_checked(rig: EvaluationRig) -> None:
    book = "garden/handbook.pdf"
    assert "has 3 pages" in problem(rig, row("q", book, page=4))
    assert "has no pages" in problem(rig, row("q", "seeds [2024].txt", page=1))
    assert "does not hold the quote" in problem(rig, row("q", book, quote="gates open at eight"))
    assert "on page 2" in problem(rig, row("q", book, quote="water comes", page=1))
    [target] = only(rig, row("q", book, quote="WATER\n comes")).targets
    assert {page for _, page in target.pages} == {2}


def test_rows_of_one_question_are_one_question(rig: EvaluationRig) -> None:
    rows = [row("q", "garden/handbook.pdf"), row("q", "seeds [2024].txt", line=2), row("p", "*.txt", line=3)]
    questions, _ = rig.measuring.evaluation.resolve(rows)
    assert [(each.text, len(each.targets), each.line) for each in questions] == [("q", 2, 1), ("p", 1, 3)]


def test_a_search_within_a_folder_or_a_collection(rig: EvaluationRig) -> None:
    question = only(rig, row("handbook", "handbook.pdf", folder="home"))
    report = rig.measuring.evaluation.score([question], modes=MODES)
    assert all(ranks.first == rig.folder / "home" / "handbook.pdf" for ranks in report.results[0].ranks.values())
    assert "holds nothing in a folder" in problem(rig, row("q", "handbook.pdf", folder="attic"))
    assert "not in the folder" in problem(rig, row("q", "seeds [2024].txt", folder="home"))
    collection = rig.store.add_collection("Winter")
    [seeds] = rig.store.documents_by_path([rig.folder / "garden" / "seeds [2024].txt"]).values()
    rig.store.add_to_collection(collection, [seeds.id])
    question = only(rig, row("gate", "seeds [2024].txt", collection="winter"))
    report = rig.measuring.evaluation.score([question], modes=MODES)
    assert report.results[0].ranks[SearchMode.HYBRID].files == (1,)
    assert "did you mean “Winter”?" in problem(rig, row("q", "*.txt", collection="wintr"))


def test_ranks_are_those_of_the_search_itself(rig: EvaluationRig) -> None:
    report = score(rig, row("compost in March", "garden/handbook.pdf", page=3), row("tomato seeds", "*.txt", line=2))
    [first, second] = report.results
    for mode in MODES:
        assert first.ranks[mode].files == (1,)
        assert first.ranks[mode].places == (1,)
        assert second.ranks[mode].places == ()
        assert report.files.scores[mode].hits[1] == 1
    assert report.places is not None
    assert report.places.scores[SearchMode.KEYWORD].questions == 1
    assert report.failed == ()


def test_where_the_file_has_no_pages_the_passage_with_the_quote_counts(rig: EvaluationRig) -> None:
    report = score(rig, row("lettuce seeds", "*.txt", quote="seeds keep for three years"))
    assert report.results[0].ranks[SearchMode.KEYWORD].places == (1,)
    report = score(rig, row("tomato", "*.txt", quote="Lettuce seeds"))
    assert report.results[0].ranks[SearchMode.KEYWORD].files == (1,)
    assert report.results[0].ranks[SearchMode.KEYWORD].places == (None,)


def test_what_is_not_found_within_the_depth_has_failed(rig: EvaluationRig) -> None:
    rows = [row("boiler serviced", "garden/handbook.pdf", line=4), row("boiler", "home/handbook.pdf", line=5)]
    assert [each.question.line for each in score(rig, *rows, depth=1).failed] == [4]
    assert score(rig, *rows, depth=10).failed == ()


def test_the_best_mode_is_named_and_doubt_with_few_questions(rig: EvaluationRig) -> None:
    words = "zzz unheard of"  # no keyword search can find it, any meaning is as good as another
    report = score(rig, row(words, "*"), row("gate opens", "garden/handbook.pdf", line=2))
    assert report.files.best in (SearchMode.HYBRID, SearchMode.DENSE)
    [keyword] = [each for each in report.files.comparisons if each.other is SearchMode.KEYWORD]
    assert (keyword.better, keyword.worse) == (1, 0)
    assert keyword.too_small_to_tell


def test_nothing_to_score_is_a_mistake_of_the_caller(rig: EvaluationRig) -> None:
    with pytest.raises(ValueError, match="nothing"):
        rig.measuring.evaluation.score([], modes=MODES)


# -- examples kept by the window -----------------------------------------------------------------------------------


def answered(rig: EvaluationRig, question: str, document_id: int, quote: str) -> int:
    """An answer that cites ``quote``. Returns the message's id."""
    record = rig.store.document(document_id)
    [(start, end)] = quote_spans(rig.store.document_text(document_id), quote)
    sections = rig.store.sections(document_id)
    page = next(each.page for each in sections if each.start <= start < each.end)
    citation = Citation(1, document_id, record.path, "", record.content_hash, start, end, quote, page)
    session = rig.sessions.create()
    rig.sessions.add_message(session.id, "user", question)
    return rig.sessions.add_message(session.id, "assistant", "So it is. [1]", citations=[citation]).id


def document(rig: EvaluationRig, name: str) -> int:
    [record] = rig.store.documents_by_path([rig.folder / name]).values()
    return record.id


def test_approved_and_opened_places_are_questions_and_rejected_ones_are_not(rig: EvaluationRig) -> None:
    feedback, book = rig.measuring.feedback, document(rig, "garden/handbook.pdf")
    feedback.judge(answered(rig, "When does it open?", book, PAGES[0]), Judgement.UP)
    feedback.citation_opened(answered(rig, "When does it open?", book, PAGES[1]), 1)
    wrong = answered(rig, "Who is chair?", book, PAGES[2])
    feedback.citation_opened(wrong, 1)
    feedback.judge(wrong, Judgement.DOWN)
    kept = rig.measuring.evaluation.kept()
    assert [(each.text, len(each.targets)) for each in kept.questions] == [("When does it open?", 2)]
    assert (kept.rejected, kept.gone) == (1, 0)
    report = rig.measuring.evaluation.score(kept.questions, modes=MODES)
    assert first_rank(report.results[0].ranks[SearchMode.HYBRID].places) is not None


def test_two_places_of_one_page_can_be_found_by_one(rig: EvaluationRig) -> None:
    feedback, book = rig.measuring.feedback, document(rig, "garden/handbook.pdf")
    feedback.citation_opened(answered(rig, "gate opens seven", book, "gate opens"), 1)
    feedback.citation_opened(answered(rig, "gate opens seven", book, "at seven"), 1)
    report = rig.measuring.evaluation.score(rig.measuring.evaluation.kept().questions, modes=(SearchMode.KEYWORD,))
    assert report.places is not None
    assert report.places.scores[SearchMode.KEYWORD].ndcg == 1
    assert report.files.scores[SearchMode.KEYWORD].ndcg == 1


def test_a_file_that_changed_counts_as_a_whole_and_one_that_is_gone_not_at_all(rig: EvaluationRig) -> None:
    feedback = rig.measuring.feedback
    seeds, other = document(rig, "garden/seeds [2024].txt"), document(rig, "home/handbook.pdf")
    feedback.citation_opened(answered(rig, "tomato?", seeds, SEEDS[0]), 1)
    feedback.citation_opened(answered(rig, "boiler?", other, "The boiler"), 1)
    rig.put("garden/seeds [2024].txt", ["Tomato seeds keep for six years."])
    rig.store.remove(other)
    kept = rig.measuring.evaluation.kept()
    [question] = kept.questions
    assert (question.text, kept.gone) == ("tomato?", 1)
    assert not question.targets[0].has_place


def test_a_file_that_moved_is_known_by_its_content(rig: EvaluationRig) -> None:
    seeds = document(rig, "garden/seeds [2024].txt")
    rig.measuring.feedback.citation_opened(answered(rig, "tomato?", seeds, SEEDS[0]), 1)
    rig.store.remove(seeds)
    rig.put("attic/old seeds.txt", SEEDS)
    [question] = rig.measuring.evaluation.kept().questions
    assert names(rig, question) == {"attic/old seeds.txt"}
    assert question.targets[0].has_place


# -- the bench -----------------------------------------------------------------------------------------------------


def test_the_bench_shows_the_rankings_of_the_three_searches(rig: EvaluationRig) -> None:
    rows = rig.measuring.bench.compare("compost")
    assert [each.final_rank for each in rows] == sorted(each.final_rank or 99 for each in rows)
    words = {each.passage.text: each.keyword_rank for each in rows}
    assert words[PAGES[2]] == 1
    assert set(words.values()) == {1, None}
    for each in rows:
        assert (each.keyword_score is None) == (each.keyword_rank is None)
        assert each.cosine is not None
        assert -1 <= each.cosine <= 1.001


def test_the_bench_cuts_each_ranking_where_it_is_asked_to(rig: EvaluationRig) -> None:
    rows = rig.measuring.bench.compare("gate opens seeds", k=1)
    assert 1 <= len(rows) <= 3
    assert all(1 in (each.final_rank, each.dense_rank, each.keyword_rank) for each in rows)


def test_a_passage_of_the_bench_opens_where_it_stands(rig: EvaluationRig) -> None:
    best = rig.measuring.bench.compare("compost in March")[0].passage
    citation = rig.measuring.bench.citation(best)
    assert (citation.quote, citation.page, citation.path) == (PAGES[2], 3, rig.folder / "garden" / "handbook.pdf")
    assert rig.store.document_text(citation.document_id)[citation.start : citation.end] == PAGES[2]


def test_the_final_rank_of_the_bench_is_that_of_the_search(rig: EvaluationRig) -> None:
    rig.put("long.pdf", ["harbour harbour harbour", "harbour wall", "sea wall"], paged=True)
    rows = {each.passage.chunk_id: each for each in rig.measuring.bench.compare("harbour wall")}
    by_score = sorted(rows.values(), key=lambda each: -(each.score or 0))
    assert [each.fused_rank for each in by_score] == list(range(1, len(rows) + 1))
    assert sorted(each.final_rank or 0 for each in rows.values()) == list(range(1, len(rows) + 1))


def test_a_second_ranking_changes_the_final_ranks_and_shows_beside_the_fused_ones(rig: EvaluationRig) -> None:
    before = rig.measuring.bench.compare("gate opens at seven")
    assert {each.reranked_rank for each in before} == {None}
    rig.reranker.folder = "a second model"
    after = rig.measuring.bench.compare("gate opens at seven")
    count = len(after)
    assert [each.fused_rank for each in after] == list(range(count, 0, -1))
    assert [each.reranked_rank for each in after] == [each.final_rank for each in after] == list(range(1, count + 1))
    question = only(rig, row("gate opens at seven", "garden/handbook.pdf", page=1))
    report = rig.measuring.evaluation.score([question], modes=MODES)
    assert report.results[0].ranks[SearchMode.DENSE].places == (1,)
    assert (report.results[0].ranks[SearchMode.HYBRID].places[0] or 0) > 1
