"""Word lists of the languages that answers and documents are most often written in. All lower case."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A full stop behind these never ends a sentence.
ABBREVIATIONS = _words("""
    mr mrs ms mx dr prof gen col lt sgt capt cpt maj cmdr adm rev hon gov sen rep pres st mt ft messrs mme mlle sra hr
    e.g i.e cf vs viz approx ca esp incl resp ibid z.b d.h bzw u.a evtl ggf inkl dipl ing p.ej núm
""")

# A full stop behind these ends no sentence when a number follows.
ABBREVIATIONS_BEFORE_NUMBERS = _words("""
    no nos nr fig figs eq eqs ref refs vol vols ch chap sec sect p pp pg art para abs op tab ex ln v d b r c
    jan feb mar apr jun jul aug sep sept oct nov dec
""")

# These end a sentence as often as not; it does end where one of the sentence starters follows.
AMBIGUOUS_ABBREVIATIONS = _words("jr sr al a.m p.m ph.d b.a m.a b.c a.d inc ltd co corp llc bros dept est")

SENTENCE_STARTERS = _words("""
    a an the this that these those it its he she they we you i his her their our my your there here in on at by for
    from to of as if when while after before since until during with without although though because however but and
    or so then thus therefore what who where why how which both each every some many most all no not one two another
    other such der die das ein eine er sie es wir ich ihr dies diese dieser im am bei mit nach le la les un une il elle
    ils nous ce cette ces dans el los las una en este esta se su
""")

GERMAN_MONTHS = _words("""
    januar februar märz april mai juni juli august september oktober november dezember
""")

# Words that may stand before the id in a footnote marker, and the letter that ids begin with.
MARKER_LABELS = _words("""
    p source sources passage passages document documents doc docs ref refs reference references citation citations
    cite cited see quelle fuente
""")
