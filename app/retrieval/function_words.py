"""Commonest words of some languages, folded as search texts are: they tell a text's language and say little else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import chain, repeat

from app.settings.resources import resource

# The commonest English words: found by nothing else, they would make every search read half of the index.
STOP_WORDS = frozenset(
    word
    for line in (
        "a an and are as at be but by can could did do does for from had has have how i if in into is it its me my",
        "no not of on or our should so such that the their them then there these they this to us was we were what",
        "when where which who whom whose why will with would you your",
    )
    for word in line.split()
)
_LANGUAGES = {
    "da": "af at blev da de den der det du efter eller en er et for fra har hun hvad hvem hvilken hvor hvordan hvornar"
    " ikke jeg kan med mod nar og om over pa sig skal som til under var ved vil",
    "de": "als am an auch auf aus bei bis das dass dem den der des die durch ein eine einem einen einer eines er es fur"
    " gegen hat hatte ich ihr im in ist kann mit nach nicht noch nur oder sein sich sie sind uber um und unter von vor"
    " wann war warum was welche welchem welchen welcher welches wem wen wer werden wie wieso wieviel wo woher wohin"
    " wurde wurden zu zum zur zwischen",
    "es": "a al ante como con contra cual cuales cuando cuanta cuantas cuanto cuantos de del desde donde durante e el"
    " ella ellos en entre era es esta este esto fue fueron ha hacia han hasta hay la las le les lo los mas muy no o"
    " para pero por porque que quien quienes se ser si sin sobre son su sus tras un una unas unos y ya",
    "fi": "ei etta han he hanen ja jos joka jotka kanssa kuin kuinka kuka kun mika mikka mita missa milloin miksi mutta"
    " myos ne niin nyt oli olla olivat on ovat se sen sita tai tama ta vain voi",
    "fr": "a au aux avec ce ces cette comment combien dans de des du elle elles en entre est et etait ete il ils la le"
    " les leur leurs lors mais ne ont ou par pas plus pour pourquoi quand que quel quelle quelles quels qui quoi sa"
    " sans se ses son sont sous sur un une",
    "hu": "a az egy es hogy hol hogyan ki kik ha is ezt azt mely melyik mennyi meg mi miert mikor mit nem sem vagy van"
    " volt",
    "it": "a ai al alla alle anche che chi come con cosa da dal dalla dei del della delle di dove e era gli ha hanno i"
    " il in la le lo ma nel nella non o per perche piu quale quali quando quanta quante quanti quanto si sono su sul"
    " tra un una uno",
    "nl": "aan als bij dat de deze die dit door een en er had heeft het hij hoe hoeveel hun in is maar met naar niet"
    " nog of om onder ook op over te tegen tot uit van voor waar waarom wanneer was wat welk welke werd wie ze zich"
    " zijn",
    "no": "av at ble da de den der det du eller en er et etter for fra har hun hva hvem hvilken hvor hvordan ikke jeg"
    " kan med mot nar og om over pa seg skal som til under var ved vil",
    "pt": "a ao aos as com como da das de do dos e ela eles em entre era essa este foi foram mais mas na nas nao no nos"
    " o onde os ou para pela pelo por porque qual quais quando quanta quantas quanto quantos que quem se sem ser seu"
    " sua sao sobre um uma",
    "ru": "а без бы был была были было в во все где да для до его ее если же за и из или их к как какая какие какои"
    " какое когда кто ли между на над не но о об он она они от по под почему при с сколько со так то у что это",
    "sv": "alla att av blev da de den det du efter eller en er ett for fran han har hon hur hurdan i inte jag kan man"
    " med mellan mot nar och om over pa sig ska som till under ut vad vem vid vilka vilken vilket var varfor",
}
FEW = 2
"""Function words that tell a language at least."""

TELLING_PART = 8
"""At least one word in so many must be one."""

LOOKED_AT = 200
# What asks in Chinese (both scripts), Japanese and Korean; it stands in questions and hardly in answers.
_ASKING = re.compile(
    "为什么|為什麼|什么(?:时候|地方|样)?|什麼(?:時候|地方|樣)?|有多[大高远深重快]|有多[遠]|哪[些个個里裡儿兒种種年位座次条一两]?|谁|誰|多少|多久|多长时间|多長時間|多长|多長|如何|怎样|怎樣|怎么样?|怎麼樣?"
    "|为何|為何|何时|何時|何地|何处|何處|是否|几(?=[个種种年位座次条名])|幾(?=[個種年位座次條名])|[吗嗎呢]"
    "|何(?=[のをがにでか])|どこ|いつ|だれ|なぜ|どの|どれ|どう|いくら|いくつ|(?:です|ます)か|무엇|누구|어디|언제|어떻게|얼마"
)
# What joins words of Chinese (both scripts), Japanese and Korean, or stands beside nearly any of them.
_PARTICLES = frozenset(
    "的了是在和与與有为為被对對也就都而及或之以于於從从到由这這那其着著把让讓使比向当當所会會能可要得去来來过過还還很最更"
    "每此它他她们們些样樣个個种種时時后後前里裡上下中间間内內外用给給"
    "はがをにでとのもへやか은는이가을를의에"
)


def text_language(words: Sequence[str]) -> str | None:
    """ISO 639-1 code of the language whose function words clearly prevail among folded words; None for English."""
    looked_at = words[:LOOKED_AT]
    counts = Counter(chain.from_iterable(map(_languages_of().get, looked_at, repeat(()))))
    if not counts:
        return None
    best, count = max(counts.items(), key=lambda item: (item[1], item[0]))
    telling = count >= FEW and count * TELLING_PART >= len(looked_at)
    return best if telling and count > sum(map(STOP_WORDS.__contains__, looked_at)) else None


def function_words(language: str | None) -> frozenset[str]:
    """The function words of a language that ``text_language`` tells; the English ones for None."""
    return STOP_WORDS if language is None else _function_words()[language]


def without_asking(text: str) -> str:
    """A question without the words that ask, for scripts written without spaces; they leave a gap."""
    return text if text.isascii() else _ASKING.sub(" ", text)


def holds_particle(pair: str) -> bool:
    """Whether a pair of characters holds one that only joins words."""
    return not _PARTICLES.isdisjoint(pair)


@cache
def common_pairs() -> frozenset[str]:
    """The commonest Chinese words of two characters, in both scripts."""
    return frozenset(resource("retrieval", "common_chinese.txt").read_text(encoding="utf-8").split())


@cache
def _function_words() -> dict[str, frozenset[str]]:
    return {language: frozenset(line.split()) for language, line in _LANGUAGES.items()}


@cache
def _languages_of() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for language, held in _function_words().items():
        for word in held:
            found[word] = (*found.get(word, ()), language)
    return found
