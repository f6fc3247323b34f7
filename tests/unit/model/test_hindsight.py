"""A rule drawn over the past without folding, against folding all of it."""

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from services.contract.event import LISTED
from services.contract.phases import DAY_MS
from services.model.behaviour import judged
from services.model.glimpse import glimpse
from services.model.hindsight import Drawn, Hindsight, Person
from services.model.interval import Interval
from services.model.rulebook import Rulebook
from services.model.rules.membership import whole
from services.model.state import PersonState, encode_state
from services.model.timeline import advance
from tests.unit.model.journeys import MODEL, T0, agreed, event, quick
from tests.unit.model.rule_trees import lives, read, rules

TOLD = ("phase", "latency_state", "events", "first_event", "last_event", "attribute")
PAGES = {"type": "events", "event": ["page"], "at_least": 2, "within_days": 10}


def as_stored(events, rulebook):
    """(state, phases and latency states, pieces of the rules) by folding all."""
    state, intervals = advance(None, events, MODEL, rulebook)
    steps = [one._replace(event_id=None) for one in intervals if one.kind != "segment"]
    return state, steps, [one for one in intervals if one.kind == "segment"]


def in_hindsight(hindsight, events, state, steps) -> tuple[Drawn | None, bool]:
    """What comes out for a person who fits, as the scorer asks; and whether all were gone through.

    The state is one that holds nothing that the rules ask for.
    """
    seen = glimpse(encode_state(msgspec.structs.replace(state, rings_ms={})))
    asked = hindsight.types
    steps = [one for one in steps if one.kind in hindsight.kinds]
    for types in (asked, None):
        known = [e for e in events if types is None or e.type in types | {LISTED}]
        drawn = hindsight.draw(Person(seen, steps, judged(known), types is None))
        if drawn is not None:
            return drawn, types is None
    return None, True


def with_causes(pieces, events, state: PersonState) -> set[Interval]:
    last = {one.occurred_ms: one.event_id for one in events}
    return {
        one._replace(event_id=last.get(one.from_ms) if one.from_ms <= state.at_ms else None)
        for one in pieces
    }


@quick
@given(lives(employment=False), rules(TOLD), rules(TOLD), st.data())
def test_it_is_what_folding_draws(events, one, other, data):
    referring = read({"type": "not", "rule": {"type": "in_segment", "segment": "one"}})
    nodes = whole({"one": one, "other": other, "referring": referring})
    rulebook = Rulebook(tuple(nodes.items()))
    told = [
        msgspec.structs.replace(
            each,
            type=LISTED,
            content_id="one",
            properties={"list": data.draw(st.sampled_from(["in", "out", "none"]))},
        )
        if data.draw(st.integers(0, 9)) == 0 and each is not events[0]
        else each
        for each in events
    ]
    lived = judged(told)
    state, steps, wanted = as_stored(lived, rulebook)
    hindsight = Hindsight(rulebook, MODEL)
    assume(hindsight.is_enough and hindsight.fits(state, steps))
    drawn, _ = in_hindsight(hindsight, told, state, steps)
    assume(drawn is not None)
    last = {each.occurred_ms: each.event_id for each in lived}
    assume(drawn.last_then is None or last[drawn.last_then[0]] == drawn.last_then[1])
    assert with_causes(drawn.pieces, lived, state) == set(wanted)
    asked = {memory.key for memory in hindsight.memories}
    assert drawn.rings_ms == {key: ring for key, ring in state.rings_ms.items() if key in asked}
    cut = data.draw(st.integers(1, len(lived)))
    earlier, _ = advance(None, lived[:cut], MODEL, rulebook)
    assert drawn.rings_ms or drawn.forgot or not earlier.rings_ms.keys() & asked


def test_most_people_need_no_more_than_what_is_asked_about():
    life = [agreed()] + [event("page", T0 + day * DAY_MS) for day in (1, 2, 30, 33, 39, 50)]
    rulebook = Rulebook(tuple(whole({"s": read(PAGES)}).items()))
    state, _, wanted = as_stored(life, rulebook)
    hindsight = Hindsight(rulebook, MODEL)
    assert (hindsight.types, hindsight.reads_steps) == (frozenset({"page"}), False)
    assert hindsight.fits(state, ())
    drawn, whole_life = in_hindsight(hindsight, life, state, ())
    assert not whole_life
    assert len(wanted) == 2
    assert with_causes(drawn.pieces, life, state) == set(wanted)


def test_of_a_click_what_it_led_to_must_be_known():
    day = T0 + DAY_MS
    life = [agreed(), event("read", day, click_id="c"), event("page", day + 1, click_id="c")]
    rulebook = Rulebook(tuple(whole({"s": read(PAGES | {"at_least": 1})}).items()))
    state, steps, wanted = as_stored(life, rulebook)
    drawn, whole_life = in_hindsight(Hindsight(rulebook, MODEL), life, state, steps)
    assert whole_life
    assert drawn.pieces == wanted == []


def test_who_was_followed_twice_has_to_be_folded():
    no = event("consent_changed", T0 + DAY_MS, consent=agreed().consent)
    no = msgspec.structs.replace(no, consent=msgspec.structs.replace(no.consent, profile=False))
    life = [agreed(), event("page", T0 + 1), no, agreed(T0 + 2 * DAY_MS)]
    rulebook = Rulebook(tuple(whole({"s": read(PAGES)}).items()))
    state, steps, _ = as_stored(life, rulebook)
    assert not Hindsight(rulebook, MODEL).fits(state, steps)
    assert not Hindsight(rulebook, MODEL).fits(state, ())


def test_what_the_filter_alone_knows_has_to_be_folded():
    for rule in (
        {"type": "probability", "of": "openness", "at_least": 0.5},
        {"type": "engagement", "at_least": 3},
        {"type": "time_in_phase", "any_of": ["see"], "at_least_days": 3},
        {"type": "attribute_date", "name": "a", "from_days": 0, "to_days": 9, "every_year": True},
    ):
        rulebook = Rulebook(tuple(whole({"s": read(rule)}).items()))
        assert not Hindsight(rulebook, MODEL).is_enough
