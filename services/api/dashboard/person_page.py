"""One person: where they stand, how they came there, and why."""

from typing import Any

from sqlalchemy import Connection, Row

from services.api.context import Context
from services.api.dashboard.agreed import agreed, why_not
from services.api.dashboard.by_time import named
from services.api.dashboard.habits import habits_of
from services.api.dashboard.journey import journey_of, moments_done
from services.api.dashboard.movers import MACHINES, NAME_KEYS, name_of
from services.api.dashboard.reasons import alone, reasons_of
from services.api.dashboard.standing import standing
from services.api.dashboard.texts import Words
from services.api.dashboard.titles import mailings_of, title_of, titles_of
from services.api.people import identities_of, state_at
from services.api.person_view import show_phase
from services.api.phases import stretches
from services.api.record import events_of, history_of
from services.contract.event import MACHINE_THRESHOLD, Event, Identity
from services.model.explain import explain
from services.model.path import Path
from services.model.procedure import Procedures
from services.model.state import PersonState

EVENTS_MAX = 40
PHASES_MAX = 12
ATTRIBUTES_MAX = 8
IDENTITIES_MAX = 8


def person_page(
    connection: Connection, here: Context, row: Row[Any], words: Words
) -> dict[str, Any]:
    """What the template of a person's page shows."""
    now_ms = here.clock()
    state = state_at(connection, row, now_ms, None, here.model)
    identities = identities_of(connection, row.workspace_id, [row.id])[row.id]
    events = events_of(connection, row.workspace_id, row.id, newest=2 * EVENTS_MAX)
    path = Path(state, here.model) if state is not None else None
    chances = path.states_at(now_ms) if path is not None and path.scored else None
    phases = stretches(connection, row, "phase", None)
    phase = next((p for p in phases if _holds(p, now_ms)), None)
    moments_ms: list[int] = []
    procedures = Procedures[Event]()
    history = procedures.heard(history_of(connection, row.workspace_id, row.id))
    explanation = explain(moments_done(history, moments_ms), here.model, now_ms)
    procedure = procedures.latest(now_ms)
    shown = events[: -EVENTS_MAX - 1 : -1]
    notable = [] if explanation is None else [c.event for c in alone(explanation.contributions)]
    titled = [*shown, *notable, procedure]
    ids = [event.content_id for event in titled if event is not None]
    titles = titles_of(connection, row.workspace_id, ids)
    titles |= mailings_of(connection, row.workspace_id, [event.message_id for event in shown])
    followed = [p for p in phases if p.valid_to_ms is None or p.valid_to_ms > row.first_ms]
    inferred = phase is not None and _is_inferred(phase, state, now_ms)
    return {
        "name": name_of(state, identities, row.public_id, words),
        "attributes": _attributes(state, {i.value.lower() for i in identities}, words),
        **_known_as(identities, words),
        "standing": standing(phase, explanation, chances, words, now_ms, inferred=inferred),
        "habits": habits_of(state, words, now_ms, here.model),
        "openness": None if chances is None else chances[1] + chances[2],
        "phases": followed[-PHASES_MAX:],
        "picture": journey_of(followed, moments_ms, now_ms, words),
        "now_ms": now_ms,
        "agreed": agreed(connection, row, words),
        "why_not": why_not(state, words),
        "reasons": [] if explanation is None else reasons_of(explanation, titles, words),
        "procedure": None if procedure is None else _in_procedure(procedure, words, titles),
        "events": [_event(event, words, titles) for event in shown],
        "happened": 0 if state is None else state.events,
    }


def _known_as(identities: list[Identity], words: Words) -> dict[str, Any]:
    """What people read of somebody's identities; the others are folded away."""
    read = [one for one in identities if one.namespace not in MACHINES] or identities[:1]
    shown = read[:IDENTITIES_MAX]
    others = [one for one in identities if one not in shown]
    told = words["identity_other" if len(others) == 1 else "identities_other"]
    named, folded = (
        [(words.namespace(one.namespace), one.value) for one in some] for some in (shown, others)
    )
    return {
        "identities": named,
        "other_identities": folded,
        "others": told.format(number=len(others)),
    }


def _is_inferred(phase: Row[Any], state: PersonState | None, now_ms: int) -> bool:
    """By the estimate alone: nothing that the person did says it outright."""
    if phase.key == "do":
        return show_phase(phase, state, now_ms).inferred
    return bool(phase.key == "think")


def _holds(row: Row[Any], at_ms: int) -> bool:
    return bool(row.valid_from_ms <= at_ms and (row.valid_to_ms is None or row.valid_to_ms > at_ms))


def _attributes(state: PersonState | None, shown: set[str], words: Words) -> list[tuple[str, str]]:
    """What we were told of somebody, as far as it fits a line and does not stand there yet."""
    told = state.attributes if state else {}
    named = [
        (words.attribute(key), words.value(value)[:80])
        for key, value in told.items()
        if isinstance(value, str | int | float) and key not in NAME_KEYS
    ]
    return [(key, value) for key, value in named if value and value.lower() not in shown][
        :ATTRIBUTES_MAX
    ]


def _in_procedure(event: Event, words: Words, titles: dict[str, str]) -> str:
    what, day = named(event, titles, words), words.day(event.occurred_ms)
    return words["in_procedure"].format(what=what, day=day)


def _event(event: Event, words: Words, titles: dict[str, str]) -> dict[str, Any]:
    return {
        "what": words.event(event.type),
        "about": title_of(event, titles),
        "when": words.moment(event.occurred_ms),
        "channel": words.channel(event.channel),
        "machine": event.machine.p >= MACHINE_THRESHOLD,
    }
