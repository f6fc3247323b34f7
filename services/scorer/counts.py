"""How many are in a phase, a latency state or a segment, at any time: hourly differences.

For every interval that holds now there is +1 in the hour it begins and −1 in the hour it ends.
Batches only append, so that workers never wait for each other's counts; now and then the rows
of one key are added up into one an hour.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, delete, func, select

from services.contract import tables
from services.contract.phases import hour_until
from services.runtime.bulk import insert_rows

COMPACT_AFTER_ROWS = 50_000
"""Written by one worker before it looks whether adding up is worth it."""
SPARE_ROWS = 1_000
KEYS_AT_ONCE = 8
"""To find them all rows are gone through: that is done for several."""

Counted = tuple[str, str, int, int | None, object]
"""(kind, key, from_ms, to_ms, …) of an interval."""

_row = tables.count_delta.c
_COLUMNS = ("workspace_id", "kind", "key", "hour_ms", "delta")


class Counts:
    """The differences that a batch makes."""

    def __init__(self) -> None:
        self._deltas: dict[tuple[str, str], dict[int, int]] = {}

    def add(self, intervals: Iterable[Counted], sign: int) -> None:
        """Count intervals in (``sign`` 1), or out again (−1)."""
        deltas = self._deltas
        for kind, key, from_ms, to_ms, _ in intervals:
            hours = deltas.get((kind, key))
            if hours is None:
                hours = deltas[kind, key] = defaultdict(int)
            hours[hour_until(from_ms)] += sign
            if to_ms is not None:
                hours[hour_until(to_ms)] -= sign

    def write(self, db: Connection, workspace_id: int) -> int:
        """Append them; how many rows it was."""
        rows = [
            (workspace_id, kind, key, hour, n)
            for (kind, key), hours in sorted(self._deltas.items())
            for hour, n in sorted(hours.items())
            if n
        ]
        insert_rows(db, tables.count_delta, _COLUMNS, rows)
        return len(rows)


def compact(db: Connection) -> bool:
    """Add up the rows of the keys that most need it; False: none does.

    Sums are the same before and after, for whoever reads meanwhile too.
    """
    rows, hours = func.count(), func.count(_row.hour_ms.distinct())
    query = (
        select(_row.workspace_id, _row.kind, _row.key)
        .group_by(_row.workspace_id, _row.kind, _row.key)
        .having(rows > 2 * hours + SPARE_ROWS)
        .order_by(rows.desc())
        .limit(KEYS_AT_ONCE)
    )
    worst = db.execute(query).all()
    for workspace_id, kind, key in sorted(worst):  # in one order, for two workers at once
        _add_up(db, workspace_id, kind, key)
    return len(worst) == KEYS_AT_ONCE


def _add_up(db: Connection, workspace_id: int, kind: str, key: str) -> None:
    taken = db.execute(
        delete(tables.count_delta)
        .where(_row.workspace_id == workspace_id, _row.kind == kind, _row.key == key)
        .returning(_row.hour_ms, _row.delta)
    )
    sums: Counter[int] = Counter()
    for hour_ms, delta in taken:
        sums[hour_ms] += delta
    summed = [(workspace_id, kind, key, hour, n) for hour, n in sorted(sums.items()) if n]
    insert_rows(db, tables.count_delta, _COLUMNS, summed)
