"""Answers that say no, in the words of the rules and in those that models find themselves."""

from __future__ import annotations

import pytest

from app.grounding.prompts import NOT_FOUND
from app.grounding.refusals import LONGEST_REFUSAL, is_refusal

REFUSALS = [
    NOT_FOUND,
    f"**{NOT_FOUND.replace(chr(39), '’')}** Sorry!",
    "The provided passages do not mention anything about insurance.",
    "I'm sorry, but the passages don't contain any information about the deposit.",
    "There is no information about the height of the tower in the provided documents.",
    "None of the passages mention when the shed was built.",
    "I could not find an answer to this question in the given texts.",
    "The context doesn’t say who wrote the letter. Please provide more documents.",
    "The documents are silent here: nothing in the passages answers this.",
    "The passages do not say what it costs. They only describe how seeds are kept.",
    "Based on the passages, it is not possible to determine the price.",
    "Ihre Dokumente enthalten keine Antwort auf diese Frage.",
    "Leider steht dazu nichts in den Unterlagen.",
    "Die Textstellen erwähnen keine Versicherung.",
    "In den Dokumenten finde ich keine Angaben zur Höhe der Kaution.",
    "Vos documents ne contiennent pas de réponse à cette question.",
    "Les passages ne mentionnent pas l'assurance.",
    "Sus documentos no contienen una respuesta a esta pregunta.",
    "Lo siento. Los textos no mencionan el precio.",
    "I documenti non contengono una risposta a questa domanda.",
    "Os documentos não contêm uma resposta a esta pergunta.",
    "Uw documenten bevatten geen antwoord op deze vraag.",
]
ANSWERS = [
    "",
    "The pier was built in 1887.",
    "No dogs are allowed on the beach.",
    "The passages were carved in 1887.",
    "Documents must not be taken out of the archive.",
    "Keep the file closed; it is not to be given to anybody.",
    "The passages do not mention insurance. It usually costs 60 euros a year.",
    "There is no charge for children under six.",
    "Die Schlüssel dürfen nicht weitergegeben werden.",
    "Les chiens ne sont pas admis.",
    "No se admiten perros.",
    "Non sono ammessi cani.",
    "Honden zijn niet toegestaan.",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_recognised_in_the_words_that_models_find(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_that_denies_something_is_no_refusal(text: str) -> None:
    assert not is_refusal(text)


def test_a_long_answer_says_more_than_no() -> None:
    assert not is_refusal("The passages do not mention insurance. " * (LONGEST_REFUSAL // 30))
