"""Recognises an answer that says the documents hold none, in the words of the rules or in a model's own.

The rules give models a sentence to refuse with; small ones write their own all the same, and all of them may translate
it, as they are to answer in the language of the question. An answer is a refusal where every sentence of it is: one
that denies the documents the answer, at least one, and besides it only apologies, offers and remarks on what the
documents are about instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.grounding.prompt_rules import NOT_FOUND
from app.grounding.sentences import split_sentences

LONGEST_REFUSAL = 600
"""Characters. What is longer says more than no."""


@dataclass(frozen=True, slots=True)
class Words:
    """Regular expressions of one language: what names the documents, what denies, and what documents do or hold."""

    documents: str
    denial: str
    holding: str


LANGUAGES = (
    Words(
        r"(?:documents?|passages?|excerpts?|context|texts?|sources?|(?:provided|given) information)",
        r"(?:not|n['’]t|cannot|no|none|neither|nothing|nowhere|unable|without|lacks?|missing|fails? to|insufficient)",
        r"(?:contain|hold|mention|provid|includ|specif|say|says|said|stat|answer|discuss|address|cover"
        r"|indicat|describ|inform|detail|find|found|tell|determin|refer|there (?:is|are)|(?:is|are|was) (?:not|n['’]t)"
        r"|enough|sufficient|lack|missing)\w*",
    ),
    Words(
        r"(?:dokument\w*|unterlagen|passagen?|textstellen?|abschnitten?|auszüge\w*|texte?n?|kontext\w*|quellen?"
        r"|dateien?|informationen)",
        r"(?:nicht|nichts|kein\w*|weder|ohne|fehl\w*)",
        r"(?:enth(?:ä|a)lt\w*|enthalten\w*|erw(?:ä|a)hn\w*|antwort\w*|steht|stehen|angab\w*|angegeben|auskunft|hinweis\w*"
        r"|information\w*|find\w*|gefunden|beantwort\w*|genannt|nenn\w*|geht|hervor\w*|fehl\w*)",
    ),
    Words(
        r"(?:documents?|passages?|extraits?|textes?|contexte|sources?|fichiers?)",
        r"(?:ne|n['’]\w+|pas|aucun\w*|rien|sans)",
        r"(?:contien\w*|mentionn\w*|répon\w*|fourni\w*|indiqu\w*|précis\w*|trouv\w*|information\w*|dit|disent|permet\w*"
        r"|contenu\w*)",
    ),
    Words(
        r"(?:documentos?|pasajes?|fragmentos?|textos?|contexto|fuentes?|archivos?)",
        r"(?:no|ning[uú]n\w*|nada|sin|tampoco)",
        r"(?:contien\w*|mencion\w*|respuesta\w*|respond\w*|proporcion\w*|indic\w*|especific\w*|encontr\w*|encuentr\w*"
        r"|informaci\w*|dicen?|hay|inclu\w*)",
    ),
    Words(
        r"(?:document[io]|passagg[io]|brani|brano|test[io]|contesto|font[ei]|file)",
        r"(?:non|nessun\w*|nulla|niente|senza)",
        r"(?:conten\w*|contien\w*|menzion\w*|rispost\w*|rispond\w*|fornisc\w*|indic\w*|specific\w*|trov\w*"
        r"|informazion\w*|dic\w*|c['’]è)",
    ),
    Words(
        r"(?:documentos?|trechos?|passagens|textos?|contexto|fontes?|arquivos?|ficheiros?)",
        r"(?:não|nenhum\w*|nada|sem)",
        r"(?:cont[eéê]m|mencion\w*|resposta\w*|respond\w*|fornec\w*|indic\w*|especific\w*|encontr\w*|informaç\w*|diz\w*"
        r"|há)",
    ),
    Words(
        r"(?:documenten|document|passages?|fragment(?:en)?|teksten?|tekst|context|bronn?en|bron|bestand(?:en)?)",
        r"(?:niet|niets|geen|zonder)",
        r"(?:bevat\w*|vermeld\w*|noem\w*|genoemd|antwoord\w*|staat|staan|informatie|gevonden|vinden|geven|geeft)",
    ),
)
_DENYING = [
    re.compile(
        rf"(?=.*(?<!\w){words.documents}(?!\w))(?=.*(?:(?<!\w)|(?<=\w)(?=n['’]t)){words.denial}(?!\w))"
        rf"(?=.*(?<!\w){words.holding}(?!\w))",
        re.IGNORECASE | re.DOTALL,
    )
    for words in LANGUAGES
]
# What stands around a refusal: an apology, an offer, what the documents are about instead.
_BESIDES = re.compile(
    r"\W*(?:(?:i['’]?m |i am )?(?:very )?sorry|unfortunately|i apologi[sz]e|please|if you|let me know|feel free"
    r"|you (?:may|might|can|could)|more (?:information|context)"
    r"|i (?:cannot|can['’]?t|could not|couldn['’]t|do(?: not|n['’]t) know)"
    r"|(?:they|it|these|the (?:documents?|passages?|texts?|context|excerpts?)(?: provided| given)?)"
    r" (?:only|mainly|mostly|just|rather|instead|discuss|cover|focus|talk|describe|deal|are about|is about)"
    r"|leider|entschuldig|tut mir leid|bitte|falls sie|wenn sie|sie (?:behandeln|handeln|beschreiben)"
    r"|désolée?|malheureusement|veuillez|si vous|lo siento|por favor|si (?:desea|quiere|necesita)"
    r"|mi dispiace|per favore|lamento|desculpe|helaas|sorry)\b",
    re.IGNORECASE,
)


def is_refusal(text: str) -> bool:
    """Tell whether an answer says that the documents don't hold one.

    Meant for answers without footnotes: who cites a passage has found something.
    """
    if _letters(NOT_FOUND) in _letters(text):
        return True
    if len(text) > LONGEST_REFUSAL:
        return False
    sentences = [text[start:end] for start, end in split_sentences(text)]
    denying = [any(each.match(sentence) for each in _DENYING) for sentence in sentences]
    return any(denying) and all(
        denies or _BESIDES.match(sentence) for denies, sentence in zip(denying, sentences, strict=True)
    )


def _letters(text: str) -> str:
    return "".join(each for each in text.lower() if each.isalnum())
