"""What of an answer takes time to set: colours of code and formulas. Both are worked out in the background, once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from app.gui.formulas import Formula, set_formula
from app.gui.jobs import JobRunner

Spans = Sequence[tuple[int, int, str]]
LONGEST_COLOURED = 60_000
LONGEST_FORMULA = 2_000
KEPT_CODES, KEPT_FORMULAS = 200, 2_000


class Typesetting(QObject):
    """Without a runner nothing is worked out, and code stays plain and formulas stay as they were typed.

    Signals: ``formulas_ready`` when more formulas are known.
    """

    formulas_ready = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._runner: JobRunner | None = None
        self._spans: OrderedDict[tuple[str, str], Spans] = OrderedDict()
        self._formulas: OrderedDict[tuple[str, bool], Formula | None] = OrderedDict()
        self._asked: set[tuple[str, bool]] = set()

    def attach(self, runner: JobRunner) -> None:
        """Work in the background from now on."""
        self._runner = runner

    def colour(self, code: str, language: str, on_spans: Callable[[Spans], None]) -> None:
        """Call ``on_spans`` with what is coloured in ``code``, at once if that is known; never for plain text."""
        key = (code, language)
        known = self._spans.get(key)
        if known is not None:
            on_spans(known)
        elif self._runner is not None and language and len(code) <= LONGEST_COLOURED:

            def keep(spans: Spans) -> None:
                _remember(self._spans, key, spans, KEPT_CODES)
                on_spans(spans)

            self._runner.run(lambda: spans_of(code, language), keep)

    def formula(self, tex: str, *, display: bool) -> Formula | None:
        """A formula as it is drawn. None while that is being worked out, and for what is no formula."""
        key = (tex, display)
        if key in self._formulas:
            return self._formulas[key]
        if self._runner is not None and key not in self._asked and len(tex) <= LONGEST_FORMULA:
            self._asked.add(key)
            self._runner.run(lambda: set_formula(tex, display=display), lambda found: self._on_set(key, found))
        return None

    def _on_set(self, key: tuple[str, bool], formula: Formula | None) -> None:
        self._asked.discard(key)
        _remember(self._formulas, key, formula, KEPT_FORMULAS)
        self.formulas_ready.emit()


def spans_of(code: str, language: str) -> Spans:
    """What is coloured in ``code``: start, length and role, counted in the UTF-16 units of Qt."""
    from app.gui.code_tokens import code_spans

    found = list(code_spans(code, language))
    if code.isascii() or all(ord(character) < 0x10000 for character in code):
        return found
    units = [0]
    for character in code:
        units.append(units[-1] + (2 if ord(character) >= 0x10000 else 1))
    return [(units[start], units[start + length] - units[start], role) for start, length, role in found]


def _remember(store: OrderedDict, key: object, value: object, most: int) -> None:  # type: ignore[type-arg]  # any of them
    store[key] = value
    while len(store) > most:
        store.popitem(last=False)
