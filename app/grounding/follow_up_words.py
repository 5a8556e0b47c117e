"""Words by which a question leans on what was said before, in the languages that are asked most often. Lower case."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FollowUpWords:
    """The words of one language.

    ``openers`` match the beginning of a question that names only what is new ("what about"). ``pronouns`` stand for
    something said before, ``possessives`` for whose it is. ``pointers`` do so alone or before a noun ("that"),
    ``links`` join a question to the one before or clauses to each other. ``relations`` are things that belong to
    something that has to be named. ``more`` asks for more of the same. ``fillers`` say nothing of what is asked about.
    ``drops_subjects`` is true where verbs need no pronoun, ``capital_nouns`` where every noun has a capital.
    """

    openers: re.Pattern[str]
    pronouns: frozenset[str]
    possessives: frozenset[str]
    pointers: frozenset[str]
    links: frozenset[str]
    prepositions: frozenset[str]
    determiners: frozenset[str]
    asking: frozenset[str]
    identity: frozenset[str]
    auxiliaries: frozenset[str]
    relations: frozenset[str]
    more: re.Pattern[str]
    fillers: frozenset[str]
    drops_subjects: bool = False
    capital_nouns: bool = False


def word_set(text: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(text.split())


def _starting(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"[\s¿]*(?:{pattern})(?!\w)[\s,:]*", re.IGNORECASE)


def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"[\s¿¡]*(?:{pattern})[\s?!.…]*", re.IGNORECASE)


ENGLISH = FollowUpWords(
    openers=_starting(
        r"(?:and |but |so |ok(?:ay)?,? )?(?:what|how) about|(?:and |but )?what if (?:it|they) (?:is|are|was|were)"
        r"|(?:and|but) (?:what|how) (?:of|with)"
    ),
    pronouns=word_set("it they them he him she there one ones itself themselves former latter"),
    possessives=word_set("its their theirs his hers"),
    pointers=word_set("this that these those"),
    links=word_set(
        "and but or so then because if when while before after that which who as since although whether also"
    ),
    prepositions=word_set(
        "in on at by for from with without of to about under over after before during between since until within"
        " into through against per near outside inside"
    ),
    determiners=word_set("a an the my our your any each every some all no another"),
    asking=word_set("what when where which who whom whose why how"),
    identity=word_set("who whom whose which"),
    auxiliaries=word_set(
        "is are was were be been do does did can could will would shall should may might must has have had am"
        " isn't aren't wasn't weren't don't doesn't didn't can't won't"
    ),
    relations=word_set(
        "advantage advantages benefit benefits disadvantage disadvantages drawback drawbacks price prices cost"
        " costs fee fees deadline deadlines penalty penalties exception exceptions requirement requirements"
        " condition conditions limit limits size height length weight age population author authors reason reasons"
        " cause causes effect effects side symptom symptoms treatment dose dosage result results conclusion"
        " conclusions difference differences purpose duration year date name address example examples step steps"
        " risk risks consequence consequences total percentage share increase decrease change changes"
    ),
    more=_whole(
        r"(?:please )?(?:(?:can|could) you )?(?:tell me more|explain(?: (?:more|further|why|how))?|say more"
        r"|go on|continue|more(?: details?| please| examples?)?|elaborate|details|for example"
        r"|such as|give (?:me )?(?:an )?examples?"
        r"|anything else|what else|and\??|why(?: not| so)?|how(?: so| come)?|since when|until when|by whom"
        r"|where exactly|when exactly|how exactly|really|are you sure|which ones?|who exactly)(?: please)?"
    ),
    fillers=word_set(
        "i you we me us please tell give show say said says mean means meant know there too more most much many"
        " long often else same very not only just now here than like do doing get got up out off"
    ),
)

GERMAN = FollowUpWords(
    openers=_starting(
        r"(?:und |aber )?(?:was|wie) (?:ist|war|wäre|sieht es|steht es) (?:es )?(?:mit|bei)|wie sieht es (?:mit|bei)"
        r"|und (?:wie )?bei"
    ),
    pronouns=word_set(
        "er sie es ihn ihm ihnen dort dafür davon damit daran darin darauf darüber dazu dabei dagegen dessen deren"
    ),
    possessives=word_set("sein seine seinen seinem seiner seines ihr ihre ihren ihrem ihrer ihres"),
    pointers=word_set("das dies dieser diese dieses diesen diesem jener jene jenes solche"),
    links=word_set("und aber oder dann weil wenn als bevor nachdem dass ob der die das auch"),
    prepositions=word_set(
        "in im an am bei für von vom mit ohne zu zum zur über unter nach vor während seit bis aus auf"
    ),
    determiners=word_set("der die das den dem des ein eine einen einem einer eines mein meine unser unsere kein keine"),
    asking=word_set("was wann wo wer wen wem wessen warum wieso weshalb wie welche welcher welches wohin woher wozu"),
    identity=word_set("wer wen wem welche welcher welches welchen"),
    auxiliaries=word_set(
        "ist sind war waren wird werden wurde wurden hat haben hatte hatten kann können darf dürfen muss müssen"
        " soll sollen"
    ),
    relations=word_set(
        "vorteile nachteile preis kosten gebühr gebühren frist fristen strafe ausnahme ausnahmen anforderungen"
        " voraussetzungen größe höhe länge gewicht alter autor autoren grund gründe ursache ursachen folgen"
        " wirkung symptome behandlung ergebnis ergebnisse unterschied zweck dauer jahr datum name adresse"
        " beispiele risiken"
    ),
    more=_whole(
        r"(?:bitte )?(?:mehr(?: dazu| davon| details)?|weiter|genauer|erkläre?(?: das| mehr)?|erzähl mehr"
        r"|warum(?: nicht)?|wieso|weshalb|wie genau|wann genau|wo genau|seit wann|von wem|zum beispiel"
        r"|was noch|und|wirklich|beispiele)"
        r"(?: bitte)?"
    ),
    fillers=word_set(
        "ich du wir man mir uns bitte sag sagt bedeutet heißt gibt es viel viele lange oft mehr noch sehr nicht"
        " nur hier so sich"
    ),
    capital_nouns=True,
)

FRENCH = FollowUpWords(
    openers=_starting(r"(?:et |mais )?qu(?:’|')en est-il (?:de|du|des|pour)|et (?:pour|chez|avec)|et si"),
    pronouns=word_set("il elle ils elles lui eux celui celle ceux cela ça y"),
    possessives=word_set("son sa ses leur leurs"),
    pointers=word_set("ce cet cette ces"),
    links=word_set("et mais ou alors parce si quand lorsque avant après que qui dont aussi"),
    prepositions=word_set(
        "en à au aux dans sur sous pour par de du des avec sans chez depuis jusqu'à vers entre pendant"
    ),
    determiners=word_set("le la les un une des mon ma mes notre nos"),
    asking=word_set("que quoi quand où qui pourquoi comment combien quel quelle quels quelles qu'est-ce"),
    identity=word_set("qui quel quelle quels quelles"),
    auxiliaries=word_set("est sont était étaient a ont avait peut peuvent doit doivent fut sera seront est-ce"),
    relations=word_set(
        "avantages inconvénients prix coût coûts délai délais exceptions conditions taille hauteur longueur poids"
        " âge auteur auteurs raison raisons cause causes effets symptômes traitement résultats différence but"
        " durée année date nom adresse exemples risques"
    ),
    more=_whole(
        r"(?:dis-m['’]en plus|plus de détails|continue|explique|pourquoi(?: pas)?|comment|par exemple|depuis quand"
        r"|par qui|et|quoi d['’]autre|vraiment|lesquels|lesquelles|lequel|laquelle)(?: s['’]il (?:te|vous) plaît)?"
    ),
    fillers=word_set("je tu nous vous on me se il-y-a plus beaucoup très ne pas ici dit signifie veut dire s'il plaît"),
)

SPANISH = FollowUpWords(
    openers=_starting(r"(?:y |pero )?qué (?:hay|pasa|ocurre|tal) (?:de|del|con)|y (?:para|con|en|si)(?= )"),
    pronouns=word_set("él ella ellos ellas ello eso esto aquello allí ahí le les"),
    possessives=word_set("su sus suyo suya"),
    pointers=word_set("ese esa esos esas este esta estos estas aquel aquella"),
    links=word_set("y e pero o entonces porque si cuando antes después que quien también"),
    prepositions=word_set("en a al por para de del con sin sobre bajo desde hasta entre durante según"),
    determiners=word_set("el la los las un una unos unas mi nuestro nuestra"),
    asking=word_set("qué cuándo dónde quién quiénes cuál cuáles cómo cuánto cuánta cuántos cuántas"),
    identity=word_set("quién quiénes cuál cuáles"),
    auxiliaries=word_set("es son era eran fue fueron está están ha han había puede pueden debe deben será hay"),
    relations=word_set(
        "ventajas desventajas precio coste costo plazo plazos excepciones requisitos condiciones tamaño altura"
        " longitud peso edad autor autores razón razones causa causas efectos síntomas tratamiento resultados"
        " diferencia propósito duración año fecha nombre dirección ejemplos riesgos"
    ),
    more=_whole(
        r"(?:dime más|cuéntame más|más detalles|continúa|explica|explícalo|por qué(?: no)?|cómo|por ejemplo"
        r"|desde cuándo|por quién|y|qué más|de verdad|cuáles)(?: por favor)?"
    ),
    fillers=word_set("yo tú nosotros me se lo más mucho muy no aquí hoy dice significa mucha muchos muchas favor"),
    drops_subjects=True,
)

ITALIAN = FollowUpWords(
    openers=_starting(r"(?:e |ma )?(?:che (?:dire|ne è) (?:di|del|della|dei)|(?:e )?(?:per|con|nel|nella|se)(?= ))"),
    pronouns=word_set("lui lei loro esso essa essi ciò lì là gli"),
    possessives=word_set("suo sua suoi sue"),
    pointers=word_set("questo questa questi queste quello quella quelli quelle"),
    links=word_set("e ed ma o allora perché se quando prima dopo che anche"),
    prepositions=word_set(
        "in nel nella nei a al alla per di del della dei con senza su sul da dal dalla tra fra durante"
    ),
    determiners=word_set("il lo la i gli le un uno una"),
    asking=word_set("che cosa quando dove chi perché come quale quali quanto quanta quanti quante cos'è"),
    identity=word_set("chi quale quali"),
    auxiliaries=word_set("è sono era erano fu furono ha hanno aveva può possono deve devono sarà"),
    relations=word_set(
        "vantaggi svantaggi prezzo costo costi scadenza eccezioni requisiti condizioni dimensione altezza"
        " lunghezza peso età autore ragione motivi causa cause effetti sintomi risultati differenza scopo durata"
        " anno data nome esempi"
    ),
    more=_whole(r"(?:dimmi di più|più dettagli|continua|spiega|perché(?: no)?|come|per esempio|da quando|da chi|e)"),
    fillers=word_set("io tu noi mi si ci più molto non qui oggi dice significa favore"),
    drops_subjects=True,
)

RUSSIAN = FollowUpWords(
    openers=_starting(r"(?:а|и) (?:как|что) (?:насчёт|насчет|с|со|об?)(?= )|а (?:для|в|во|у|если)(?= )"),
    pronouns=word_set("он она оно они его её ее их ему ей им ним ней них него неё нем нём нему там"),
    possessives=word_set("свой своя"),
    pointers=word_set("это этот эта эти этого этой тот та те того той"),
    links=word_set("и а но или если когда потому что чтобы который также"),
    prepositions=word_set("в во на по для от из с со без о об у к ко при под над между после до"),
    determiners=word_set("мой наш каждый все"),
    asking=word_set("что когда где кто кого почему зачем как какой какая какие какое сколько чей"),
    identity=word_set("кто какой какая какие какое"),
    auxiliaries=word_set("был была было были есть будет может могут"),
    relations=word_set(
        "преимущества недостатки цена стоимость срок исключения условия размер высота длина вес возраст автор"
    ),
    more=_whole(r"(?:подробнее|продолжай|объясни|почему|зачем|например|кем|а что ещё)"),
    fillers=word_set("я ты мы вы мне не ещё еще очень тут здесь ли же бы"),
    drops_subjects=True,
)

BY_LANGUAGE = {
    "en": ENGLISH,
    "de": GERMAN,
    "fr": FRENCH,
    "es": SPANISH,
    "it": ITALIAN,
    "ru": RUSSIAN,
}

# Chinese and Japanese: no spaces, so these are looked for as they stand.
CJK_POINTING = re.compile(
    "它们|他们|她们|它|他|她|这个|那个|這個|那個|这些|那些|這些|那些|这|那|這|それら?|これら?|その|この|彼女|彼|そこ"
)
CJK_OPENER = re.compile(r"^(?:那么?|那麼|那|では|じゃあ)?(?P<new>.{1,20}?)(?:呢|は)[?？]?$")
CJK_ASKING = re.compile(
    "为什么|為什麼|什么时候|什麼時候|什么|什麼|多少|有?多[高大长長远遠深重久]|哪里|哪儿|哪个|哪些|哪年|哪一年|谁|誰|怎么样?|如何|何时|是否|几|吗|嗎|呢"
    "|いつ|どこ|だれ|なぜ|どの|どれ|どう|いくら|いくつ|何|です|ます|ですか|ますか|か"
)

# Kinds of things by which something named before is called again, behind "the".
KINDS = word_set("""
    company firm author book film city country river agreement contract lease product drug medicine building tower
    lighthouse bridge museum machine device program software city village island mountain war king queen president
""")

# Verbs of English questions that end in no -ed.
PARTICIPLES = word_set(
    "built made sold held lost found written begun sent paid taken given known born set put cut laid bought"
    " done seen spent lent kept taught thought told won worn chosen drawn driven grown hidden led left met shown sung"
    " spoken torn"
)
DUMMY_IT = re.compile(
    r"\bit (?:is |be |was )?(?:true|possible|necessary|legal|allowed|safe|important|required|mandatory|better|worth|ok|"
    r"okay|common|normal|compulsory|advisable)\b|\bdoes it take .*\bto\b|\bit takes? .*\bto\b|\btime is it\b"
    r"|\bdoes it cost to\b|\bit costs? .*\bto\b",
    re.IGNORECASE,
)
# "There" that only says that something is.
DUMMY_THERE = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have) there\b|\bthere (?:is|are|was|were|has|have|be|been)\b", re.IGNORECASE
)
