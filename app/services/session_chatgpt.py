"""Chats from ChatGPT's export (``conversations.json``).

A conversation is a tree: ``mapping`` has nodes by id, each with ``parent``, ``children`` and perhaps a ``message``;
``current_node`` ends the branch on show. Branches are kept. Nodes without words (the root, hidden instructions) are
left out, and what follows them stands behind the nearest node that is kept. The format is not documented; what is
known of it comes from exports.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from app.domain.chat_transfer import ArrivingChat, ArrivingMessage

ROLES = ("user", "assistant", "tool")
# Content types that hold no words of the conversation: custom instructions, and summaries of hidden reasoning.
_HIDDEN = frozenset({"user_editable_context", "model_editable_context", "thoughts", "reasoning_recap"})
_FENCED = frozenset({"code", "execution_output", "system_error"})

Json = Mapping[str, Any]


def is_conversation(data: object) -> bool:
    """Whether this looks like a conversation of ChatGPT's export."""
    return isinstance(data, dict) and isinstance(data.get("mapping"), dict)


def chat_from_chatgpt(data: Json, left_out: list[str]) -> ArrivingChat | None:
    """A chat, or None where no message has words. Appends to ``left_out`` what can't be taken over, and why."""
    nodes = {str(ident): node for ident, node in data["mapping"].items() if isinstance(node, dict)}
    title = _text(data.get("title"))
    name = _text(data.get("conversation_id")) or _text(data.get("id"))
    name = name or f"{title}\n{_number(data.get('create_time'))}\n{','.join(sorted(nodes))}"
    lost: Counter[str] = Counter()
    messages: list[ArrivingMessage] = []
    kept_as: dict[str, str] = {}  # the nearest kept node at or above each node, as an origin
    for ident, parent in _in_order(nodes):
        message = _message(nodes[ident], ident, kept_as.get(parent, ""), lost)
        if message is not None:
            messages.append(message)
        kept_as[ident] = message.origin if message is not None else kept_as.get(parent, "")
    left_out.extend(
        f"Only named in the text of “{title or 'a chat without a title'}”: {count:,} × {what}."
        for what, count in sorted(lost.items())
    )
    if not messages:
        left_out.append(f"“{title or 'A chat without a title'}” holds no messages and was left out.")
        return None
    created = _number(data.get("create_time")) or messages[0].created_at
    return ArrivingChat(
        id=uuid.uuid5(uuid.NAMESPACE_URL, f"chatgpt:{name}").hex,
        title=title,
        created_at=created,
        updated_at=_number(data.get("update_time")) or max(each.created_at for each in messages) or created,
        messages=messages,
        leaf=kept_as.get(_text(data.get("current_node")), ""),
        archived=data.get("is_archived") is True,
    )


def _in_order(nodes: Mapping[str, Json]) -> list[tuple[str, str]]:
    """(node, parent) with every parent before its children; what hangs together in a circle begins anew."""
    children = _children(nodes)
    found: dict[str, str] = {}
    beginnings = [*children[""], *nodes]  # the second are for circles, which no root leads into
    for beginning in beginnings:
        waiting = [(beginning, "")]
        while waiting:
            ident, parent = waiting.pop()
            if ident in found:
                continue
            found[ident] = parent
            waiting.extend((child, ident) for child in reversed(children[ident]))
    return list(found.items())


def _children(nodes: Mapping[str, Json]) -> defaultdict[str, list[str]]:
    """The children of each node as its parent lists them, then those it doesn't list; "" has the roots."""
    places: dict[str, int] = {}
    for node in nodes.values():
        listed = node.get("children")
        for place, child in enumerate(listed if isinstance(listed, list) else ()):
            places.setdefault(str(child), place)
    children: defaultdict[str, list[str]] = defaultdict(list)
    for ident, node in sorted(nodes.items(), key=lambda item: places.get(item[0], len(nodes))):
        parent = _text(node.get("parent"))
        children[parent if parent in nodes else ""].append(ident)
    return children


def _message(node: Json, ident: str, parent: str, lost: Counter[str]) -> ArrivingMessage | None:
    message = node.get("message")
    if not isinstance(message, dict):
        return None
    author = message.get("author")
    role = _text(author.get("role")) if isinstance(author, dict) else ""
    metadata = message.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    hidden = metadata.get("is_visually_hidden_from_conversation") is True
    text = "" if hidden or role not in ROLES else _words(message.get("content"), lost)
    if not text.strip():
        return None
    return ArrivingMessage(
        origin=f"chatgpt:{ident}",
        parent=parent,
        role=role,
        text=text,
        created_at=_number(message.get("create_time")),
        model=_text(metadata.get("model_slug")) if role == "assistant" else "",
    )


def _words(content: object, lost: Counter[str]) -> str:
    """The text of a message; pictures and sound lie in other files of the export and are only named."""
    if not isinstance(content, dict) or content.get("content_type") in _HIDDEN:
        return ""
    parts = content.get("parts")
    pieces = [_part(each, lost) for each in parts] if isinstance(parts, list) else []
    pieces += [content[name] for name in ("text", "result") if isinstance(content.get(name), str)]
    text = "\n\n".join(piece for piece in pieces if piece)
    if content.get("content_type") in _FENCED and text:
        language = _text(content.get("language"))
        return _fenced(text, language if language.isalnum() and language != "unknown" else "")
    return text


def _part(part: object, lost: Counter[str]) -> str:
    if isinstance(part, str):
        return part
    kind = _text(part.get("content_type")) if isinstance(part, dict) else ""
    if kind == "audio_transcription" and isinstance(part, dict):
        return _text(part.get("text"))
    if "image" in kind:
        lost["picture"] += 1
        return "[picture]"
    if kind:
        lost["recording or other attachment"] += 1
        return f"[{kind.replace('_asset_pointer', '').replace('_', ' ')}]"
    return ""


def _fenced(text: str, language: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e15 else 0.0
