"""Which characters of source code are keywords, strings, comments and so on, in the few roles that themes colour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygments.lexer import Lexer

# Names of pygments' token types by their beginnings, the more special ones first; what fits none stays plain.
_ROLES = (
    ("Token.Comment", "comment"),
    ("Token.Literal.String", "string"),
    ("Token.Literal.Number", "number"),
    ("Token.Literal", "string"),
    ("Token.Keyword.Constant", "number"),
    ("Token.Keyword", "keyword"),
    ("Token.Operator.Word", "keyword"),
    ("Token.Name.Function", "name"),
    ("Token.Name.Class", "name"),
    ("Token.Name.Decorator", "name"),
    ("Token.Name.Tag", "keyword"),
    ("Token.Name.Attribute", "name"),
    ("Token.Generic.Deleted", "string"),
    ("Token.Generic.Inserted", "comment"),
    ("Token.Generic.Heading", "name"),
)
CODE_ROLES = ("comment", "keyword", "name", "number", "string")


def code_spans(code: str, language: str) -> Iterator[tuple[int, int, str]]:
    """Yield ``(start, length, role)`` of what is coloured in ``code``, in order; nothing for an unknown language.

    ``language`` is a name such as ``python`` or a file's name. Positions count code points.
    """
    lexer = _lexer(language)
    if lexer is None:
        return
    for start, kind, text in lexer.get_tokens_unprocessed(code):
        role = _role(str(kind))
        if role and text.strip():
            yield start, len(text), role


def _role(kind: str) -> str:
    return next((role for beginning, role in _ROLES if kind.startswith(beginning)), "")


def _lexer(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
    from pygments.util import ClassNotFound

    try:
        return get_lexer_for_filename(language) if "." in language else get_lexer_by_name(language)
    except ClassNotFound:
        return None
