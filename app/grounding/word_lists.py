"""Word lists of the languages that answers and documents are most often written in. All lower case."""

from __future__ import annotations


def word_set(text: str) -> frozenset[str]:
    """The words of ``text``."""
    return frozenset(text.split())


# A full stop behind these never ends a sentence.
ABBREVIATIONS = word_set("""
    mr mrs ms mx dr prof gen col lt sgt capt cpt maj cmdr adm rev hon gov sen rep pres st mt ft messrs mme mlle sra hr
    e.g i.e cf vs viz approx ca esp incl resp ibid z.b d.h bzw u.a evtl ggf inkl dipl ing p.ej núm
""")

# A full stop behind these ends no sentence when a number follows.
ABBREVIATIONS_BEFORE_NUMBERS = word_set("""
    no nos nr fig figs eq eqs ref refs vol vols ch chap sec sect p pp pg art para abs op tab ex ln v d b r c
    jan feb mar apr jun jul aug sep sept oct nov dec
""")

# These end a sentence as often as not; it does end where one of the sentence starters follows.
AMBIGUOUS_ABBREVIATIONS = word_set("jr sr al a.m p.m ph.d b.a m.a b.c a.d inc ltd co corp llc bros dept est")

SENTENCE_STARTERS = word_set("""
    a an the this that these those it its he she they we you i his her their our my your there here in on at by for
    from to of as if when while after before since until during with without although though because however but and
    or so then thus therefore what who where why how which both each every some many most all no not one two another
    other such der die das ein eine er sie es wir ich ihr dies diese dieser im am bei mit nach le la les un une il elle
    ils nous ce cette ces dans el los las una en este esta se su
""")

GERMAN_MONTHS = word_set("""
    januar februar märz april mai juni juli august september oktober november dezember
""")

# Words that may stand before the id in a footnote marker, and the letter that ids begin with.
MARKER_LABELS = word_set("""
    p source sources passage passages document documents doc docs ref refs reference references citation citations
    cite cited see from via id ids quelle fuente 来源 來源 出典
""")

# Words that say how a question is asked or how a sentence hangs together, not what it is about.
STOP_WORDS = word_set("""
    a about above after again all also although am an and any are as at be because been before being below between both
    but by can could d did do does doing don done down during each either else ever every few for from further get gets
    got had has have having he her here hers him his how however i if in into is it its itself just ll let like made
    make makes many may me might mine more most much must my neither no nor not now of off often on once one only onto
    or other our ours out over own per please rather re s same shall she should since so some such t tell than that the
    their theirs them then there these they this those though through thus to too toward towards under until up upon us
    ve very via was we were what when where whether which while who whom whose why will with within without would yet
    you your yours
    aber als am an auch auf aus bei bin bis das dass dein dem den der des die dies diese dieser dir doch du durch ein
    eine einem einen einer eines er es euch für hat haben hatte ich ihr im in ist ja kann kein keine man mein mit nach
    nicht noch nur oder ohne sein seine sich sie sind so um und uns unter von vom vor wann warum was welche welcher
    welches wenn wer werden wie wir wird wo wurde zu zum zur über
    au aux avec ce ces cette dans de des du elle elles en est et il ils je la le les leur leurs lui mais ne nous ont ou
    où par pas pour qu quand que quel quelle qui quoi sa se ses son sont sur un une vous
    al como con cual cuál cuando cuándo de del donde dónde el ella en entre es esta este fue ha la las lo los más no
    para pero por porque qué que quien quién se según ser si sin sobre son su sus un una y
""")

NUMBER_WORDS = word_set("""
    one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
    nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion dozen half third
    twice once several both few many ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf zwanzig hundert
    tausend million halb
""")
