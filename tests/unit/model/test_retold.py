"""A life told anew for other rules, by the phases that are stored, against folding all of it."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.contract.phases import DAY_MS
from services.model.behaviour import judged
from services.model.course import Course
from services.model.retold import Life, retell
from services.model.rulebook import Rulebook
from services.model.rules.membership import whole
from services.model.timeline import advance
from tests.unit.model.journeys import MODEL, T0, agreed, event, quick
from tests.unit.model.rule_trees import lives, read, rules


def as_stored(events):
    """(state, phases and latency states) of somebody for whom no rule was kept."""
    state, intervals = advance(None, events, MODEL, Rulebook())
    return state, [one._replace(event_id=None) for one in intervals]


def told_anew(events, rulebook):
    state, steps = as_stored(events)
    return retell(Life(state, Course(steps), events), rulebook, MODEL)


def kept(state, rulebook):
    return {key: ring for key, ring in state.rings_ms.items() if key in rulebook.memories.keys}


@quick
@given(lives(), rules(), rules(), st.data())
def test_it_is_what_folding_draws(events, one, other, data):
    rulebook = Rulebook(tuple(whole({"one": one, "other": other}).items()))
    lived = judged(events)
    state, intervals = advance(None, lived, MODEL, rulebook)
    drawn = told_anew(lived, rulebook)
    assert drawn is not None
    assert set(drawn.pieces) == {piece for piece in intervals if piece.kind == "segment"}
    assert drawn.rings_ms == kept(state, rulebook)
    cut = data.draw(st.integers(1, len(lived)))
    earlier = advance(None, lived[:cut], MODEL, rulebook)[0]
    assert drawn.rings_ms or drawn.forgot or not kept(earlier, rulebook)


def test_whoever_came_out_otherwise_is_not_told_anew():
    life = [agreed(), event("vacancy_viewed", T0 + DAY_MS), event("page", T0 + 2 * DAY_MS)]
    rulebook = Rulebook(tuple(whole({"s": read({"type": "engagement", "at_least": 1})}).items()))
    assert told_anew(life, rulebook) is not None
    state, steps = as_stored(life)
    other = msgspec.structs.replace(state.score, p=[*state.score.p[1:], state.score.p[0]])
    for stored in (
        msgspec.structs.replace(state, score=other),
        msgspec.structs.replace(state, events=4),
        msgspec.structs.replace(state, score=None),
    ):
        assert retell(Life(stored, Course(steps), life), rulebook, MODEL) is None
    assert retell(Life(state, Course(steps), []), rulebook, MODEL) is None
