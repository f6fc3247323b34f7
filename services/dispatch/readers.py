"""Readers of the change feed: how far each is, and which process reads for it.

A process that reads makes a reader's beat grow. One whose beat stood still for ``LEASE_S`` by
another's own clock is taken over by that one: so no two clocks are compared. Whatever a process
does to a reader's work it does in a transaction that found the reader still its own.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import Connection, or_, select, update

from services.contract.tables import feed_position, feed_reader
from services.runtime.bulk import among
from services.runtime.database import insert_new

LEASE_S = 5.0
"""Of a process that stopped without a word: so long its readers wait for another."""
RENEW_S = 1.0

_row = feed_reader.c


class LostError(Exception):
    """Another process reads for it now."""


def newest_position(db: Connection) -> int:
    """All changes up to here can be read, and none before it is still to come."""
    return int(db.execute(_NEXT).scalar() or 1) - 1


_NEXT = select(feed_position.c.next).where(feed_position.c.id == 1)


def hold(db: Connection, name: str, holder: str) -> int:
    """The reader's position; it stays ours until the transaction ends.

    Raises:
        LostError: it is not ours.
    """
    query = select(_row.position).where(_row.name == name, _row.holder == holder)
    position = db.execute(query.with_for_update()).scalar()
    if position is None:
        raise LostError(name)
    return int(position)


def move(db: Connection, name: str, holder: str, position: int) -> None:
    """Everything up to a position was taken.

    Raises:
        LostError: the reader is not ours.
    """
    mine = update(feed_reader).where(_row.name == name, _row.holder == holder)
    if db.execute(mine.values(position=position)).rowcount == 0:
        raise LostError(name)


def make_reader(db: Connection, name: str, position: int) -> None:
    """A reader that goes on behind a position, unless there is one of this name."""
    values = {"name": name, "position": position, "beat": 0}
    db.execute(insert_new(db, feed_reader).values(values))


@dataclass
class Leases:
    """What one process holds, and what it saw of others.

    Args:
        holder: this process, by a name that no other has.
    """

    holder: str
    mine: set[str] = field(default_factory=set)
    _seen: dict[str, tuple[str | None, int, float]] = field(default_factory=dict)

    def renew(self, db: Connection, wanted: Collection[str]) -> set[str]:
        """Keep what is ours, give back what is not wanted, take what nobody keeps.

        Returns:
            All that is ours now.
        """
        ours = _row.holder == self.holder
        given = ours & ~among(db, _row.name, wanted)
        db.execute(update(feed_reader).where(given).values(holder=None))
        db.execute(update(feed_reader).where(ours).values(beat=_row.beat + 1))
        query = select(_row.name, _row.holder, _row.beat).where(among(db, _row.name, wanted))
        now_s = time.monotonic()
        found: dict[str, tuple[str | None, int, float]] = {}
        self.mine = set()
        for name, holder, beat in db.execute(query).all():
            if holder == self.holder:
                self.mine.add(name)
                continue
            before = self._seen.get(name)
            since_s = before[2] if before is not None and before[:2] == (holder, beat) else now_s
            found[name] = (holder, beat, since_s)
            if (holder is None or now_s - since_s >= LEASE_S) and self._take(db, name, beat):
                self.mine.add(name)
        self._seen = found
        return self.mine

    def give_back(self, db: Connection) -> None:
        """Let others go on at once."""
        db.execute(update(feed_reader).where(_row.holder == self.holder).values(holder=None))

    def _take(self, db: Connection, name: str, beat: int) -> bool:
        # What a frozen process has locked is left to the next time: we go on with the rest.
        row = select(_row.name).where(_row.name == name).with_for_update(skip_locked=True)
        if db.execute(row).first() is None:
            return False
        free = update(feed_reader).where(_row.name == name, _row.beat == beat)
        taken = free.where(or_(_row.holder.is_(None), _row.holder != self.holder))
        return db.execute(taken.values(holder=self.holder, beat=beat + 1)).rowcount == 1
