"""Names that have changed places are noticed, other ways to say the same are not."""

from __future__ import annotations

import pytest

from app.grounding.support_swaps import stand_in_for_each_other

WATSON = "On 10 March 1876 Alexander Graham Bell spoke over a wire to his assistant Thomas Watson in Boston."
FLOREY = "Howard Florey and Ernst Chain isolated it at Oxford from 1939 on."


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("Thomas Watson spoke over a wire to his assistant Alexander Graham Bell.", WATSON),
        ("On 10 March 1876 Boston spoke over a wire to his assistant Thomas Watson in Alexander Graham Bell.", WATSON),
        ("Howard Florey and Oxford isolated it at Ernst Chain.", FLOREY),
        ("Egypt was invaded by Britain's Suez.", "Egypt was invaded by Suez's Britain."),
        ("The army ruled Rome while Carthage fought it.", "The army ruled Carthage while Rome fought it."),
    ],
)
def test_names_that_changed_places(said: str, source: str) -> None:
    assert stand_in_for_each_other(said, source)


@pytest.mark.parametrize(
    ("said", "source"),
    [
        (WATSON, WATSON),
        ("Ernst Chain and Howard Florey isolated it at Oxford.", FLOREY),
        ("It was isolated at Oxford by Ernst Chain and Howard Florey.", FLOREY),
        ("In Boston Alexander Graham Bell spoke to Thomas Watson.", WATSON),
        ("Thomas Watson was spoken to by Alexander Graham Bell.", WATSON),
        ("Rome was at war with Carthage.", "Carthage was at war with Rome, and Rome was at war with Carthage."),
        ("", WATSON),
        (WATSON, ""),
        ("nothing has a capital here", "nor here"),
    ],
)
def test_other_ways_to_say_the_same(said: str, source: str) -> None:
    assert not stand_in_for_each_other(said, source)
