"""The states of the chat for the pictures: a scripted server stands in for a chat model."""

from __future__ import annotations

from collections.abc import Callable

from app.chat_models.providers.openai import LM_STUDIO_URL
from app.gui.desktop import Desktop
from app.gui.ports import Services
from app.gui.widgets.message_widgets import AnswerWidget
from app.gui.widgets.question_widget import QuestionWidget
from tests.chat_models.stub_replies import Close, chat_chunk, chat_stream, sse
from tests.chat_models.stub_server import StubServer

PLOT_RENT = '''Half a plot costs **half the rent** of a whole one [p1], so for $n$ half plots it is

$$r = \\frac{n}{2} \\cdot 40 = \\sqrt{400}\\,n$$

As a small program:

```python
RENT = 40.0  # euros a year


def rent(plots: int, *, half: bool = False) -> float:
    """What a gardener pays in a year."""
    return plots * (RENT / 2 if half else RENT)
```

| plot | rent | water |
|:-----|-----:|:------|
| half | 20 € | shared tap |
| whole | 40 € | own tap |

> Bring the key back when you leave.

1. Ask at the office.
2. Pay by *1 March*, see `rent()`.
'''
THOUGHTS = (
    "The user asks what a half plot costs. The first passage gives the rent of a whole plot and says that half plots "
    "are let at half the price.\nI should give the number, cite the passage, and show the sum."
)


class ChatTour:
    """Asks a scripted model. ``take`` takes a picture, ``wait_for`` waits."""

    def __init__(
        self,
        desktop: Desktop,
        services: Services,
        take: Callable[[str], None],
        wait_for: Callable[[Callable[[], bool], str], None],
    ) -> None:
        self._desktop = desktop
        self._services = services
        self._take = take
        self._wait_for = wait_for

    def run(self) -> None:
        """Take all pictures of the chat."""
        with StubServer() as server:
            self._services.settings.set(LM_STUDIO_URL, f"{server.url}/v1")
            self._desktop.composer.choose_model("lmstudio:qwen3-8b")
            self._rich_answer(server)
            self._branches()
            self._broken_off()
            self._desktop.composer.choose_model("extractive")

    def _rich_answer(self, server: StubServer) -> None:
        thoughts = sse(chat_chunk(reasoning_content=THOUGHTS))
        server.reply(thoughts, chat_stream(*(word + " " for word in PLOT_RENT.split(" "))))
        server.reply(chat_stream("In other words: half the rent of a whole plot. [p1]"))
        server.reply(sse(chat_chunk("The rent is due on 1 March, and whoever pays ")), Close())
        self._desktop.begin_chat()
        self._ask("What does a half plot cost, and how is that worked out?")
        self._take("code-formula-table")
        self._answer.reasoning.unfold()
        self._desktop.window.chat.messages.show_message(0)
        self._take("thoughts")

    def _branches(self) -> None:
        self._desktop.chat.ask_again(self._desktop.messages.entries[-1].id)
        self._wait_for(lambda: not self._desktop.chat.answering, "the second answer")
        self._take("branches")
        question = self._desktop.window.chat.messages.widget_at(self._desktop.messages.rowCount() - 2)
        if isinstance(question, QuestionWidget):
            question.begin_editing()
            self._take("editing")
            question.editor.cancelled.emit()  # type: ignore[union-attr]  # it was just begun

    def _broken_off(self) -> None:
        self._ask("When is the rent due?")
        self._take("broken-off")

    def _ask(self, question: str) -> None:
        self._desktop.ask(question)
        self._wait_for(lambda: not self._desktop.chat.answering, "the answer")

    @property
    def _answer(self) -> AnswerWidget:
        widget = self._desktop.window.chat.messages.widget_at(self._desktop.messages.rowCount() - 1)
        if not isinstance(widget, AnswerWidget):
            raise TypeError("the last message is no answer")
        return widget
