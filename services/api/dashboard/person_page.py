"""One person: where they stand, how they came there, and why."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from services.api.context import Context
from services.api.dashboard.movers import name_of
from services.api.dashboard.texts import Words
from services.api.people import identities_of, state_at
from services.api.phases import stretches
from services.api.record import events_of
from services.contract.event import MACHINE_THRESHOLD, Event
from services.model import words as model_words
from services.model.explain import Explanation, explain
from services.model.path import Path

REASONS_MAX = 14
EVENTS_MAX = 40
PHASES_MAX = 12
_BAR_MAX = 3.0
"""Log-odds that fill a bar."""


@dataclass(frozen=True)
class Reason:
    """A line of the account: what, when, and a bar from the middle (0-50 wide)."""

    text: str
    when: str
    strength: str
    value: str
    width: float
    counts_for: bool


def person_page(
    connection: Connection, here: Context, row: Row[Any], words: Words
) -> dict[str, Any]:
    """What the template of a person's page shows."""
    now_ms = here.clock()
    state = state_at(connection, row, now_ms, None, here.model)
    identities = identities_of(connection, row.workspace_id, [row.id])[row.id]
    events = events_of(connection, row.workspace_id, row.id)
    path = Path(state, here.model) if state is not None else None
    chances = path.states_at(now_ms) if path is not None and path.scored else None
    phases = stretches(connection, row, "phase", None)
    explanation = explain(events, here.model, now_ms)
    return {
        "name": name_of(state, identities, row.public_id),
        "identities": identities[:8],
        "openness": None if chances is None else chances[1] + chances[2],
        "phase": next((p for p in phases if _holds(p, now_ms)), None),
        "phases": [p for p in phases if p.valid_to_ms is None or p.valid_to_ms > row.first_ms][
            -PHASES_MAX:
        ],
        "now_ms": now_ms,
        "reasons": [] if explanation is None else _reasons(explanation, words),
        "events": [_event(event, words) for event in events[: -EVENTS_MAX - 1 : -1]],
    }


def _holds(row: Row[Any], at_ms: int) -> bool:
    return bool(row.valid_from_ms <= at_ms and (row.valid_to_ms is None or row.valid_to_ms > at_ms))


def _reasons(explanation: Explanation, words: Words) -> list[Reason]:
    """The strongest contributions in the order of time, the rest in one line, and the sum."""
    told = explanation.contributions
    ranked = sorted(range(len(told)), key=lambda i: -abs(told[i].turning))
    strongest = [told[i] for i in sorted(ranked[:REASONS_MAX])]
    rest = sum(told[i].turning for i in ranked[REASONS_MAX:])
    lines = [_reason(words["prior"], "", "", explanation.prior_turning, words)]
    lines += [
        _reason(
            model_words.what(c, words.language),
            words.day(c.from_ms),
            model_words.strength(c.turning, words.language),
            c.turning,
            words,
        )
        for c in strongest
    ]
    if len(ranked) > REASONS_MAX:
        lines.append(_reason(words["rest"], "", "", rest, words))
    lines.append(_reason(words["total"], "", "", explanation.turning, words))
    return lines


def _reason(text: str, when: str, strength: str, log_odds: float, words: Words) -> Reason:
    width = min(abs(log_odds), _BAR_MAX) / _BAR_MAX * 50
    return Reason(text, when, strength, words.decimal(log_odds), round(width, 1), log_odds >= 0)


def _event(event: Event, words: Words) -> dict[str, Any]:
    title = event.properties.get("title")
    return {
        "what": words.event(event.type),
        "about": title if isinstance(title, str) and title else event.content_id or "",
        "when": words.moment(event.occurred_ms),
        "channel": event.channel,
        "machine": event.machine.p >= MACHINE_THRESHOLD,
    }
