"""Values for the variables of a template, and the list of templates to write one's own."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.gui.theme import Appearance
from app.gui.widgets.basics import TextButton, plain_label
from app.gui.wording import shown
from app.services.template_service import LONGEST_NAME, Template, TemplateKind

KIND_WORDS = {TemplateKind.PERSONA: "Persona", TemplateKind.PROMPT: "Prompt"}


class VariablesDialog(QDialog):
    """A field for every variable. Signals: ``filled(template, values)``."""

    filled = Signal(object, object)

    def __init__(self, appearance: Appearance, template: Template, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._template = template
        self.setWindowTitle(shown(template.name))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(420)
        self.fields = {name: QLineEdit() for name in template.variables}
        form = QFormLayout()
        for name, field in self.fields.items():
            label = plain_label(shown(name))
            label.setBuddy(field)
            field.setAccessibleName(shown(name))
            field.textChanged.connect(self._update)
            form.addRow(label, field)
        self.use_button = TextButton(appearance, "Use", kind="primary", on_click=self._accept)
        self.use_button.setDefault(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(26, 22, 26, 18)
        column.setSpacing(12)
        column.addWidget(plain_label(shown(template.name), scale="title"))
        column.addWidget(plain_label(template.text, scale="small", tone="secondary", wrap=True))
        column.addLayout(form)
        column.addLayout(_buttons(TextButton(appearance, "Cancel", on_click=self.reject), self.use_button))
        self._update()

    def _update(self) -> None:
        self.use_button.setEnabled(all(field.text().strip() for field in self.fields.values()))

    def _accept(self) -> None:
        values = {name: field.text().strip() for name, field in self.fields.items()}
        self.accept()
        self.filled.emit(self._template, values)


class TemplatesDialog(QDialog):
    """Signals: ``save_wished(kind, name, text)``; ``delete_wished(kind, name)``; ``use_wished(template)``."""

    save_wished = Signal(object, str, str)
    delete_wished = Signal(object, str)
    use_wished = Signal(object)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Personas and templates")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(760, 460)
        self._templates: list[Template] = []
        self.list = QListWidget()
        self.list.setAccessibleName("Personas and templates")
        self.list.setFixedWidth(230)
        self.list.currentRowChanged.connect(self._show)
        self.kind = QComboBox()
        self.kind.setAccessibleName("What it is")
        for kind, words in KIND_WORDS.items():
            self.kind.addItem(words, kind)
        self.name = QLineEdit()
        self.name.setMaxLength(LONGEST_NAME)
        self.name.setPlaceholderText("Name")
        self.name.setAccessibleName("Name")
        self.text = QPlainTextEdit()
        self.text.setPlaceholderText("What the model is to do. Variables are written {{like this}}.")
        self.text.setAccessibleName("Text")
        self.text.setTabChangesFocus(True)
        self.text.setProperty("kind", "field")
        self.status = plain_label("", scale="small", tone="secondary", wrap=True)
        self._add_layout(appearance)

    def _add_layout(self, appearance: Appearance) -> None:
        self.new_button = TextButton(appearance, "New", icon="plus", on_click=self._begin)
        self.delete_button = TextButton(appearance, "Delete", kind="danger", on_click=self._delete)
        self.use_button = TextButton(appearance, "Use", on_click=self._use)
        self.save_button = TextButton(appearance, "Save", kind="primary", on_click=self._save)
        left = QVBoxLayout()
        left.addWidget(self.list)
        left.addWidget(self.new_button)
        head = QHBoxLayout()
        head.addWidget(self.kind)
        head.addWidget(self.name, 1)
        right = QVBoxLayout()
        right.addLayout(head)
        right.addWidget(self.text, 1)
        right.addWidget(self.status)
        right.addLayout(_buttons(self.delete_button, self.use_button, self.save_button))
        row = QHBoxLayout(self)
        row.setContentsMargins(22, 20, 22, 18)
        row.setSpacing(16)
        row.addLayout(left)
        row.addLayout(right, 1)

    def set_templates(self, templates: Sequence[Template], select: str = "") -> None:
        """Show these, with the one of that name open."""
        self._templates = list(templates)
        self.list.clear()
        for each in self._templates:
            self.list.addItem(QListWidgetItem(f"{shown(each.name)}  ({KIND_WORDS[each.kind].lower()})"))
        rows = [row for row, each in enumerate(self._templates) if each.name == select]
        self.list.setCurrentRow(rows[0] if rows else 0)

    def say(self, words: str) -> None:
        """Tell how it went."""
        self.status.setText(words)

    def _current(self) -> Template | None:
        row = self.list.currentRow()
        return self._templates[row] if 0 <= row < len(self._templates) else None

    def _show(self, _row: int) -> None:
        template = self._current()
        if template is None:
            return
        self.kind.setCurrentIndex(self.kind.findData(template.kind))
        self.name.setText(template.name)
        self.text.setPlainText(template.text)
        self.delete_button.setEnabled(template.own)
        self.say("" if template.own else "This one comes with Footnote. Saving it keeps your own version.")

    def _begin(self) -> None:
        self.list.setCurrentRow(-1)
        self.name.clear()
        self.text.clear()
        self.delete_button.setEnabled(False)
        self.say("")
        self.name.setFocus()

    def _save(self) -> None:
        self.save_wished.emit(self.kind.currentData(), self.name.text(), self.text.toPlainText())

    def _delete(self) -> None:
        template = self._current()
        if template is not None:
            self.delete_wished.emit(template.kind, template.name)

    def _use(self) -> None:
        template = self._current()
        if template is not None:
            self.accept()
            self.use_wished.emit(template)


def _buttons(*buttons: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addStretch(1)
    for button in buttons:
        row.addWidget(button)
    return row
