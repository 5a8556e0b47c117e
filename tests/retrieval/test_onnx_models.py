"""Downloaded ONNX models embed and rank without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.domain.errors import ModelFileError
from app.retrieval.model_catalogue import RERANKER, Catalogue, installed_model
from app.retrieval.onnx_embedder import OnnxEmbedder
from app.retrieval.reranker import OnnxReranker, SecondRanking, open_reranker
from app.settings.resources import resource
from tests.retrieval.tiny_onnx import WORDS, catalogue_model, token_table, write_tiny_onnx


def vectors_of(text: str) -> NDArray[np.float32]:
    ids = [WORDS.index(word) if word in WORDS else 3 for word in f"[CLS] {text} [SEP]".split()]
    return token_table(8)[ids]


def unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = vector / np.linalg.norm(vector)
    return result


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_vectors_are_pooled_as_the_catalogue_says(tmp_path: Path, pooling: str) -> None:
    embedder = OnnxEmbedder(write_tiny_onnx(tmp_path, catalogue_model(pooling=pooling)))
    texts = ["boat river", "ice", "winter river boat ice winter boat", ""]
    found = embedder.embed_passages(texts)
    for vector, text in zip(found, texts, strict=True):
        tokens = vectors_of(f"passage: {text}")
        expected = {"mean": tokens.mean(axis=0), "cls": tokens[0], "last": tokens[-1]}[pooling]
        assert vector == pytest.approx(unit(expected), abs=1e-5)
    asked = {"mean": vectors_of("query: ice").mean(axis=0), "cls": token_table(8)[1], "last": token_table(8)[2]}
    assert embedder.embed_query("ice") == pytest.approx(unit(asked[pooling]), abs=1e-5)
    embedder.close()


def test_words_have_the_vectors_of_their_tokens(tmp_path: Path) -> None:
    embedder = OnnxEmbedder(write_tiny_onnx(tmp_path, catalogue_model()))
    passage = embedder.embed_words(["boat river"])[0]
    question = embedder.embed_words(["ice"], query=True)[0]
    assert passage.text == pytest.approx(embedder.embed_passages(["boat river"])[0], abs=1e-5)
    assert question.text == pytest.approx(embedder.embed_query("ice"), abs=1e-5)
    assert passage.spans == ((0, 4), (5, 10))
    for word, vector in zip(passage.words, vectors_of("boat river")[1:-1], strict=True):
        assert word == pytest.approx(unit(vector), abs=1e-5)
    embedder.close()


def test_long_texts_are_cut_and_counted_whole(tmp_path: Path) -> None:
    embedder = OnnxEmbedder(write_tiny_onnx(tmp_path, catalogue_model()))
    long = "boat " * 100
    assert embedder.count_tokens([long, "", "a \ud800 b"]) == [102, 2, 5]
    assert embedder.embed_passages([long])[0] == pytest.approx(embedder.embed_passages([long + "ice"])[0])
    assert embedder.embed_passages([]).shape == (0, 8)
    embedder.close()


def test_many_texts_come_back_in_order(tmp_path: Path) -> None:
    embedder = OnnxEmbedder(write_tiny_onnx(tmp_path, catalogue_model()))
    texts = [" ".join(WORDS[6 + (n + m) % 7] for m in range(n % 12)) for n in range(300)]
    together = embedder.embed_passages(texts)
    for place in (0, 7, 150, 299):
        assert together[place] == pytest.approx(embedder.embed_passages([texts[place]])[0], abs=1e-5)
    embedder.close()


def test_an_altered_or_missing_file_is_refused(tmp_path: Path) -> None:
    installed = write_tiny_onnx(tmp_path, catalogue_model())
    graph = tmp_path / installed.model.onnx
    graph.write_bytes(graph.read_bytes() + b"\0")
    with pytest.raises(ModelFileError, match="checksum"):
        OnnxEmbedder(installed).embed_query("ice")
    graph.unlink()
    with pytest.raises(ModelFileError, match="can't be read"):
        OnnxEmbedder(installed).embed_query("ice")


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    model = catalogue_model()
    write_tiny_onnx(tmp_path, model)
    (tmp_path / model.onnx).write_bytes(b"no model at all")
    installed = installed_model(tmp_path)
    assert installed is not None
    from app.retrieval.model_verification import sha256_of

    installed.sha256[model.onnx] = sha256_of(tmp_path / model.onnx)
    with pytest.raises(ModelFileError, match="can't be loaded"):
        OnnxEmbedder(installed).embed_query("ice")


def test_a_model_of_another_width_than_stated_is_refused(tmp_path: Path) -> None:
    installed = write_tiny_onnx(tmp_path, catalogue_model(dimension=8))
    object.__setattr__(installed, "model", catalogue_model(dimension=9))
    with pytest.raises(ModelFileError, match="9"):
        OnnxEmbedder(installed).embed_query("ice")
    with pytest.raises(ModelFileError, match="9"):
        OnnxEmbedder(installed).embed_words(["ice"])


def test_a_reranker_orders_by_question_and_passage(tmp_path: Path) -> None:
    reranker = open_reranker(str(write_tiny_onnx(tmp_path, catalogue_model(RERANKER)).folder))
    assert reranker is not None
    assert reranker.scores("boat ice", ["winter", "boat", "ice boat ice"]) == [0.0, 1.0, 3.0]
    assert reranker.scores("boat", []) == []
    reranker.close()


def test_the_best_are_ranked_again_and_the_rest_stays(tmp_path: Path) -> None:
    folder = str(write_tiny_onnx(tmp_path, catalogue_model(RERANKER)).folder)
    second = SecondRanking(lambda: folder, budget=60.0)
    texts = ["winter", "boat", "boat boat"]
    assert second.ordered("boat", ["a", "b", "c", "d", "e"], texts) == ["c", "b", "a", "d", "e"]


def test_the_budget_ends_the_second_ranking(tmp_path: Path) -> None:
    installed = write_tiny_onnx(tmp_path, catalogue_model(RERANKER))
    times = iter([0.0, 0.5, 2.0, 3.0])
    second = SecondRanking(lambda: "any", lambda folder: OnnxReranker(installed), budget=1.0, clock=lambda: next(times))
    texts = ["ice"] * 11 + ["boat"] + ["boat boat"] * 8
    ordered = second.ordered("boat", list(range(20)), texts)
    assert ordered == [11, *range(11), *range(12, 20)]


def test_a_reranker_that_fails_leaves_the_first_order(tmp_path: Path) -> None:
    installed = write_tiny_onnx(tmp_path, catalogue_model(RERANKER))
    (tmp_path / installed.model.onnx).unlink()
    second = SecondRanking(lambda: str(tmp_path))
    assert second.ordered("boat", ["a", "b"], ["ice", "boat"]) == ["a", "b"]
    assert SecondRanking(lambda: str(tmp_path / "none")).ordered("boat", ["a", "b"], ["ice", "boat"]) == ["a", "b"]
    assert not SecondRanking(lambda: "").active


def test_no_torch_is_imported(tmp_path: Path) -> None:
    write_tiny_onnx(tmp_path, catalogue_model())
    code = (
        "import sys; from pathlib import Path\n"
        "from app.retrieval.model_catalogue import installed_model\n"
        "from app.retrieval.onnx_embedder import OnnxEmbedder\n"
        "OnnxEmbedder(installed_model(Path(sys.argv[1]))).embed_query('ice')\n"
        "sys.exit('torch' in sys.modules or 'onnx' in sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", code, str(tmp_path)], timeout=120, check=False)
    assert finished.returncode == 0


def test_the_catalogue_that_ships_can_be_used() -> None:
    catalogue = Catalogue(resource("models", "catalogue.json"))
    assert len({model.name for model in catalogue.models}) == len(catalogue.models) > 4
    first = catalogue.first_for(["es", "zh"])
    assert first == catalogue.model("multilingual-e5-small", "embedding")
    assert first.knows(["es", "zh"])
    assert not catalogue.model("bge-small-en-v1.5", "embedding").knows(["es"])


def test_a_damaged_catalogue_or_note_is_told(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.json"
    for content in ("{}", "[]", '{"models": [{"name": "x"}]}'):
        path.write_text(content)
        with pytest.raises(ModelFileError, match="damaged"):
            Catalogue(path)
    (tmp_path / "footnote-model.json").write_text('{"model": 5}')
    with pytest.raises(ModelFileError, match="damaged"):
        installed_model(tmp_path)
    assert installed_model(tmp_path / "nowhere") is None
