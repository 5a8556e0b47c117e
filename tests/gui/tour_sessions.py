"""The states of the list of chats for the pictures: headings, search, trash, export."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.gui.desktop import Desktop

DAY = 86_400
# Age in days, title, folder, tags, a question and an answer.
CHATS: tuple[tuple[float, str, str, list[str], str], ...] = (
    (0.2, "Water for the summer beds", "", ["garden"], "How much water do the summer beds need?"),
    (1.1, "Rent of the half plot", "Allotment", [], "Has the rent of the half plot changed since spring?"),
    (2.0, "Keys of the tool shed", "Allotment", ["keys"], "Who keeps the second key of the tool shed?"),
    (3.3, "Compost rules", "", [], "What may go on the compost, and what not?"),
    (4.4, "Tomato varieties", "", ["seeds", "garden"], "Which tomato seeds keep for more than four years?"),
    (12.0, "Insurance for the greenhouse", "House", [], "Does the insurance pay for hail on the greenhouse?"),
    (20.0, "Minutes of the members' meeting", "", [], "What was decided about water at the members' meeting?"),
    (45.0, "Fence along the path", "", [], "How high may the fence along the path be?"),
    (80.0, "Bees on the roof", "", [], "Are bees allowed on the roof of the shed, and is water needed there?"),
    (300.0, "Last year's harvest", "", [], "How many kilos of beans did we harvest?"),
)
DELETED = ("chat3", "chat7")


def write_chats(path: Path) -> Path:
    """A file of chats as Footnote exports them."""
    chats = []
    for number, (age, title, folder, tags, question) in enumerate(CHATS):
        moment = time.time() - age * DAY
        texts = (
            ("user", question),
            ("assistant", f"The documents say this about it: {question.lower()[:-1]}. Water is named twice."),
        )
        messages = [
            {
                "id": f"{number}/{place}",
                "parent": f"{number}/0" if place else "",
                "role": role,
                "text": text,
                "created_at": moment,
            }
            for place, (role, text) in enumerate(texts)
        ]
        chat = {"id": f"chat{number}", "title": title, "created_at": moment, "updated_at": moment, "folder": folder}
        chats.append(chat | {"tags": tags, "messages": messages, "archived": age > 200})
    path.write_text(json.dumps({"format": "footnote-chats", "version": 1, "chats": chats}), encoding="utf-8")
    return path


class SessionTour:
    """Leads the window through the states of its list of chats."""

    def __init__(
        self,
        desktop: Desktop,
        take: Callable[..., None],
        wait_for: Callable[[Callable[[], bool], str], None],
    ) -> None:
        self._desktop = desktop
        self._take = take
        self._wait_for = wait_for

    def run(self, folder: Path) -> None:
        """Take the pictures; leaves the chats it made in the list."""
        desktop = self._desktop
        before = len(desktop.session_list.records)
        desktop.transfer.import_file(write_chats(folder / "chats.json"))
        self._wait_for(lambda: len(desktop.session_list.records) == before + len(CHATS), "the imported chats")
        desktop.session_actions.pin("chat6", True)
        self._open("chat4")
        self._take("chats")
        record = desktop.session_list.record("chat4")
        if record is not None:
            menu = desktop.session_menus.of_chat(record, desktop.window.mapToGlobal(QPoint(150, 300)))
            self._take("chat-menu", menu)
            menu.close()
        self._search()
        self._dialogs()

    def _open(self, session_id: str) -> None:
        self._desktop.sessions.open(session_id)
        self._wait_for(lambda: self._desktop.sessions.current == session_id, "the chat")
        self._desktop.window.toast.dismiss()

    def _search(self) -> None:
        panel = self._desktop.window.sessions
        panel.search.setText("water")
        self._wait_for(lambda: panel.searching and panel.hits.rowCount() > 4, "what was found")
        row = next(row for row in range(panel.hits.rowCount()) if "Bees" in panel.hits.index(row).data())
        panel.hit_list.setCurrentIndex(panel.hits.index(row))
        panel.hit_list.chosen.emit(panel.hits.index(row))
        self._wait_for(lambda: self._desktop.sessions.current == "chat8", "the chat of the hit")
        self._take("chat-search")
        panel.search.clear()

    def _dialogs(self) -> None:
        desktop = self._desktop
        for session_id in DELETED:
            desktop.session_actions.delete(session_id)
        desktop.window.toast.dismiss()
        trash = desktop.open_trash()
        self._wait_for(lambda: len(trash.model.ids) >= len(DELETED), "the trash")
        self._shown(trash, "trash")
        self._shown(desktop.ask_to_export("chat4"), "export")

    def _shown(self, dialog: QWidget, name: str) -> None:
        self._take(name, dialog)
        dialog.close()
