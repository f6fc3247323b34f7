"""What is stored of persons for whom new rules are drawn, see ``services/scorer/filling.py``."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, null, select

from services.contract import tables
from services.contract.phases import IntervalKind
from services.contract.tables.unguessed import unguessed
from services.model.glimpse import glimpse
from services.model.hindsight import Place
from services.model.interval import Interval
from services.runtime.bulk import among, rows_of

_row, _interval = tables.person_state.c, tables.interval.c


class Stored(NamedTuple):
    """A person's row."""

    state: bytes
    settled: bytes | None
    version: int
    due_ms: int | None
    events: int

    @property
    def settled_at(self) -> Place | None:
        """Of the earlier state that is kept, the last event."""
        if self.settled is None:
            return None
        state = glimpse(self.settled)
        return state.at_ms, state.at_id


def stored_of(db: Connection, persons: Sequence[int], *, settled: bool) -> dict[int, Stored]:
    """The rows of persons, with the earlier states or without; those without a row are left out."""
    columns = (_row.state, _row.settled if settled else null(), _row.version, _row.due_ms)
    query = select(_row.person_id, *columns, _row.events).where(among(db, _row.person_id, persons))
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
