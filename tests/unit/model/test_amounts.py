"""Numbers with their units: of one as of one, and minutes as people say them."""

import pytest

from services.model.amounts import amount, lasting
from services.model.condition_words import in_words
from services.model.rules import RuleTree


def test_one_is_one_in_both_languages():
    assert [amount(n, "day", "nl") for n in (0, 1, 2)] == ["0 dagen", "1 dag", "2 dagen"]
    assert [amount(n, "time", "en") for n in (1, 2)] == ["1 time", "2 times"]
    assert amount(1, "hour", "nl") == "1 uur"


@pytest.mark.parametrize(
    ("minutes", "dutch", "english"),
    [
        (0, "0 minuten", "0 minutes"),
        (1, "1 minuut", "1 minute"),
        (90, "1 uur en 30 minuten", "1 hour and 30 minutes"),
        (10_080, "7 dagen", "7 days"),
        (1_501, "1 dag, 1 uur en 1 minuut", "1 day, 1 hour and 1 minute"),
    ],
)
def test_minutes_become_days(minutes: int, dutch: str, english: str):
    assert (lasting(minutes, "nl"), lasting(minutes, "en")) == (dutch, english)


@pytest.mark.parametrize(
    ("condition", "dutch", "english"),
    [
        (
            {"type": "events", "event": ["click"], "within_days": 1},
            "op een link geklikt: minstens 1 keer in 1 dag",
            "link clicked: at least 1 time in 1 day",
        ),
        ({"type": "availability", "within_days": 1}, "binnen 1 dag", "within 1 day"),
        ({"type": "availability", "within_days": 0}, "nu beschikbaar", "available now"),
        (
            {"type": "time_in_phase", "any_of": ["do"], "at_least_days": 1, "less_than_days": 2},
            "minstens 1 dag en korter dan 2 dagen",
            "at least 1 day and less than 2 days",
        ),
    ],
)
def test_conditions_say_one_day(condition: dict[str, object], dutch: str, english: str):
    leaf = RuleTree.model_validate({"rule": condition}).rule
    assert dutch in in_words(leaf, "nl")
    assert english in in_words(leaf, "en")
