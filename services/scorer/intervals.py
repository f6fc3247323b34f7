"""Intervals written: only what differs, with both clocks, and the counts that follow.

A row that is superseded after it began stays, closed by ``known_to_ms``; a prediction that never
began is deleted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, select

from services.contract import tables
from services.contract.tables.unguessed import unguessed
from services.model.interval import Interval
from services.model.timeline import join, standing
from services.runtime.bulk import among, delete_rows, insert_rows, rows_of, update_rows
from services.scorer.counts import Counts
from services.scorer.folding import Folded, Stored
from services.scorer.states import alike_in_age


class _Held(NamedTuple):
    """What is stored of a person from their cut on."""

    rows: dict[Stored, int]
    """Ids, of what may change."""
    standing: list[Interval]
    """What was not drawn anew, and stays."""
    begun: list[Interval]
    """What was not drawn anew, and begins by an event."""


_row = tables.interval.c
# The person, then an Interval's fields in their order, then since when it is known.
_COLUMNS = (
    "workspace_id",
    "person_id",
    "kind",
    "key",
    "valid_from_ms",
    "valid_to_ms",
    "event_id",
    "known_from_ms",
)


@dataclass(frozen=True, slots=True)
class Differences:
    """What is to be written so that stored intervals are what was folded."""

    workspace_id: int
    now_ms: int
    added: list[tuple[int, Stored]] = field(default_factory=list)
    superseded: list[int] = field(default_factory=list)
    never_began: list[int] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)

    def write(self, db: Connection) -> int:
        """Write it; how many rows of counts that is."""
        closed = [(self.now_ms, row_id) for row_id in sorted(self.superseded)]
        update_rows(db, tables.interval, "id", ("known_to_ms",), closed)
        delete_rows(db, tables.interval, "id", sorted(self.never_began))
        _insert(db, self.workspace_id, self.added, self.now_ms)
        return self.counts.write(db, self.workspace_id)


def write(db: Connection, workspace_id: int, folded: Sequence[Folded], now_ms: int) -> int:
    """Bring the stored intervals of persons in line with what was folded, and count them.

    Returns how many rows of counts were written. See :func:`compare`.
    """
    return compare(db, workspace_id, folded, now_ms).write(db)


def compare(
    db: Connection, workspace_id: int, folded: Sequence[Folded], now_ms: int
) -> Differences:
    """How the stored intervals of persons differ from what was folded.

    Afterwards each person's ``intervals`` are all that hold from its cut on, whole: those that
    began before the cut from their beginning.
    """
    held = _held(db, workspace_id, folded)
    found = Differences(workspace_id, now_ms)
    added, counts = found.added, found.counts
    superseded, never_began = found.superseded, found.never_began
    for one in folded:
        theirs = held.get(one.person_id) or _Held({}, [], [])
        rows = theirs.rows
        drawn = _with_past(one, rows) + theirs.begun
        one.intervals = drawn + theirs.standing
        one.held = [*rows, *theirs.standing]
        wanted: set[Stored] = set(drawn)
        made = wanted - rows.keys()
        dropped = rows.keys() - wanted
        added += [(one.person_id, interval) for interval in made]
        for interval in dropped:
            (superseded if interval[2] <= now_ms else never_began).append(rows[interval])
        counts.add(made, 1)
        counts.add(dropped, -1)
    return found


def add(
    db: Connection, workspace_id: int, new: Sequence[tuple[int, Interval]], now_ms: int
) -> None:
    """Store intervals of persons of whom none of these keys are stored, and count them."""
    counts = Counts()
    counts.add((interval for _, interval in new), 1)
    _insert(db, workspace_id, new, now_ms)
    counts.write(db, workspace_id)


def _insert(
    db: Connection, workspace_id: int, new: Sequence[tuple[int, Stored]], now_ms: int
) -> None:
    """As they come, person by person: what is read together stands together, in few pages."""
    rows = [(workspace_id, person, *interval, now_ms) for person, interval in new]
    insert_rows(db, tables.interval, _COLUMNS, rows)


def _held(db: Connection, workspace_id: int, folded: Sequence[Folded]) -> dict[int, _Held]:
    """Rows that hold now and reach beyond where the person changes."""
    by_person = {one.person_id: one for one in folded}
    held: dict[int, _Held] = {}
    for begin_ms, persons in alike_in_age({one.person_id: one.look_ms for one in folded}):
        query = select(
            _row.id,
            _row.person_id,
            _row.kind,
            _row.key,
            _row.valid_from_ms,
            _row.valid_to_ms,
            _row.event_id,
        ).where(
            _row.workspace_id == unguessed(workspace_id),
            among(db, _row.person_id, persons),
            _row.known_to_ms.is_(None),
            _row.valid_to_ms.is_(None) | (_row.valid_to_ms >= begin_ms),
        )
        for row in rows_of(db, query):
            person, kind, key, to_ms = row[1], row[2], row[3], row[5]
            one = by_person[person]
            if to_ms is not None and to_ms < one.look_ms:
                continue
            # Rows of versions that are not folded for this person now are not ours to judge.
            is_segment = kind == "segment"
            if is_segment and one.state is not None and key not in one.rulebook.keys:
                continue
            theirs = held.get(person)
            if theirs is None:
                theirs = held[person] = _Held({}, [], [])
            if is_segment and one.since_ms is not None and key not in one.since_ms:
                kept = Interval._make(row[2:])
                if (now := _as_drawn(one, kept)) is kept:
                    theirs.standing.append(kept)
                    continue
                theirs.begun.append(now)
            theirs.rows[row[2:]] = row[0]
    return held


def _with_past(one: Folded, rows: Iterable[Stored]) -> list[Interval]:
    """The new intervals, joined with what stored ones were before the cut."""
    if one.cut_ms is None:
        return one.intervals
    since_ms = one.since_ms or {}
    past = []
    for kind, key, from_ms, to_ms, cause in rows:
        cut_ms = since_ms.get(key)
        if cut_ms is None:  # a phase, a latency state, or what stands and was changed already
            if kind == "segment" and one.since_ms is not None:
                continue
            cut_ms = one.cut_ms
        if from_ms < cut_ms:
            end_ms = cut_ms if to_ms is None or to_ms > cut_ms else to_ms
            past.append(_as_drawn(one, Interval(kind, key, from_ms, end_ms, cause)))
    return join(sorted(past, key=_begun_ms) + one.intervals)


def _as_drawn(one: Folded, stored: Interval) -> Interval:
    """What was stored of a time before it was drawn anew, but maybe after the cut."""
    if one.cut_ms is None or stored.from_ms < one.cut_ms:
        return stored
    return standing(stored, one.arrived)


def _begun_ms(interval: Interval) -> int:
    return interval.from_ms
