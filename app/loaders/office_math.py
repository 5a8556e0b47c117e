"""Equations of Office documents (ECMA-376, part 1, 22.1: Office Math) as LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element

from app.loaders.open_xml import attribute, child
from app.loaders.safe_xml import local_name

_WORDS = re.compile(r"\S+")
_FUNCTIONS = frozenset(
    _WORDS.findall(
        "arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf limsup ln log "
        "max min Pr sec sin sinh sup tan tanh"
    )
)
_SIGNS_AND_NAMES = (
    "α=alpha β=beta γ=gamma δ=delta ε=varepsilon ϵ=epsilon ζ=zeta η=eta θ=theta ϑ=vartheta ι=iota κ=kappa λ=lambda "
    "μ=mu ν=nu ξ=xi π=pi ρ=rho σ=sigma ς=varsigma τ=tau υ=upsilon φ=phi ϕ=phi χ=chi ψ=psi ω=omega Γ=Gamma "
    "Δ=Delta Θ=Theta Λ=Lambda Ξ=Xi Π=Pi Σ=Sigma Υ=Upsilon Φ=Phi Ψ=Psi Ω=Omega ∞=infty ×=times ⋅=cdot ∙=cdot "
    "·=cdot ÷=div ±=pm ∓=mp ≤=leq ≥=geq ≠=neq ≈=approx ≡=equiv ∼=sim ≅=cong ∝=propto ∈=in ∉=notin ⊂=subset "
    "⊆=subseteq ∪=cup ∩=cap ∅=emptyset ∀=forall ∃=exists ¬=neg ∧=wedge ∨=vee →=to ←=leftarrow ↔=leftrightarrow "
    "⇒=Rightarrow ⇔=Leftrightarrow ∂=partial ∇=nabla √=surd …=ldots ⋯=cdots ⋮=vdots ⋱=ddots ∑=sum ∏=prod ∐=coprod "
    "∫=int ∬=iint ∭=iiint ∮=oint ∯=oiint ∰=oiiint ⋃=bigcup ⋂=bigcap ⋁=bigvee ⋀=bigwedge ℝ=mathbb{R} ℕ=mathbb{N} "
    "ℤ=mathbb{Z} ℚ=mathbb{Q} ℂ=mathbb{C} ⟨=langle ⟩=rangle ‖=Vert ⌊=lfloor ⌋=rfloor ⌈=lceil ⌉=rceil"
)
_SYMBOLS = {pair[0]: pair[2:] for pair in _WORDS.findall(_SIGNS_AND_NAMES)}
_ACCENTS = {
    "\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0305": "bar", "\u0306": "breve", "\u0307": "dot",
    "\u0308": "ddot", "\u030c": "check", "\u20d7": "vec", "\u20d6": "overleftarrow", "\u0301": "acute",
    "\u0300": "grave",
}  # fmt: skip
_GROUPS = {"⏞": "overbrace", "⏟": "underbrace", "→": "overrightarrow", "←": "overleftarrow"}
_LINE_END = " \\\\ "
_DELIMITERS = {"{": "\\{", "}": "\\}", "": "."}


def latex(element: Element) -> str:
    """Return the formula inside ``element`` (``m:oMath`` or any part of one) as LaTeX without dollar signs."""
    return " ".join(_all(element).split())


def _all(element: Element | None) -> str:
    return "".join(_one(each) for each in element) if element is not None else ""


def _one(element: Element) -> str:
    name = local_name(element)
    if name in _WRITERS:
        return _WRITERS[name](element)
    return "" if name.endswith("Pr") else _all(element)


def _part(element: Element, name: str) -> str:
    return _all(child(element, name)).strip()


def _property(element: Element, name: str, default: str) -> str:
    """The value of a property of ``element``; an empty one tells that there is nothing."""
    found = child(element, local_name(element) + "Pr", name)
    return default if found is None else attribute(found, "val") or ""


def _run(element: Element) -> str:
    text = "".join(each.text or "" for each in element if local_name(each) == "t")
    plain = child(element, "rPr", "nor") is not None
    if plain and text.strip():
        return f"\\text{{{text}}}"
    return "".join(_symbol(character) for character in text)


def _symbol(character: str) -> str:
    name = _SYMBOLS.get(character)
    if name:
        return f"\\{name} "
    return {"{": "\\{", "}": "\\}", "%": "\\%", "−": "-"}.get(character, character)


def _fraction(element: Element) -> str:
    kind = _property(element, "type", "bar")
    over, under = _part(element, "num"), _part(element, "den")
    if kind == "noBar":
        return f"\\binom{{{over}}}{{{under}}}"
    return f"{over}/{under}" if kind == "lin" else f"\\frac{{{over}}}{{{under}}}"


def _scripts(element: Element) -> str:
    lower, upper = _part(element, "sub"), _part(element, "sup")
    scripts = (f"_{{{lower}}}" if lower else "") + (f"^{{{upper}}}" if upper else "")
    base = _part(element, "e")
    return f"{{}}{scripts}{base}" if local_name(element) == "sPre" else base + scripts


def _root(element: Element) -> str:
    degree = _part(element, "deg")
    return "\\sqrt" + (f"[{degree}]" if degree else "") + f"{{{_part(element, 'e')}}}"


def _operator(element: Element) -> str:
    sign = _property(element, "chr", "∫")
    lower, upper = _part(element, "sub"), _part(element, "sup")
    limits = (f"_{{{lower}}}" if lower else "") + (f"^{{{upper}}}" if upper else "")
    return f"{_symbol(sign).strip()}{limits}{'' if limits else ' '}{_part(element, 'e')}"


def _delimited(element: Element) -> str:
    opening, closing = _property(element, "begChr", "("), _property(element, "endChr", ")")
    inside = _property(element, "sepChr", "|").join(_all(each).strip() for each in element if local_name(each) == "e")
    left, right = (_DELIMITERS.get(mark) or _symbol(mark) for mark in (opening, closing))
    return f"\\left{left}{inside}\\right{right}"


def _function(element: Element) -> str:
    name = _part(element, "fName")
    written = f"\\{name}" if name in _FUNCTIONS else name
    argument = _part(element, "e")
    return f"{written}{argument}" if argument.startswith(("\\left", "(", "{")) else f"{written} {argument}"


def _limit(element: Element) -> str:
    base, limit = _part(element, "e"), _part(element, "lim")
    mark = "_" if local_name(element) == "limLow" else "^"
    written = f"\\{base}" if base in _FUNCTIONS else base
    return f"{written}{mark}{{{limit}}}"


def _accent(element: Element) -> str:
    name = _ACCENTS.get(_property(element, "chr", "\u0302"), "hat")
    return f"\\{name}{{{_part(element, 'e')}}}"


def _bar(element: Element) -> str:
    name = "overline" if _property(element, "pos", "bot") == "top" else "underline"
    return f"\\{name}{{{_part(element, 'e')}}}"


def _group(element: Element) -> str:
    name = _GROUPS.get(_property(element, "chr", "⏟"), "underbrace")
    return f"\\{name}{{{_part(element, 'e')}}}"


def _matrix(element: Element) -> str:
    rows = [
        " & ".join(_all(cell).strip() for cell in row if local_name(cell) == "e")
        for row in element
        if local_name(row) == "mr"
    ]
    return "\\begin{matrix}" + _LINE_END.join(rows) + "\\end{matrix}"


def _equations(element: Element) -> str:
    return _LINE_END.join(_all(each).strip() for each in element if local_name(each) == "e")


def _boxed(element: Element) -> str:
    return _part(element, "e")


_WRITERS: dict[str, Callable[[Element], str]] = {
    "r": _run,
    "f": _fraction,
    **dict.fromkeys(("sSub", "sSup", "sSubSup", "sPre"), _scripts),
    "rad": _root,
    "nary": _operator,
    "d": _delimited,
    "func": _function,
    **dict.fromkeys(("limLow", "limUpp"), _limit),
    "acc": _accent,
    "bar": _bar,
    "groupChr": _group,
    "m": _matrix,
    "eqArr": _equations,
    **dict.fromkeys(("box", "borderBox", "phant"), _boxed),
}
