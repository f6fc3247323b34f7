"""What is stored of persons for whom new rules are drawn, see ``services/scorer/filling.py``."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from services.contract import tables
from services.contract.phases import IntervalKind
from services.contract.tables.unguessed import unguessed
from services.model.interval import Interval
from services.runtime.bulk import among, rows_of

_row, _interval = tables.person_state.c, tables.interval.c


class Stored(NamedTuple):
    """A person's row."""

    state: bytes
    version: int
    due_ms: int | None
    events: int
    has_earlier: bool
    """A state from before a quiet week is kept too."""


def stored_of(db: Connection, persons: Sequence[int]) -> dict[int, Stored]:
    """The rows of persons; those without one are left out."""
    columns = (_row.state, _row.version, _row.due_ms, _row.events, _row.settled.is_not(None))
    query = select(_row.person_id, *columns).where(among(db, _row.person_id, persons))
    return {person: Stored(*more) for person, *more in rows_of(db, query)}


def steps_of(
    db: Connection, workspace_id: int, persons: Collection[int], kinds: Sequence[IntervalKind]
) -> dict[int, list[Interval]]:
    """Phases and latency states, as now known; what began them is not told."""
    if not persons:
        return {}
    row = _interval
    columns = (row.person_id, row.kind, row.key, row.valid_from_ms, row.valid_to_ms)
    query = select(*columns).where(
        row.workspace_id == unguessed(workspace_id),
        row.kind.in_(kinds),
        among(db, row.person_id, persons),
        row.known_to_ms.is_(None),
    )
    found: dict[int, list[Interval]] = defaultdict(list)
    for person, kind, key, from_ms, to_ms in rows_of(db, query):
        found[person].append(Interval(kind, key, from_ms, to_ms, None))
    return found
