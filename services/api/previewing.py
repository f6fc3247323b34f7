"""Who would be in a segment by a rule that is not saved, and who is by the one that is in force.

Everybody is looked at, a few at a time, so that memory stays the same however many there are. They
are taken in an order that is spread over all, so that where time runs out before everybody was
looked at, those who were stand for the others, and the answer says so.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import gcd

from sqlalchemy import Connection, func, select

from services.api.people import held
from services.api.sieve import Rules, Sieve
from services.contract.tables import interval, person_state
from services.contract.tables.unguessed import unguessed
from services.model.state import PersonState
from services.model.version import Model

PERSONS_AT_ONCE = 1_000
BUDGET_S = 8.0
"""How long people are looked at; whoever is not by then is estimated."""


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
    sieve = Sieve(connection, workspace_id, rules, model, now_ms)
    end_s = time.monotonic() + BUDGET_S
    for ids in _ranges(connection, workspace_id):
        if seen.looked_at and time.monotonic() >= end_s:
            return seen
        number = persons_in_all(connection, workspace_id, ids)
        if number:
            seen.looked_at += number
            present = _members(connection, workspace_id, ids, rules.live_key, now_ms)
            _compare(sieve, sieve.would_be_in(ids), present, samples, seen)
    seen.done = True
    return seen


def _compare(sieve: Sieve, would: set[int], present: set[int], samples: int, seen: Seen) -> None:
    entering, leaving = sorted(would - present), sorted(present - would)
    seen.stay += len(would & present)
    seen.enter += len(entering)
    seen.leave += len(leaving)
    for kept, ids in ((seen.entering, entering), (seen.leaving, leaving)):
        some = ids[: samples - len(kept)]
        if some:
            kept.extend(sieve.states(some))


def persons_in_all(
    connection: Connection, workspace_id: int, ids: tuple[int, int] | None = None
) -> int:
    """How many persons have a state, of all or of a range of ids."""
    query = select(func.count()).where(person_state.c.workspace_id == workspace_id)
    if ids is not None:
        query = query.where(person_state.c.person_id.between(*ids))
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


def _members(
    connection: Connection, workspace_id: int, ids: tuple[int, int], key: str | None, now_ms: int
) -> set[int]:
    """Those of the range who are in the segment now."""
    if key is None:
        return set()
    query = select(interval.c.person_id).where(
        interval.c.workspace_id == unguessed(workspace_id),
        interval.c.kind == "segment",
        interval.c.key == key,
        interval.c.person_id.between(*ids),
        held(now_ms, None),
    )
    return set(connection.execute(query).scalars())
