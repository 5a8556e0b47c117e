"""What "find in every document" looks for, and how well a passage fits it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.grounding.terms import inverse_frequencies, stem, terms

# "Which contracts mention X?" asks for what mentions X; the rest of the question is said of every document.
_FRAME = re.compile(
    r"\s*(?:(?:in )?(?:which|what|find|list|show me|show)(?: me)?(?: all| every| the| of the| of my)*"
    r" (?:\w+ )?(?:documents?|files?|contracts?|reports?|letters?|papers?|invoices?|notes?|e?mails?|texts?|pages?"
    r"|leases?)(?: that| which)? (?:mentions?|contains?|names?|talks? (?:about|of)|discuss(?:es)?|refers? to|includes?"
    r"|deals? with|says? (?:something |anything )?(?:about|on)|(?:is|are) (?:about|mentioned)|about|has|have)"
    r"|\s*(?:in )?(?:welche[nr]?|wo|finde|zeige)(?: alle)? (?:dokumente|dateien|verträge|berichte|briefe|rechnungen)n?"
    r"(?:,? die)? (?:erwähnen|enthalten|nennen|handeln von|sprechen von|wird|werden|steht|stehen))\s+",
    re.IGNORECASE,
)
_OR = re.compile(r"\s+(?:or|oder)\s+|\s*/\s*", re.IGNORECASE)
_SHORTEST_PREFIX = 3
MENTIONED, LIKELY_WORDS, LIKELY_MEANING = 0.95, 0.55, 0.45


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for. ``mention``: a passage that names it is enough, it need not answer anything.

    ``alternatives`` are the stems of what stands on either side of an "or"; one of them is enough.
    """

    text: str
    mention: bool
    terms: tuple[str, ...]
    alternatives: tuple[frozenset[str], ...] = ()

    def fit(self, found: frozenset[str], weights: Mapping[str, float]) -> float:
        """The share of the weight of what is looked for that a passage with the stems ``found`` holds, 0 to 1."""
        wanted = self.alternatives or (frozenset(self.terms),)
        return max(share(found & each, {stem: weights[stem] for stem in each}) for each in wanted)


def sought(question: str) -> Sought:
    """Take apart what is asked of every document."""
    frame = _FRAME.match(question)
    text = question[frame.end() :].strip(" ?.!") if frame else question.strip()
    wanted = tuple(dict.fromkeys(terms(text)))
    mention = frame is not None and bool(wanted)
    either = [stems for part in _OR.split(text) if (stems := frozenset(terms(part)))] if mention else []
    return Sought(text or question, mention, wanted, tuple(either))


def terms_in(search_text: str, wanted: Iterable[str]) -> frozenset[str]:
    """Those of the stems ``wanted`` that a passage holds, by its words as the index stores them."""
    padded = f" {search_text}"
    return frozenset(
        each for each in wanted if (f" {each}" if len(each) >= _SHORTEST_PREFIX else f" {each} ") in f"{padded} "
    )


def weights_of(wanted: Iterable[str], found: Iterable[frozenset[str]]) -> dict[str, float]:
    """How much each stem tells, by how few of the passages that hold any of them hold it."""
    frequencies = inverse_frequencies([tuple(each) for each in found])
    highest = max(frequencies.values(), default=1.0)
    return {each: frequencies.get(each, highest) for each in wanted}


def share(found: frozenset[str], weights: Mapping[str, float]) -> float:
    """The share of the weight of all stems that a passage holds, 0 to 1."""
    total = sum(weights.values())
    return sum(weights[each] for each in found) / total if total else 0.0


def names_it(sentence: str, wanted: Iterable[str]) -> int:
    """How many of the stems a sentence holds."""
    own = {stem(each) for each in terms(sentence)} | set(terms(sentence))
    return sum(any(word.startswith(each) for word in own) for each in wanted)
