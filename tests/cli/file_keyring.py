"""A keyring in a file, for a program that runs by itself: ``PYTHON_KEYRING_BACKEND`` names it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.chat_models.keyring_drawer import Drawer


class FileDrawer(Drawer):
    """Keeps its passwords in the file that ``TEST_KEYRING`` names."""

    def __init__(self) -> None:
        super().__init__()
        self._file = Path(os.environ["TEST_KEYRING"])
        if self._file.exists():
            self.passwords = {(service, name): key for service, name, key in json.loads(self._file.read_text("utf-8"))}

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password)
        self._save()

    def delete_password(self, service: str, username: str) -> None:
        super().delete_password(service, username)
        self._save()

    def _save(self) -> None:
        rows = [[service, name, key] for (service, name), key in self.passwords.items()]
        self._file.write_text(json.dumps(rows), "utf-8")
