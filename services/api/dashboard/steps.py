"""How people came into the phase that they are in: from which, and by what."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, select

from services.contract.phases import PHASES, Phase
from services.contract.tables import interval
from services.contract.tables.unguessed import unguessed

LOOKED_AT_MAX = 5_000
"""Stretches in phases of all who are asked about, the latest; of older ones nothing is said."""


class Step(NamedTuple):
    """From one phase into the next."""

    before: Phase | None
    """None: there was none."""
    after: Phase
    at_ms: int
    event_id: bytes | None
    """The event that began the phase; None: silence did."""
    earlier_id: bytes | None
    """The event that began the phase before, likewise."""

    @property
    def rises(self) -> bool:
        """Whether it leads on, and not back."""
        return self.before is None or PHASES.index(self.after) > PHASES.index(self.before)

    @property
    def is_fall(self) -> bool:
        """Whether it leads back, and by silence: nothing that the person did says so."""
        return not self.rises and self.event_id is None


def steps_of(
    connection: Connection, workspace_id: int, moments_ms: Mapping[int, int]
) -> dict[int, Step]:
    """How people came into the phase that each was in at a moment, as known now.

    Args:
        connection: to the database.
        workspace_id: whose people.
        moments_ms: by person; who was in no phase then is left out.
    """
    if not moments_ms:
        return {}
    row = interval.c
    query: Select[Any] = (
        select(row.person_id, row.key, row.valid_from_ms, row.valid_to_ms, row.event_id)
        .where(
            row.workspace_id == unguessed(workspace_id),
            row.person_id.in_(list(moments_ms)),
            row.kind == "phase",
            row.known_to_ms.is_(None),
            row.valid_from_ms <= max(moments_ms.values()),
        )
        .order_by(row.valid_from_ms.desc(), row.person_id)
        .limit(LOOKED_AT_MAX)
    )
    latest_first: dict[int, list[Row[Any]]] = {}
    for one in connection.execute(query):
        latest_first.setdefault(one.person_id, []).append(one)
    found = {
        person_id: _step(stays, moments_ms[person_id]) for person_id, stays in latest_first.items()
    }
    return {person_id: step for person_id, step in found.items() if step is not None}


def _step(latest_first: list[Row[Any]], at_ms: int) -> Step | None:
    for i, stay in enumerate(latest_first):
        if stay.valid_from_ms > at_ms:
            continue
        if stay.valid_to_ms is not None and stay.valid_to_ms <= at_ms:
            return None
        earlier = latest_first[i + 1] if i + 1 < len(latest_first) else None
        if earlier is not None and earlier.valid_to_ms != stay.valid_from_ms:
            earlier = None
        return Step(
            before=None if earlier is None else earlier.key,
            after=stay.key,
            at_ms=stay.valid_from_ms,
            event_id=_id(stay),
            earlier_id=None if earlier is None else _id(earlier),
        )
    return None


def _id(stay: Row[Any]) -> bytes | None:
    return None if stay.event_id is None else bytes(stay.event_id)
