"""Makes of a web page what is kept of it: the main content as plain HTML that loads and runs nothing."""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin

from app.domain.errors import DocumentError, FailureReason
from app.loaders.html_inline import plain_text
from app.loaders.html_tree import HtmlNode, decode_html, parse_html

# Parts of a page that are about the site, not the page.
_AROUND = frozenset({"nav", "aside", "footer", "form", "dialog", "button", "select", "iframe", "object", "svg", "menu"})
_ROLES_AROUND = frozenset({"navigation", "banner", "contentinfo", "search", "complementary", "dialog"})
_KEPT = frozenset(
    re.findall(
        r"\w+",
        "p h1 h2 h3 h4 h5 h6 ul ol li dl dt dd table thead tbody tfoot tr td th caption pre code blockquote br hr em "
        "strong b i u s sub sup a abbr cite q kbd samp var mark small figure figcaption details summary time div",
    )
)
_VOID = frozenset({"br", "hr"})
_KEPT_ATTRIBUTES = {"td": ("colspan", "rowspan"), "th": ("colspan", "rowspan"), "ol": ("start",)}
# An article that holds this share of the page's text is the page.
_MAIN_SHARE = 0.3
# Nothing may be loaded or run by whatever program opens the file.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def snapshot(data: bytes, charset: str, url: str) -> str:
    """Return the page's main content with its title and address, without scripts, styles, images and forms.

    Raises ``DocumentError`` for a page without text, or that is no text.
    """
    root = parse_html(_decoded(data, charset))
    title = next((plain_text(node) for node in _elements(root) if node.tag == "title"), "")
    body = next((node for node in _elements(root) if node.tag == "body"), root)
    content = "".join(_written(_main(body), url)).strip()
    if not re.sub(r"<[^>]*>", "", content).strip():
        message = "The page holds no text; it may be drawn by scripts. Save it in your browser and add the file."
        raise DocumentError(FailureReason.NO_TEXT, message)
    return (
        '<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{html.escape(title)}</title>\n"
        f'<link rel="canonical" href="{html.escape(url)}">\n</head>\n<body>\n{content}\n</body>\n</html>\n'
    )


def _decoded(data: bytes, charset: str) -> str:
    if charset:
        try:
            return data.decode(charset).replace("\x00", "")
        except (LookupError, UnicodeDecodeError):
            pass  # the server is wrong about it: the page itself may say
    return decode_html(data, "The page")


def _main(body: HtmlNode) -> HtmlNode:
    """The element that holds the article; the body where no single one holds enough of the text."""
    candidates = [
        node
        for node in _elements(body)
        if node.tag in {"main", "article"} or node.attributes.get("role", "").lower() in {"main", "article"}
    ]
    best = max(candidates, key=_text_length, default=body)
    return best if _text_length(best) >= _MAIN_SHARE * _text_length(body) else body


def _text_length(node: HtmlNode) -> int:
    if _is_around(node):
        return 0
    return sum(
        len(child.strip()) if isinstance(child, str) else _text_length(child)
        for child in node.children
        if isinstance(child, str) or child.tag not in {"head", "title"}
    )


def _is_around(node: HtmlNode) -> bool:
    attributes = node.attributes
    return (
        node.tag in _AROUND
        or attributes.get("role", "").lower() in _ROLES_AROUND
        or "hidden" in attributes
        or attributes.get("aria-hidden", "").lower() == "true"
    )


def _written(node: HtmlNode, url: str) -> list[str]:
    parts: list[str] = []
    for child in node.children:
        if isinstance(child, str):
            parts.append(html.escape(child, quote=False))
        elif child.tag in {"head", "title"} or _is_around(child):
            continue
        elif child.tag == "img":
            parts.append(html.escape(child.attributes.get("alt", "")))
        elif child.tag in _KEPT:
            opening = f"<{child.tag}{_attributes(child, url)}>"
            parts += [opening] if child.tag in _VOID else [opening, *_written(child, url), f"</{child.tag}>"]
        else:
            parts += _written(child, url)
    return parts


def _attributes(node: HtmlNode, url: str) -> str:
    kept = {name: node.attributes[name] for name in _KEPT_ATTRIBUTES.get(node.tag, ()) if name in node.attributes}
    if node.tag == "a" and (target := _web_link(node.attributes.get("href", ""), url)):
        kept["href"] = target
    return "".join(f' {name}="{html.escape(value)}"' for name, value in kept.items())


def _web_link(href: str, url: str) -> str:
    """Where a link leads, "" unless it is a page."""
    try:
        target = urljoin(url, href.strip()) if href.strip() else ""
    except ValueError:
        return ""
    return target if target.startswith(("http://", "https://")) else ""


def _elements(node: HtmlNode) -> list[HtmlNode]:
    """All elements below ``node``, in the order of the page."""
    found: list[HtmlNode] = []
    stack = list(reversed(node.elements()))
    while stack:
        item = stack.pop()
        found.append(item)
        stack.extend(reversed(item.elements()))
    return found
