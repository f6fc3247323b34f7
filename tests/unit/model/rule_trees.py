"""Random segment rules of every kind, and people who did what these ask about."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from services.contract.event import Agreement, Consent, Event, Identity
from services.model.rules import RuleTree
from services.model.rules.tree import AllOf, AnyOf, Not, Rule
from tests.unit.model.journeys import journeys

TYPES = ["page", "read", "open", "click", "sent"]
TOPICS = ["a", "b", "c"]
_DAYS = st.sampled_from([1, 7, 30, 90, 365])
_PHASES = st.lists(st.sampled_from(["see", "think", "do", "care"]), min_size=1, max_size=3)


def _kind(type_: str, **fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    given = {
        name: value if isinstance(value, st.SearchStrategy) else st.just(value)
        for name, value in fields.items()
    }
    return st.fixed_dictionaries({"type": st.just(type_), **given})


def _bound(low: float, high: float) -> st.SearchStrategy[dict[str, float]]:
    value = st.floats(low, high).map(lambda x: round(x, 3))
    return st.one_of(
        st.fixed_dictionaries({"at_least": value}), st.fixed_dictionaries({"below": value})
    )


def _with(
    base: st.SearchStrategy[dict[str, Any]], more: st.SearchStrategy[dict[str, Any]]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(base, more).map(lambda two: two[0] | two[1])


def _span(suffix: str) -> st.SearchStrategy[dict[str, int]]:
    low, high = f"at_least_days{suffix}", f"less_than_days{suffix}"
    return st.one_of(
        _DAYS.map(lambda days: {low: days}),
        _DAYS.map(lambda days: {high: days}),
        st.tuples(_DAYS, _DAYS).map(lambda two: {low: two[0], high: two[0] + two[1]}),
    )


def _count(most: int) -> st.SearchStrategy[dict[str, int]]:
    number = st.integers(1, most)
    return st.one_of(
        number.map(lambda n: {"at_least": n}),
        st.integers(0, most).map(lambda n: {"at_most": n}),
        st.tuples(number, number).map(lambda t: {"at_least": t[0], "at_most": t[0] + t[1]}),
    )


_HAPPENING = st.fixed_dictionaries(
    {"event": st.lists(st.sampled_from(TYPES), max_size=2)},
    optional={
        "topic": st.lists(st.sampled_from(TOPICS), min_size=1, max_size=2),
        "campaign": st.lists(st.sampled_from(["m0", "m1", "spring"]), min_size=1, max_size=2),
        "channel": st.just(["website"]),
        "properties": st.just([{"name": "seconds", "op": "greater", "value": 30}]),
    },
)
_CHANNEL = st.sampled_from([None, "email", "magazine"])

LEAVES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "phase": _kind("phase", any_of=_PHASES),
    "time_in_phase": _with(_kind("time_in_phase", any_of=_PHASES), _span("")),
    "latency_state": _kind(
        "latency_state",
        any_of=st.lists(
            st.sampled_from(["latent_latent", "actively_latent", "active"]), min_size=1, max_size=2
        ),
    ),
    "probability": _with(
        _kind(
            "probability",
            of=st.sampled_from(["openness", "latent_latent", "actively_latent", "active"]),
        ),
        _bound(0.01, 0.95),
    ),
    "engagement": _with(
        _kind(
            "engagement",
            of=st.sampled_from(["engaged", "against"]),
            topic=st.sampled_from([None, *TOPICS]),
        ),
        _bound(0.05, 20),
    ),
    "interest": _with(
        _kind("interest", topic=st.lists(st.sampled_from(TOPICS), min_size=1, max_size=2)),
        st.one_of(
            st.floats(0.05, 1).map(lambda x: {"share_at_least": round(x, 2)}),
            st.integers(1, 3).map(lambda n: {"among_strongest": n}),
        ),
    ),
    "events": _with(
        _with(_HAPPENING, _count(4)),
        _kind("events", within_days=st.sampled_from([1, 7, 30, 365, 3650])),
    ),
    "first_event": _with(_with(_HAPPENING, _span("_ago")), _kind("first_event")),
    "last_event": _with(_with(_HAPPENING, _span("_ago")), _kind("last_event")),
    "attribute": _kind(
        "attribute",
        name=st.sampled_from(["a", "topics", "born"]),
        op=st.sampled_from(["known", "unknown"]),
    ),
    "attribute_date": st.one_of(
        _kind(
            "attribute_date",
            name="born",
            from_days=st.integers(-200, 30),
            to_days=st.integers(30, 200),
        ),
        _kind(
            "attribute_date",
            name="born",
            every_year=True,
            from_days=st.sampled_from([-365, -100, -1, 0, 5]),
            to_days=st.sampled_from([5, 60, 264, 365]),
        ),
    ),
    "identity": _kind("identity", namespace=st.sampled_from(["email", "ats"]), known=st.booleans()),
    "consent": _kind(
        "consent",
        purpose=st.sampled_from(
            ["measure", "profile", "contact", "contact_mail", "contact_phone", "share"]
        ),
        answer=st.sampled_from(["yes", "no", "none"]),
    ),
    "pressure": _with(_kind("pressure", channel=_CHANNEL, within_days=_DAYS), _count(5)),
    "cadence": _kind("cadence", every_days=_DAYS, channel=_CHANNEL, due=st.booleans()),
    "availability": st.one_of(
        _kind(
            "availability",
            within_days=st.sampled_from([0, 30, 200]),
            source=st.sampled_from([None, "said", "calendar"]),
        ),
        _kind("availability", answer=st.sampled_from(["unavailable", "unknown"])),
    ),
    "machine_share": _with(_kind("machine_share", of_at_least=st.integers(1, 5)), _bound(0.1, 1)),
}
"""By type, conditions that stand by themselves."""


def read(written: dict[str, Any]) -> Rule:
    """A rule as the API reads it."""
    return RuleTree.model_validate({"rule": written}).rule


def leaf(type_: str) -> st.SearchStrategy[Rule]:
    """Conditions of a type."""
    return LEAVES[type_].map(read)


def rules(types: Collection[str] = LEAVES) -> st.SearchStrategy[Rule]:
    """Trees of up to a few levels, of all types of conditions or of some."""
    return st.recursive(
        st.one_of([leaf(type_) for type_ in sorted(types)]),
        lambda part: st.one_of(
            st.builds(
                AllOf, type=st.just("all"), rules=st.lists(part, min_size=1, max_size=3).map(tuple)
            ),
            st.builds(
                AnyOf, type=st.just("any"), rules=st.lists(part, min_size=1, max_size=3).map(tuple)
            ),
            st.builds(Not, type=st.just("not"), rule=part),
        ),
        max_leaves=6,
    )


@st.composite
def lives(draw: st.DrawFn, *, employment: bool = True) -> list[Event]:
    """Journeys of people of whom more is told."""
    return [_more(draw, event) for event in draw(journeys(employment=employment))]


def _more(draw: st.DrawFn, event: Event) -> Event:
    what = draw(st.integers(0, 12))
    told: dict[str, Any] = {}
    changes: dict[str, Any] = {}
    if event.type == "identified" and what < 9:
        told["born"] = draw(_DATES)
    if what == 1:
        changes["identities"] = (Identity("user_id", "u"), Identity("email", "a@example.org"))
    elif what == 2:
        purposes = {draw(st.sampled_from(["contact_mail", "share"])): draw(st.booleans())}
        changes["agreement"] = Agreement(purposes=purposes)
    elif what == 3:
        said = event.consent
        changes["consent"] = Consent(said.measure, said.profile, draw(st.booleans()))
    elif what == 4:
        told |= {"campaign": {"name": "spring"}, "seconds": draw(st.integers(0, 60))}
    elif what == 5:
        told |= {"available": draw(st.booleans()), "available_from": draw(_SOON)}
    elif what == 6:
        told |= {"available_until": draw(_SOON)}
    elif what in {7, 8}:
        changes |= {"content_type": "project", "content_id": f"p{what}"}
        told["starts_on"] = draw(_SOON)
    return msgspec.structs.replace(event, properties=event.properties | told, **changes)


_TODAY = date(2025, 10, 9)
_DATES = st.one_of(
    st.integers(-900, 900).map(lambda days: (_TODAY + timedelta(days)).isoformat()),
    st.sampled_from(["2024-02-29", "2020-02-29", "soon", 7]),
)
_SOON = st.integers(-30, 400).map(lambda days: (_TODAY + timedelta(days)).isoformat())
