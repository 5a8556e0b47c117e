"""The search model and the size of passages: listed, downloaded, planned, and changed in the background."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.domain.cancellation import CancelToken
from app.domain.errors import UserFacingError, WorkCancelledError
from app.domain.rebuilding import RebuildNews, Rebuilt
from app.gui.jobs import JobRunner
from app.gui.ports import Services
from app.gui.rebuild_words import end_words, model_cost, passage_cost, progress_words
from app.gui.search_models import Catalogue, read_catalogue
from app.gui.theme import Appearance
from app.gui.widgets.search_model_dialog import SearchModelDialog
from app.gui.widgets.toast import Toast
from app.gui.widgets.work_card import WorkCard

DOWNLOAD_STOPPED = "Stopped. What is here is kept; the next download goes on from there."


@dataclass(frozen=True, slots=True)
class _Pending:
    """A change whose cost is on show. ``start`` and ``drop`` run on a worker."""

    start: Callable[[], object]
    drop: Callable[[], object]


class SearchModelController(QObject):
    """``card`` shows in the window what is being made anew. Signals: ``folder_wished``: the user is to pick the folder
    of a model, which ``plan_model`` takes; ``rebuilt``: passages or vectors were made anew, all or some.
    """

    folder_wished = Signal()
    rebuilt = Signal()

    def __init__(self, runner: JobRunner, appearance: Appearance, card: WorkCard, toast: Toast) -> None:
        super().__init__()
        self._runner = runner
        self._appearance = appearance
        self._card = card
        self._toast = toast
        self._services: Services | None = None
        self._pending: _Pending | None = None
        self._catalogue: Catalogue | None = None
        self._downloads: dict[str, CancelToken] = {}
        self._present: dict[str, dict[str, int]] = {}
        self.rebuilding: RebuildNews | None = None
        self.dialog: SearchModelDialog | None = None
        self._post = runner.channel(self._on_news)
        self._post_bytes = runner.channel(self._on_bytes)
        card.stop_wished.connect(self.stop)

    def attach(self, services: Services) -> None:
        """The services are there: go on with what an earlier run left, first the model, then the passages."""
        self._services = services

        def begin() -> None:
            if not services.start_model_change(self._post):
                services.start_chunk_change(self._post)

        self._runner.run(begin)

    def detach(self) -> None:
        """The services will go, and what they do in the background with them."""
        for token in self._downloads.values():
            token.cancel()
        self._drop_pending()
        self._services = None

    # -- the dialog ------------------------------------------------------------------------------------------------

    def open_dialog(self, parent: QWidget) -> None:
        """Show the models and the size of passages."""
        if self._services is None:
            return
        if self.dialog is not None:
            self.dialog.raise_()
            return
        dialog = self.dialog = SearchModelDialog(self._appearance, parent)
        dialog.download_wished.connect(self.download)
        dialog.stop_download_wished.connect(self._stop_download)
        dialog.use_wished.connect(self.plan_model)
        dialog.folder_wished.connect(self.folder_wished)
        dialog.passages_wished.connect(self.plan_passages)
        dialog.start_wished.connect(self._start)
        dialog.not_now_wished.connect(self._not_now)
        dialog.stop_wished.connect(self.stop)
        dialog.proposal.acted.connect(self._take_proposal)
        dialog.finished.connect(self._forget_dialog)
        if self.rebuilding is not None:
            self._show_progress(self.rebuilding)
        self.refresh()
        dialog.open()

    def refresh(self) -> None:
        """Read the models again."""
        services = self._services
        if services is not None and self.dialog is not None:
            self._runner.run(lambda: read_catalogue(services), self._on_catalogue, self._on_refused, group="models")

    def _on_catalogue(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        dialog = self.dialog
        if dialog is None:
            return
        dialog.show_models(catalogue.models, catalogue.tokens)
        for name, files in self._present.items():
            dialog.rows[name].show_download(sum(files.values()))
        proposal = catalogue.proposal
        if proposal is None or self.rebuilding is not None:
            dialog.proposal.hide()
        else:
            here = any(each.name == proposal.model.name and each.folder for each in catalogue.models)
            verb = "Use" if here else "Download"
            dialog.show_proposal(f"{proposal.why}.", f"{verb} {proposal.model.name}")

    def _take_proposal(self) -> None:
        catalogue = self._catalogue
        if catalogue is None or catalogue.proposal is None:
            return
        name = catalogue.proposal.model.name
        folder = next((each.folder for each in catalogue.models if each.name == name), None)
        if folder:
            self.plan_model(folder)
        elif name not in self._downloads:
            self.download(name)

    def _forget_dialog(self) -> None:
        self.dialog = None
        self._drop_pending()

    # -- downloads -------------------------------------------------------------------------------------------------

    def download(self, name: str) -> None:
        """Fetch a model and check every file of it."""
        services = self._services
        if services is None or name in self._downloads:
            return
        token = self._downloads[name] = CancelToken()
        self._present[name] = {}
        self._show_bytes(name)

        def fetch() -> bool:
            try:
                services.embedding_models.download(
                    name, progress=lambda path, present: self._post_bytes((name, path, present)), cancel=token
                )
            except WorkCancelledError:
                return False
            return True

        self._runner.run(
            fetch,
            lambda whole: self._on_download_ended(name, "" if whole else DOWNLOAD_STOPPED),
            lambda error: self._on_download_failed(name, error),
            token=token,
        )

    def _stop_download(self, name: str) -> None:
        token = self._downloads.get(name)
        if token is not None:
            token.cancel()

    def _on_bytes(self, news: Sequence[tuple[str, str, int]]) -> None:
        for name, path, present in news:
            if name in self._present:
                self._present[name][path] = present
        for name in {name for name, _, _ in news}:
            self._show_bytes(name)

    def _show_bytes(self, name: str) -> None:
        if self.dialog is not None and name in self._present and name in self.dialog.rows:
            self.dialog.rows[name].show_download(sum(self._present[name].values()))

    def _on_download_failed(self, name: str, error: Exception) -> None:
        if not isinstance(error, UserFacingError):
            self._on_download_ended(name, "")
            raise error
        self._on_download_ended(name, str(error))

    def _on_download_ended(self, name: str, problem: str) -> None:
        self._downloads.pop(name, None)
        self._present.pop(name, None)
        dialog = self.dialog
        if problem:
            if dialog is not None:
                dialog.rows[name].show_end(problem)
                dialog.rows[name].set_busy(self.rebuilding is not None)
            else:
                self._toast.say(problem)
            return
        if dialog is None:
            self._toast.say(f"{name} is here and checked. Choose it under “Search model and passages”.")
        self.refresh()

    # -- what a change costs ---------------------------------------------------------------------------------------

    def plan_model(self, folder: str) -> None:
        """Work out what the model in a folder costs; "" is the one that comes with Footnote."""
        from app.retrieval.embedding_models import EMBEDDING_MODEL

        self.plan_settings({EMBEDDING_MODEL.key: folder})

    def plan_settings(self, changed: Mapping[str, object]) -> None:
        """Work out what other values of the settings that decide about the model cost, by key."""

        def plan(services: Services) -> tuple[str, _Pending]:
            change = services.model_change(changed)
            try:
                cost = model_cost(change.plan())
            except UserFacingError:
                change.discard()
                raise
            return cost, _Pending(lambda: _start_model(services, changed, change, self._post), change.discard)

        self._plan(plan)

    def plan_passages(self, tokens: int) -> None:
        """Work out what another size of passages costs."""

        def plan(services: Services) -> tuple[str, _Pending]:
            from app.retrieval.text_splitter import CHUNK_TOKENS

            change = services.chunk_change(CHUNK_TOKENS.validate(tokens))
            cost = passage_cost(change.plan())
            return cost, _Pending(lambda: _start_passages(services, tokens, change, self._post), lambda: None)

        self._plan(plan)

    def _plan(self, plan: Callable[[Services], tuple[str, _Pending]]) -> None:
        services, dialog = self._services, self.dialog
        if services is None or dialog is None:
            return
        if self.rebuilding is not None:
            dialog.show_words("Something is being made anew just now. Wait for it, or stop it first.", problem=True)
            return
        self._drop_pending()
        dialog.show_planning()
        self._runner.run(lambda: plan(services), self._on_planned, self._on_refused)

    def _on_planned(self, planned: tuple[str, _Pending]) -> None:
        cost, pending = planned
        self._drop_pending()
        self._pending = pending
        if self.dialog is None:
            self._drop_pending()
        else:
            self.dialog.show_cost(cost)

    def _not_now(self) -> None:
        self._drop_pending()
        if self.dialog is not None:
            self.dialog.hide_cost()

    def _drop_pending(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            self._runner.run(pending.drop)

    def _on_refused(self, error: Exception) -> None:
        if not isinstance(error, UserFacingError):
            raise error
        if self.dialog is not None:
            self.dialog.show_words(str(error), problem=True)
        else:
            self._toast.say(str(error))

    # -- the change ------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None and self.dialog is not None:
            self.dialog.show_rebuild("Beginning…", "", 0, 0)
            self._runner.run(pending.start, None, self._on_not_started)

    def stop(self) -> None:
        """Stop what is being made anew."""
        services = self._services
        if services is not None:
            self._card.show_stopping()
            if self.dialog is not None:
                self.dialog.work.show_stopping()
            self._runner.run(services.stop_changes)

    def _on_not_started(self, error: Exception) -> None:
        if self.dialog is not None:
            self.dialog.show_rebuilt()
        self._on_refused(error)

    def _on_news(self, news: Sequence[RebuildNews]) -> None:
        last = news[-1]
        if not last.ended:
            self.rebuilding = last
            self._show_progress(last)
            return
        self.rebuilding = None
        self._card.hide()
        services = self._services
        if services is None:
            return

        def read() -> str:
            return services.embedding_models.serving()

        self._runner.run(read, lambda serving: self._on_ended(last, serving))

    def _show_progress(self, news: RebuildNews) -> None:
        headline, detail = progress_words(news)
        self._card.show_progress(headline, news.done, news.total, detail)
        if self.dialog is not None:
            self.dialog.show_rebuild(headline, detail, news.done, news.total)

    def _on_ended(self, news: RebuildNews, serving: str) -> None:
        self.rebuilt.emit()
        words = end_words(news, serving)
        services = self._services
        if self.dialog is not None:
            self.dialog.show_rebuilt()
            self.dialog.show_words(words, problem=bool(news.problem))
            self.refresh()
        else:
            self._toast.say(words)
        if services is not None and news.what is Rebuilt.MODEL and not (news.stopped or news.problem):
            self._runner.run(lambda: services.start_chunk_change(self._post))


def _start_model(
    services: Services, changed: Mapping[str, object], change: Any, tell: Callable[[RebuildNews], None]
) -> None:
    """The settings first, so that a run that is cut off goes on at the next start."""
    from app.services.serving_model import CHOICES

    for setting in CHOICES:
        if setting.key in changed:
            services.settings.set(setting, setting.validate(changed[setting.key]))
    services.start_model_change(tell, change)


def _start_passages(services: Services, tokens: int, change: Any, tell: Callable[[RebuildNews], None]) -> None:
    from app.retrieval.text_splitter import CHUNK_TOKENS

    services.settings.set(CHUNK_TOKENS, tokens)
    services.start_chunk_change(tell, change)
