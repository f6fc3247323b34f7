"""The few records of a batch that change who is who, scored before all others.

They hold the workspace's lock, and other workers shall not wait for the whole batch: so they have
a transaction of their own. It moves no position; if the batch never follows, its records come
again, and each event counts once.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from services.contract.erasure import ERASED
from services.model.version import Model
from services.scorer.batch import Outcome, Part, known_workspaces, parts_of, told
from services.scorer.identities import Identified, Seen, look, standing
from services.scorer.owners import still_so
from services.scorer.positions import claim
from services.scorer.record import Arrived, Batch


class Introduced(NamedTuple):
    """What became of newcomers, and what is known of the rest now."""

    outcome: Outcome
    seen: Mapping[int, Seen]
    """By workspace; true once the transaction is committed."""


def introduce(db: Connection, log_id: str, batch: Batch, model: Model, now_ms: int) -> Introduced:
    """Score those events of a batch which change who is who, and those that go with them.

    Raises:
        FencedError, MovedError: as ``batch.apply``.
    """
    claim(db, log_id, batch.records, finish=False)
    known = known_workspaces(db, batch.by_workspace)
    ours = {i: arrived for i, arrived in batch.by_workspace.items() if i in known}
    found = {i: _look(db, i, arrived) for i, arrived in ours.items()}
    newcomers = {i: _newcomers(arrived, found[i]) for i, arrived in ours.items()}
    parts = parts_of(db, {i: some for i, some in newcomers.items() if some}, model, now_ms)
    outcome = told(db, parts, now_ms)
    seen = {i: _seen(db, i, found[i], newcomers[i], parts.get(i)) for i in ours}
    return Introduced(outcome, seen)


def _look(db: Connection, workspace_id: int, arrived: Sequence[Arrived]) -> Identified:
    as_of = standing(db, workspace_id)
    found = look(db, workspace_id, [one.event for one in arrived if one.event.type != ERASED])
    found.as_of = as_of
    return found


def _newcomers(arrived: Sequence[Arrived], found: Identified) -> list[Arrived]:
    """The events that change who is who, and those that name one of the same identities.

    Erasures do, and are carried out first.
    """
    touched = {identity for event in found.moving() for identity in event.identities}
    return [
        one
        for one in arrived
        if one.event.type == ERASED or not touched.isdisjoint(one.event.identities)
    ]


def _seen(
    db: Connection,
    workspace_id: int,
    found: Identified,
    newcomers: Sequence[Arrived],
    part: Part | None,
) -> Seen:
    done = frozenset(one.event.event_id for one in newcomers)
    # Who names a newcomer is one: of what names the same either all were scored, or nothing.
    left = {names: some for names, some in found.events.items() if some[0].event_id not in done}
    as_of = _as_of(standing(db, workspace_id), found, part)
    if as_of is not None and part is not None:
        # What newcomers part may lead far: who used a cookie may be another now than whose it is.
        uses = Identified(left, dict(found.ids)).uses()
        as_of = as_of if still_so(db, workspace_id, {}, uses) else None
    return Seen(done, left, found.ids, as_of)


def _as_of(now: int, found: Identified, part: Part | None) -> int | None:
    """Where who is who stands now, if nothing changed since we looked but by the newcomers."""
    if found.as_of is None or part is None:
        return now if now == found.as_of else None
    made = part.identified
    if made is None or not made.is_held:
        return None
    return now if now == made.as_of == found.as_of + 1 else None
