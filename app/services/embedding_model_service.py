"""Search models of the catalogue: listed, downloaded, checked, and one of them proposed."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from app.domain.cancellation import CancelToken
from app.domain.errors import BadInputError, ModelFileError
from app.network.downloads import HUB, HubDownloads, HubModel, offline_reason
from app.network.file_download import FileDownload
from app.network.http import HttpFactory
from app.retrieval.embedding_models import EMBEDDING_MODEL, Settings
from app.retrieval.function_words import text_language
from app.retrieval.model_catalogue import EMBEDDING, Catalogue, CatalogueModel, InstalledModel, installed_model
from app.retrieval.model_verification import read_json, verify_files
from app.retrieval.query_language import LATIN, query_script
from app.retrieval.search_text import unspaced_share
from app.storage.library_store import LibraryStore

SAMPLE = 400
"""Passages whose language is looked at."""

FOREIGN_SHARE = 0.15
"""A multilingual model is proposed when so much of the sample is not English."""

HUB_VARIABLE = "HF_ENDPOINT"
ENGLISH, UNSPACED, OTHER = "en", "zh", "other"
_MOST_UNSPACED = 0.3

Progress = Callable[[str, int], None]
Work = Coroutine[Any, Any, None]


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model of the catalogue as it is here. ``folder`` is where it lies, None if it is not downloaded."""

    model: CatalogueModel
    folder: Path | None
    in_use: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """A better model for this library: why, and what it costs to get. ``languages`` are shares of the passages."""

    model: CatalogueModel
    languages: dict[str, float]
    why: str

    @property
    def reason(self) -> str:
        """Why, and the command that gets it."""
        return f"{self.why}: footnote models embedding download {self.model.name}"


