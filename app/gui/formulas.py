"""Formulas in TeX: found in Markdown, set as vector pictures on this computer, painted in a colour of the theme."""

from __future__ import annotations

import re
from dataclasses import dataclass

UNIT = 100.0
"""Formulas are set at this font size and scaled when they are painted."""
INK = "#010203"
FIRST_PLACEHOLDER = 0xE000
MOST_FORMULAS = 6000
LONGEST_SEARCHED = 20_000

# Code spans come first, so that what is in them is passed over. A dollar that begins a formula has no space behind it,
# one that ends it none before it and no digit behind: "$5 and $6" are prices.
_FORMULA = re.compile(
    r"(?P<code>(?P<ticks>`+)(?:.*?[^`])?(?P=ticks)(?!`))"
    r"|(?P<escaped>\\\$)"
    r"|\$\$(?P<display>[^$]+?)\$\$"
    r"|\\\[(?P<bracket>.+?)\\\]"
    r"|\\\((?P<paren>.+?)\\\)"
    r"|(?<![\w$])\$(?P<inline>(?![\s$])(?:\\.|[^$\\\n]|\n(?!\n))*?(?<!\s))\$(?![\d$])",
    re.DOTALL,
)
_FENCE = re.compile(r" {0,3}(?:`{3}|~{3})")


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula as SVG, with its size in ems: how wide, how far above and below the line it stands on."""

    svg: str
    width: float
    ascent: float
    descent: float


@dataclass(frozen=True, slots=True)
class FoundFormula:
    """A formula in Markdown: its TeX, how it was typed, and whether it stands on a line of its own."""

    tex: str
    source: str
    display: bool


def lift_formulas(markdown: str) -> tuple[str, list[FoundFormula]]:
    """The Markdown with a placeholder, one private character, for each formula, and the formulas in order."""
    nothing = "$" not in markdown and "\\" not in markdown
    if nothing or len(markdown) > LONGEST_SEARCHED or _FENCE.match(markdown) or _has_placeholder(markdown):
        return markdown, []
    found: list[FoundFormula] = []

    def lift(match: re.Match[str]) -> str:
        tex = next((match[name] for name in ("display", "bracket", "paren", "inline") if match[name]), "")
        if not tex.strip() or len(found) >= MOST_FORMULAS:
            return match[0]
        display = match["display"] is not None or match["bracket"] is not None
        found.append(FoundFormula(" ".join(tex.split()), match[0], display))
        return chr(FIRST_PLACEHOLDER + len(found) - 1)

    return _FORMULA.sub(lift, markdown), found


def formula_at(character: str, found: list[FoundFormula]) -> FoundFormula | None:
    """The formula that a placeholder stands for."""
    number = ord(character) - FIRST_PLACEHOLDER
    return found[number] if 0 <= number < len(found) else None


def set_formula(tex: str, *, display: bool) -> Formula | None:
    """Set a formula; None for what is not TeX. Slow the first time: fonts are read."""
    from latex2mathml import exceptions
    from ziafont.config import config
    from ziamath.zmath import Latex

    config.svg2 = False  # Qt's painter of SVG knows no symbols that are used twice

    raised: list[type[Exception]] = [ValueError, KeyError, IndexError, AttributeError, TypeError, RecursionError]
    raised += [each for each in vars(exceptions).values() if isinstance(each, type) and issubclass(each, Exception)]
    try:
        drawn = Latex(tex, size=UNIT, inline=not display, color=INK)
        svg = drawn.svg()
        width, height = drawn.getsize()
        descent = -drawn.getyofst()
    except tuple(raised):
        return None  # all of these are raised for commands that aren't known and for brackets left open
    if not (0 < width < 100 * UNIT and 0 < height < 40 * UNIT):
        return None
    return Formula(svg, width / UNIT, (height - descent) / UNIT, descent / UNIT)


def _has_placeholder(text: str) -> bool:
    return any(FIRST_PLACEHOLDER <= ord(character) < FIRST_PLACEHOLDER + MOST_FORMULAS for character in text)
