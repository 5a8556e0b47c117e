"""Imports chats from files: our own JSON, ChatGPT's export, and zips that hold them."""

from __future__ import annotations

import json
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.domain.cancellation import CancelToken
from app.domain.chat_transfer import Arrival, ArrivingChat, ImportReport
from app.domain.errors import BadInputError
from app.domain.findings import counted
from app.services.session_chatgpt import chat_from_chatgpt, is_conversation
from app.services.session_json import FORMAT, VERSION, chat_from_json
from app.services.turn_record import title_of
from app.storage.session_store import SessionStore

Progress = Callable[[int, int], None]
LARGEST_FILE = 1 << 30
MOST_MEMBERS = 100_000
_DAMAGED = "The rest of {name} is damaged, from character {place:,} on. What came before it was taken over."
_HINT = "Footnote takes JSON files of its own and ChatGPT's export (conversations.json, or the zip it came in)."


class SessionImport:
    """Takes over chats that are not here, and of chats that are here the messages they lack. Nothing is doubled, and
    nothing that is here is changed; what is in the trash and arrives again is taken out of it.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    def from_file(
        self, path: Path, *, progress: Progress = lambda done, total: None, cancel: CancelToken | None = None
    ) -> ImportReport:
        """Import a file. ``progress`` is told how many chats are done, and how many there are as far as that is known.

        Every chat is stored as a whole, so that an import that was cancelled can be done again.
        Raises ``BadInputError`` when there is no chat in the file, and then nothing was stored.
        """
        left_out: list[str] = []
        arrivals: list[Arrival] = []
        try:
            for chat, total in _all_chats(path, left_out):
                if cancel is not None and cancel.cancelled:
                    left_out.append(f"Stopped after {len(arrivals)} chats; import the file again for the others.")
                    break
                arrivals.append(self._store.take_in(_titled(chat)))
                progress(len(arrivals), max(total, len(arrivals)))
        except BadInputError as error:
            if not arrivals:
                raise BadInputError(f"{error} Nothing was imported.") from error
            left_out.append(str(error))
        if not arrivals:
            why = " ".join(left_out) or "There is no chat in it."
            raise BadInputError(f"Nothing was imported from {path.name}. {why} {_HINT}")
        return ImportReport(tuple(arrivals), tuple(left_out))


def _all_chats(path: Path, left_out: list[str]) -> Iterator[tuple[ArrivingChat, int]]:
    """The chats of a file, of each text the oldest first, and how many its text has."""
    for name, text in _texts(path):
        chats = list(_chats(name, text, left_out))
        for chat in sorted(chats, key=lambda each: each.updated_at):
            yield chat, len(chats)


def _titled(chat: ArrivingChat) -> ArrivingChat:
    if chat.title.strip():
        return chat
    first = next((each.text for each in chat.messages if each.role == "user" and each.text.strip()), "")
    return replace(chat, title=title_of(first))


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """The JSON texts in a file, with their names. Raises ``BadInputError``."""
    try:
        if zipfile.is_zipfile(path):
            yield from _zipped(path)
            return
        if path.stat().st_size > LARGEST_FILE:
            raise BadInputError(
                f"{path.name} is larger than 1 GB, which is more than chats can be. Nothing was imported."
            )
        yield path.name, _decoded(path.name, path.read_bytes())
    except OSError as error:
        raise BadInputError(f"{path} can't be read: {error.strerror}.") from error


def _zipped(path: Path) -> Iterator[tuple[str, str]]:
    """The members that can hold chats. Sizes are counted while unpacking, as a zip may lie about them."""
    try:
        with closing(zipfile.ZipFile(path)) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                raise BadInputError(f"{path.name} holds {len(members):,} files, which no export of chats does.")
            names = [each for each in members if _may_hold_chats(each.filename)]
            if not names:
                raise BadInputError(f"There is no conversations.json in {path.name}. {_HINT}")
            room = LARGEST_FILE
            for member in names:
                with archive.open(member) as file:
                    data = file.read(room + 1)
                room -= len(data)
                if room < 0:
                    raise BadInputError(f"{path.name} unpacks to more than 1 GB, which is more than chats can be.")
                yield f"{member.filename} in {path.name}", _decoded(member.filename, data)
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        NotImplementedError,
        RuntimeError,
        EOFError,
        ValueError,
    ) as error:
        raise BadInputError(
            f"{path.name} is a damaged or locked zip file ({error}). Unpack it yourself and choose the JSON file in it."
        ) from error


def _may_hold_chats(name: str) -> bool:
    last = name.rsplit("/", 1)[-1].lower()
    return last.endswith(".json") and (last.startswith(("conversations", "footnote", "chats")) or "/" not in name)


def _decoded(name: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{name} is not a text file in UTF-8, so it can't be JSON. {_HINT}") from error


def _chats(name: str, text: str, left_out: list[str]) -> Iterator[ArrivingChat]:
    """The chats of one text. What else stands among them is told; a text without any is about something else."""
    found = others = 0
    for item in _items(name, text, left_out):
        if is_conversation(item):
            chat = chat_from_chatgpt(item, left_out)
        elif isinstance(item, dict) and isinstance(item.get("messages"), list):
            chat = chat_from_json(item, left_out)
        else:
            others += 1
            continue
        found += 1
        if chat is not None:
            yield chat
    if found and others:
        left_out.append(f"Left out of {name}: {counted(others, 'item')} that can't be read as a chat.")


def _items(name: str, text: str, left_out: list[str]) -> Iterator[Any]:
    """What may be chats in a JSON text: the items of a list, those of our own file, or the one object itself."""
    start = len(text) - len(text.lstrip())
    if text[start : start + 1] == "[":
        yield from _array(name, text, start, left_out)
        return
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        place = text.find('"chats": [')
        if f'"{FORMAT}"' not in text[:200] or place < 0:
            raise BadInputError(f"{name} is no JSON, or is cut off. {_HINT}") from None
        yield from _array(name, text, text.index("[", place), left_out)
        return
    if isinstance(data, dict) and data.get("format") == FORMAT:
        if data.get("version") != VERSION:
            raise BadInputError(f"{name} was written by a newer Footnote. Install the newer version to import it.")
        chats = data.get("chats")
        yield from chats if isinstance(chats, list) else ()
    else:
        yield data


def _array(name: str, text: str, start: int, left_out: list[str]) -> Iterator[Any]:
    """The items of a JSON array, one at a time: a large export never stands in the memory as a whole."""
    decoder = json.JSONDecoder()
    place = start + 1
    while True:
        place = _behind_space(text, place)
        if text[place : place + 1] == "]":
            return
        try:
            item, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            left_out.append(_DAMAGED.format(name=name, place=place))
            return
        yield item
        place = _behind_space(text, place)
        if text[place : place + 1] == ",":
            place += 1


def _behind_space(text: str, place: int) -> int:
    while text[place : place + 1] in (" ", "\n", "\r", "\t"):
        place += 1
    return place
