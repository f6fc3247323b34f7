"""Who would be in a segment by a rule that is not saved, and who is by the one that is in force.

Everybody is looked at, a few at a time, so that memory stays the same however many there are. They
are taken in an order that is spread over all, so that where time runs out before everybody was
looked at, those who were stand for the others, and the answer says so.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import gcd

from sqlalchemy import Connection, func, select

from services.api.people import held
from services.contract import event as envelope
from services.contract.event import Event
from services.contract.phases import Phase
from services.contract.tables import event, identity_link, interval, person_state
from services.contract.vault import open_payload
from services.model.behaviour import WINDOW_MS, judged
from services.model.path import Path
from services.model.recall import Questions
from services.model.rules.condition import Node
from services.model.state import PersonState, decode_state
from services.model.version import Model

PERSONS_AT_ONCE = 1_000
BUDGET_S = 8.0
"""How long people are looked at; whoever is not by then is estimated."""


@dataclass(frozen=True)
class Rules:
    """What is compared."""

    rule: Node
    """With those in it that it refers to."""
    questions: Questions
    live_key: str | None
    """The interval key of the version in force; None: there is none."""


@dataclass
class Seen:
    """What came out of those who were looked at."""

    looked_at: int = 0
    enter: int = 0
    leave: int = 0
    stay: int = 0
    done: bool = False
    """Everybody was."""
    entering: list[tuple[int, PersonState]] = field(default_factory=list)
    leaving: list[tuple[int, PersonState]] = field(default_factory=list)
    """Some of them, with what the rules ask for in their states."""


def look_at_everybody(
    connection: Connection, workspace_id: int, rules: Rules, model: Model, now_ms: int, samples: int
) -> Seen:
    """Compare a rule with what is in force, for all persons as far as time reaches.

    Args:
        connection: in a transaction that sees one moment.
        workspace_id: whose.
        rules: what is compared.
        model: the version in force.
        now_ms: the moment that is asked about.
        samples: how many of each are kept.
    """
    seen = Seen()
    end_s = time.monotonic() + BUDGET_S
    for first, last in _ranges(connection, workspace_id):
        if seen.looked_at and time.monotonic() >= end_s:
            return seen
        _look(connection, workspace_id, (first, last), rules, model, now_ms, samples, seen)
    seen.done = True
    return seen


def persons_in_all(connection: Connection, workspace_id: int) -> int:
    """How many persons have a state."""
    query = select(func.count()).where(person_state.c.workspace_id == workspace_id)
    return int(connection.execute(query).scalar_one())


def _ranges(connection: Connection, workspace_id: int) -> Iterator[tuple[int, int]]:
    """Ranges of ids that together hold everybody, each next one far from the one before."""
    mine = person_state.c.workspace_id == workspace_id
    first = connection.execute(select(func.min(person_state.c.person_id)).where(mine)).scalar()
    last = connection.execute(select(func.max(person_state.c.person_id)).where(mine)).scalar()
    if first is None or last is None:
        return
    number = (last - first) // PERSONS_AT_ONCE + 1
    stride = round(number * 0.618) or 1
    while gcd(stride, number) > 1:
        stride += 1
    for i in range(number):
        begin = first + i * stride % number * PERSONS_AT_ONCE
        yield begin, begin + PERSONS_AT_ONCE - 1


def _look(
    connection: Connection,
    workspace_id: int,
    ids: tuple[int, int],
    rules: Rules,
    model: Model,
    now_ms: int,
    samples: int,
    seen: Seen,
) -> None:
    column = person_state.c
    query = select(column.person_id, column.state).where(
        column.workspace_id == workspace_id, column.person_id.between(*ids)
    )
    rows = connection.execute(query).all()
    if not rows:
        return
    present = _members(connection, workspace_id, ids, rules.live_key, now_ms)
    events = _events(connection, workspace_id, ids, rules.questions, now_ms)
    phases = _phases(connection, workspace_id, ids, now_ms) if rules.questions.phase else {}
    for person_id, stored in rows:
        state = decode_state(bytes(stored))
        rules.questions.answer(state, judged(events.get(person_id, [])), phases.get(person_id))
        would = is_member(rules.rule, state, model, now_ms)
        is_in = person_id in present
        if would and is_in:
            seen.stay += 1
        elif would:
            seen.enter += 1
            if len(seen.entering) < samples:
                seen.entering.append((person_id, state))
        elif is_in:
            seen.leave += 1
            if len(seen.leaving) < samples:
                seen.leaving.append((person_id, state))
    seen.looked_at += len(rows)


def is_member(rule: Node, state: PersonState, model: Model, now_ms: int) -> bool:
    """Whether a rule holds; whoever did not agree to be followed is in no segment."""
    employed = state.hired_ms is not None and state.left_ms is None
    if state.score is None and not employed:
        return False
    return rule.verdict(Path(state, model), now_ms)[0]


def _members(
    connection: Connection, workspace_id: int, ids: tuple[int, int], key: str | None, now_ms: int
) -> set[int]:
    """Those of the range who are in the segment now."""
    if key is None:
        return set()
    query = select(interval.c.person_id).where(
        interval.c.workspace_id == workspace_id,
        interval.c.kind == "segment",
        interval.c.key == key,
        interval.c.person_id.between(*ids),
        held(now_ms, None),
    )
    return set(connection.execute(query).scalars())


def _phases(
    connection: Connection, workspace_id: int, ids: tuple[int, int], now_ms: int
) -> dict[int, tuple[Phase, int]]:
    """The phase that holds now, and since when."""
    row = interval.c
    query = select(row.person_id, row.key, row.valid_from_ms).where(
        row.workspace_id == workspace_id,
        row.person_id.between(*ids),
        row.kind == "phase",
        held(now_ms, None),
    )
    return {one.person_id: (one.key, one.valid_from_ms) for one in connection.execute(query)}


def _events(
    connection: Connection,
    workspace_id: int,
    ids: tuple[int, int],
    questions: Questions,
    now_ms: int,
) -> dict[int, list[Event]]:
    """What the record tells of the questions, by person, in canonical order."""
    if not questions.of_events:
        return {}
    link, row = identity_link.c, event.c
    query = (
        select(link.person_id, row.payload)
        .join_from(
            identity_link,
            event,
            (row.workspace_id == link.workspace_id)
            & (row.identity_id == link.identity_id)
            & (link.valid_from_ms.is_(None) | (row.occurred_ms >= link.valid_from_ms))
            & (link.valid_to_ms.is_(None) | (row.occurred_ms < link.valid_to_ms)),
        )
        .where(
            link.workspace_id == workspace_id,
            link.person_id.between(*ids),
            link.known_to_ms.is_(None),
        )
    )
    if questions.within_ms is not None:
        query = query.where(row.occurred_ms >= now_ms - questions.within_ms - WINDOW_MS)
    if questions.types is not None:
        query = query.where(row.type.in_(questions.types))
    found: dict[int, list[Event]] = defaultdict(list)
    for person_id, payload in connection.execute(query):
        found[person_id].append(envelope.decode(open_payload(bytes(payload))))
    for events in found.values():
        events.sort(key=lambda one: (one.occurred_ms, one.event_id))
    return found
