"""Events, states and random journeys for the model's tests."""

import itertools
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from services.contract.event import LINK_SOURCE_ID, Consent, Event, Machine, event_id_of
from services.contract.phases import DAY_MS, HOUR_MS
from services.model.fold import fold
from services.model.rulebook import Rulebook
from services.model.rules.condition import Node
from services.model.state import Mail, PersonState, Score
from services.model.version import SIZE, load

MODEL = load()
T0 = 1_760_000_000_000
MINUTE_MS = 60_000
AGREED = Consent(measure=True, profile=True)
REFUSED = Consent(measure=True, profile=False)

quick = settings(derandomize=True, deadline=None, max_examples=60, database=None)

_numbers = itertools.count(1)


def event(type_: str, at_ms: int = T0, **fields: Any) -> Event:
    """An event with what matters given, and a number of its own."""
    number = next(_numbers)
    return Event(
        v=1,
        workspace_id=1,
        event_id=fields.pop("event_id", number.to_bytes(16, "big")),
        # Mails tell by their links; a page's key, which anybody has, tells of none.
        source_id=fields.pop("source_id", LINK_SOURCE_ID if "message_id" in fields else 1),
        type=type_,
        occurred_ms=at_ms,
        received_ms=at_ms,
        channel=fields.pop("channel", "email" if "message_id" in fields else "website"),
        **fields,
    )


def agreed(at_ms: int = T0) -> Event:
    return event("identified", at_ms, consent=AGREED)


def folded(*events: Event, rules: tuple[Node, ...] = ()) -> PersonState:
    """The state after events, with what rules ask to be kept."""
    memories = Rulebook(tuple(("", rule) for rule in rules)).memories
    state: PersonState | None = None
    for each in events:
        state = fold(state, each, MODEL, memories)
    assert state is not None
    return state


def score_of(state: PersonState) -> Score:
    assert state.score is not None
    return state.score


_GAPS_MS = st.one_of(
    st.just(0),
    st.just(1),
    st.integers(0, 40 * MINUTE_MS),
    st.integers(0, 30 * HOUR_MS),
    st.integers(0, 12 * DAY_MS),
    st.integers(0, 150 * DAY_MS),
    st.sampled_from([30 * MINUTE_MS, 4 * DAY_MS, 7 * DAY_MS, 399 * DAY_MS, 900 * DAY_MS]),
)
_ACTS = st.sampled_from(
    ["page", "read", "vacancy_viewed", "play", "share", "download", "application_started"] * 3
    + ["magazine_page"] * 3
    + ["sign_up", "applied", "comment", "custom"]
)
_MAIL_ACTS = st.sampled_from(["sent", "sent", "delivered", "open", "open", "click"])


@st.composite
def journeys(draw: st.DrawFn, *, employment: bool = False, least: int = 0) -> list[Event]:
    """A person's events in canonical order; the first agrees to be scored."""
    at = T0
    events = [agreed(at)]
    rare = ["unsubscribe", "bounce", "identified"] + (["hired", "left"] if employment else [])
    for number in range(draw(st.integers(least, 25))):
        at += draw(_GAPS_MS)
        family = draw(st.integers(0, 19))
        fields: dict[str, Any] = {
            "event_id": event_id_of(1, 1, str(number)),
            "machine": Machine(p=0.9 if draw(st.integers(0, 9)) == 0 else 0.0),
        }
        if family == 0:
            type_ = draw(st.sampled_from(rare))
            fields["consent"] = draw(st.sampled_from([Consent(), Consent(), AGREED, REFUSED]))
            fields["server_only"] = draw(st.booleans())
            fields["channel"] = draw(st.sampled_from(["email", "magazine"]))
        elif family < 9:
            type_ = draw(_MAIL_ACTS)
            mailing = draw(st.integers(0, 1 + number // 4))
            fields["message_id"] = f"m{mailing}"
            fields["channel"] = "magazine" if mailing % 3 == 1 else "email"
        else:
            type_ = draw(_ACTS)
            topics = draw(st.lists(st.sampled_from("abc"), max_size=2))
            fields["properties"] = {"topics": topics, "content_phase": "think"}
        if type_ in {"click", "page"} and draw(st.booleans()):
            fields["click_id"] = f"c{draw(st.integers(0, 3))}"
        if type_ == "click" and draw(st.booleans()):
            fields["content_type"] = "vacancy"
        events.append(event(type_, at, **fields))
    return sorted(events, key=lambda e: (e.occurred_ms, e.event_id))


@st.composite
def probabilities(draw: st.DrawFn) -> list[float]:
    """Fifteen with sum 1, some of them overwhelming, some next to nothing."""
    logs = draw(st.lists(st.floats(-25.0, 0.0), min_size=SIZE, max_size=SIZE))
    raw = [2.0**x for x in logs]
    total = sum(raw)
    return [x / total for x in raw]


@st.composite
def scored_states(draw: st.DrawFn) -> PersonState:
    """Somebody with any probabilities, signals and mails underway."""
    mails = [
        Mail(
            f"m{i}",
            close_ms=T0 + draw(st.sampled_from([1, HOUR_MS, DAY_MS, 4 * DAY_MS])),
            opened=draw(st.booleans()),
            clicked=draw(st.integers(0, 4)) == 0,
            by_machine=draw(st.booleans()),
            issue=draw(st.integers(0, 3)) == 0,
        )
        for i in range(draw(st.integers(0, 4)))
    ]
    on_ms = st.one_of(st.none(), st.integers(T0 - 20 * DAY_MS, T0))
    score = Score(
        p=draw(probabilities()),
        since_ms=T0 - 100 * DAY_MS,
        at_ms=T0,
        mails=mails,
        turning_ms=draw(on_ms),
        active_ms=draw(on_ms),
        milestone_until_ms=T0 + draw(st.sampled_from([-1, 0, 1, DAY_MS, 90 * DAY_MS])),
    )
    return PersonState(at_ms=T0, at_id=bytes(16), first_ms=T0, profile=True, score=score)