class EmbeddingModelService:
    """Methods block on the network and the disk. ``hub`` runs one download, given what to do with a hub.

    Raise ``DownloadError``, ``ModelFileError``, ``BadInputError`` for an unknown name, ``WorkCancelledError``.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        models_dir: Path,
        settings: Settings,
        store: LibraryStore,
        hub: Callable[[Callable[[HubDownloads], Work], CancelToken], None],
    ) -> None:
        self._catalogue = catalogue
        self._models_dir = models_dir
        self._settings = settings
        self._store = store
        self._hub = hub

    def models(self, kind: str = EMBEDDING) -> list[ModelView]:
        """All of a kind, in the catalogue's order."""
        used = self._settings[EMBEDDING_MODEL]
        views = []
        for model in self._catalogue.of_kind(kind):
            folder = self.folder(model)
            here = installed_model(folder) is not None
            views.append(ModelView(model, folder if here else None, here and used == str(folder)))
        return views

    def serving(self) -> str:
        """The key of the model that the library's vectors are of, thus that answers; "" before anything was read."""
        record = self._store.serving_model()
        return record.model_key if record is not None else ""

    def folder(self, model: CatalogueModel) -> Path:
        """Where a model of the catalogue lies once it is downloaded."""
        return self._models_dir / "catalogue" / model.name

    def installed(self, name: str, kind: str = EMBEDDING) -> InstalledModel:
        """A downloaded model. Raises ``BadInputError`` if it is not here."""
        model = self._catalogue.model(name, kind)
        found = installed_model(self.folder(model))
        if found is None:
            raise BadInputError(f"{name} is not here yet. Download it: footnote models {kind} download {name}")
        return found

    def download(
        self,
        name: str,
        kind: str = EMBEDDING,
        progress: Progress = lambda path, present: None,
        cancel: CancelToken | None = None,
    ) -> InstalledModel:
        """Fetch a model, or what is missing of it, and check every file.

        The first download takes the checksums that the hub states and records them; any later one must bring the same
        files.
        """
        model = self._catalogue.model(name, kind)
        folder, token = self.folder(model), cancel or CancelToken()
        present = installed_model(folder)
        if present is not None:
            verify_files(folder, present.sha256)
            return present
        fetched: list[HubModel] = []

        async def fetch(hub: HubDownloads) -> None:
            pinned = self._recorded(model) or await self._pinned(hub, model)
            fetched.append(pinned)
            if not folder.exists():
                folder.parent.mkdir(parents=True, exist_ok=True)
                await hub.download(pinned, folder, progress, token)

        self._hub(fetch, token)
        verify_files(folder, fetched[0].sha256)  # the folder may be of a run that ended before its note was written
        installed = InstalledModel(folder, model, fetched[0].commit, dict(fetched[0].sha256))
        self._record(fetched[0])
        installed.save()
        return installed

    def proposal(self, interface_language: str = ENGLISH) -> Proposal | None:
        """A multilingual model where the documents or the interface are not English and the model in use is."""
        used = self._settings[EMBEDDING_MODEL]
        installed = installed_model(Path(used)) if used else None
        shares = self.languages()
        foreign = {code: share for code, share in shares.items() if code != ENGLISH}
        wanted = {*foreign, interface_language.partition("-")[0]} - {ENGLISH}
        if sum(foreign.values()) < FOREIGN_SHARE and interface_language.startswith(ENGLISH):
            return None
        if used and (installed is None or installed.model.knows(sorted(wanted))):
            return None  # whoever chose a folder of their own knows what is in it
        model = self._catalogue.first_for(sorted(wanted))
        if model is None:
            return None
        share = round(100 * sum(foreign.values()))
        subject = f"{share}% of your passages are" if share else "The language of the window is"
        why = (
            f"{subject} not in English, which is all the search model knows. {model.name} ({model.megabytes} MB,"
            f" {model.language_note}) would find them by meaning too"
        )
        return Proposal(model, shares, why)

    def languages(self) -> dict[str, float]:
        """Shares of the languages in a sample of the passages, by ISO 639-1 code, the largest first.

        Scripts written without spaces count as ``zh``, what can't be told as ``other``.
        """
        count = self._store.chunk_count()
        if not count:
            return {}
        ids = random.Random(count).sample(range(1, 2 * count + 1), min(SAMPLE, 2 * count))
        texts = [row[1] for row in self._store.search_rows_of(ids)]
        texts = texts or [row[1] for row in islice(self._store.search_rows(), SAMPLE)]
        counts = Counter(_language(text) for text in texts)
        return {code: number / len(texts) for code, number in counts.most_common()}

    async def _pinned(self, hub: HubDownloads, model: CatalogueModel) -> HubModel:
        commit = await hub.newest_commit(model.repository)
        return await hub.pinned(model.repository, commit, model.files)

    @property
    def _records(self) -> Path:
        return self._models_dir / "downloads.json"

    def _recorded(self, model: CatalogueModel) -> HubModel | None:
        """The files as they were at the first download. Raises ``ModelFileError`` for a damaged record."""
        try:
            entry = read_json(self._records).get(model.repository)
            if entry is None or not set(model.files) <= set(entry["sha256"]):
                return None
            return HubModel(model.repository, entry["commit"], {path: entry["sha256"][path] for path in model.files})
        except (AttributeError, KeyError, TypeError) as error:
            raise ModelFileError(f"{self._records} is damaged. Remove it to download models anew.") from error

    def _record(self, model: HubModel) -> None:
        known = read_json(self._records) | {model.repository: {"commit": model.commit, "sha256": dict(model.sha256)}}
        aside = self._records.with_name(f"{self._records.name}.new")
        aside.write_text(json.dumps(known, indent=1), encoding="utf-8")
        aside.replace(self._records)


def _language(text: str) -> str:
    if unspaced_share(text) >= _MOST_UNSPACED:
        return UNSPACED
    if (language := text_language(text.split(" "))) is not None:
        return language
    return ENGLISH if query_script(text) == LATIN else OTHER


def hub_runner(
    run: Callable[[Work, CancelToken], None], environ: Mapping[str, str]
) -> Callable[[Callable[[HubDownloads], Work], CancelToken], None]:
    """What ``EmbeddingModelService`` calls for a download. ``run`` runs a coroutine on a loop and waits for it.

    ``HF_ENDPOINT`` names another hub, ``HF_HUB_OFFLINE`` forbids all.
    """

    def with_hub(work: Callable[[HubDownloads], Work], cancel: CancelToken) -> None:
        async def opened() -> None:
            http = HttpFactory()
            try:
                hub = environ.get(HUB_VARIABLE, "") or HUB
                await work(HubDownloads(FileDownload(http), lambda: offline_reason(environ), hub))
            finally:
                await http.aclose()

        run(opened(), cancel)

    return with_hub
