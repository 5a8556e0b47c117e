"""Models that can be downloaded: what they are good for, and how they are to be used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.domain.errors import BadInputError, ModelFileError
from app.retrieval.model_verification import read_json

EMBEDDING, RERANKER = "embedding", "reranker"
ANY_LANGUAGE = "*"
NOTE = "footnote-model.json"
"""Lies beside the files of a downloaded model and says what they are. Written last: without it there is no model."""

POOLINGS = frozenset({"mean", "cls", "last", ""})


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """A model of the catalogue. Sizes in megabytes, ``dimension`` 0 for rerankers; ``onnx``, ``tokenizer`` and
    ``extra`` are paths in ``repository``. ``pooling`` is how token vectors become one; "" where the model does it.
    """

    name: str
    kind: str
    repository: str
    onnx: str
    tokenizer: str
    languages: tuple[str, ...]
    language_note: str
    megabytes: int
    dimension: int
    max_tokens: int
    speed: str
    licence: str
    query_prompt: str = ""
    passage_prompt: str = ""
    pooling: str = "mean"
    extra: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The files to download, as paths in the repository."""
        return (self.onnx, self.tokenizer, *self.extra)

    def knows(self, languages: Sequence[str]) -> bool:
        """Whether it was made for all of these ISO 639-1 codes."""
        return ANY_LANGUAGE in self.languages or set(languages) <= set(self.languages)


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model's folder with its note: the entry, the commit, and the SHA-256 of each file by its path."""

    folder: Path
    model: CatalogueModel
    commit: str
    sha256: dict[str, str]

    def save(self) -> None:
        """Write the note. May raise OSError."""
        note = {"model": asdict(self.model), "commit": self.commit, "sha256": self.sha256}
        aside = self.folder / f"{NOTE}.new"
        aside.write_text(json.dumps(note, indent=1), encoding="utf-8")
        aside.replace(self.folder / NOTE)


class Catalogue:
    """The models in a JSON file, in its order. Raises ``ModelFileError`` if it can't be read."""

    def __init__(self, path: Path) -> None:
        try:
            self.models = tuple(_model(entry) for entry in read_json(path)["models"])
        except (KeyError, TypeError) as error:
            raise ModelFileError(f"The catalogue of models {path} is damaged. Install Footnote again.") from error

    def of_kind(self, kind: str) -> tuple[CatalogueModel, ...]:
        """``EMBEDDING`` models or ``RERANKER`` models."""
        return tuple(model for model in self.models if model.kind == kind)

    def model(self, name: str, kind: str) -> CatalogueModel:
        """The model of that name. Raises ``BadInputError`` where there is none."""
        for model in self.of_kind(kind):
            if model.name == name:
                return model
        names = ", ".join(model.name for model in self.of_kind(kind))
        raise BadInputError(f"There is no {kind} model “{name}” in the catalogue. There are: {names}.")

    def first_for(self, languages: Sequence[str]) -> CatalogueModel | None:
        """The first embedding model that knows all the languages: the catalogue begins with what suits most."""
        return next((model for model in self.of_kind(EMBEDDING) if model.knows(languages)), None)


def installed_model(folder: Path) -> InstalledModel | None:
    """What the note in ``folder`` says; None where there is none. Raises ``ModelFileError`` for one that is damaged."""
    note = read_json(folder / NOTE)
    if note == {}:
        return None
    try:
        digests = {str(path): str(digest) for path, digest in note["sha256"].items()}
        return InstalledModel(folder, _model(note["model"]), str(note["commit"]), digests)
    except (AttributeError, KeyError, TypeError) as error:
        raise ModelFileError(f"The model file {folder / NOTE} is damaged. Download the model again.") from error


def _model(entry: dict[str, Any]) -> CatalogueModel:
    lists = {name: tuple(map(str, entry.get(name, ()))) for name in ("languages", "extra")}
    model = CatalogueModel(**(entry | lists))
    if model.pooling not in POOLINGS or model.kind not in {EMBEDDING, RERANKER} or model.max_tokens < 1:
        raise KeyError(model.name)
    return model
