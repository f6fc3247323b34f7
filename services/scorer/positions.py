"""How far the log is scored: positions that move in the same transaction as what they caused."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import DBAPIError

from services.contract import tables
from services.runtime.database import insert_new
from services.runtime.event_log import Stored

_row = tables.log_position.c


class FencedError(Exception):
    """Somebody else scored these records: nothing of ours may be written.

    ``next_offsets`` tells, per partition, where the log is really to be read on.
    """

    def __init__(self, next_offsets: dict[int, int]) -> None:
        super().__init__(f"positions have moved: {next_offsets}")
        self.next_offsets = next_offsets


def claim(db: Connection, log_id: str, records: Sequence[Stored], *, finish: bool) -> None:
    """Lock the positions of the records' partitions, and hold that the records come next.

    Args:
        db: in a transaction.
        log_id: whose positions.
        records: of any partitions, each partition's in order.
        finish: whether the records are done with when the transaction is; else they still come
            next after it.

    Raises:
        FencedError: some do not.
    """
    firsts = {record.partition: record.offset for record in reversed(records)}
    lasts = {record.partition: record.offset for record in records}
    _hold(db, log_id, firsts)
    for partition in sorted(firsts) if finish else ():
        _move(db, log_id, partition, lasts[partition] + 1)


def skip(db: Connection, log_id: str, partition: int, expected: int, found: int) -> None:
    """Read on at ``found`` where what was ``expected`` next is gone from the log.

    Raises:
        FencedError: it does not come next.
    """
    _hold(db, log_id, {partition: expected})
    _move(db, log_id, partition, found)


def _hold(db: Connection, log_id: str, firsts: Mapping[int, int]) -> None:
    """Lock the positions of partitions, and hold that they are these."""
    partitions = sorted(firsts)
    rows = [{"log_id": log_id, "partition": p, "next": firsts[p]} for p in partitions]
    db.execute(insert_new(db, tables.log_position), rows)
    query = (
        select(_row.partition, _row.next)
        .where(_row.log_id == log_id, _row.partition.in_(partitions))
        .order_by(_row.partition)
        .with_for_update()
    )
    stored = {row.partition: row.next for row in db.execute(query)}
    if stored != firsts:
        raise FencedError(stored)


def _move(db: Connection, log_id: str, partition: int, following: int) -> None:
    """Set where a partition, whose position is held, is to be read on."""
    db.execute(
        update(tables.log_position)
        .where(_row.log_id == log_id, _row.partition == partition)
        .values(next=following)
    )


def stored_position(db: Connection, log_id: str, partition: int) -> int | None:
    """Where a partition is to be read on; None: it never was."""
    query = select(_row.next).where(_row.log_id == log_id, _row.partition == partition)
    return db.execute(query).scalar_one_or_none()


def positions(engine: Engine) -> Callable[[str, int], int | None]:
    """What a reader asks for where to go on: the database's word."""

    def position(log_id: str, partition: int) -> int | None:
        try:
            with engine.connect() as db:
                return stored_position(db, log_id, partition)
        except DBAPIError as error:
            raise OSError("the database does not tell the position now") from error

    return position
