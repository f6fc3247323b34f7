"""What is left to do once a segment's version came into force, or went out of it.

Coming into force is one short transaction however many people are concerned; here they are gone
through a few at a time. Whoever is a member, or was one of the old version, is due, so that what
differs is announced by whoever announces. What was foretold of a version that went is deleted, what
had begun is closed as knowledge, and nobody is counted by it any more. A version that was given up
before it was whole goes the same way.

``told_to`` says up to which person this was done, so that whoever goes on after a kill does not
begin anew.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, or_, select, update

from services.contract import tables
from services.contract.tables.unguessed import unguessed
from services.runtime.bulk import among, delete_rows, update_rows

PERSONS_PER_STEP = 500

_version, _interval, _state = (
    tables.segment_version.c,
    tables.interval.c,
    tables.person_state.c,
)


class _Left(NamedTuple):
    id: int
    workspace_id: int
    status: str
    live_ms: int | None
    told_to: int

    @property
    def key(self) -> str:
        """What stands in ``interval.key``."""
        return str(self.id)


_FIRST = (
    select(*(_version[name] for name in _Left._fields))
    .where(_version.told_to.is_not(None))
    .order_by(_version.id)
    .limit(1)
    .with_for_update(skip_locked=True, key_share=True)
)
"""Made once: it is asked for ten times a second."""


def aftermath_step(db: Connection, now_ms: int) -> bool:
    """Go through a few more people of one version; False: there is nothing to do."""
    row = db.execute(_FIRST).one_or_none()
    if row is None:
        return False
    version = _Left(*row)
    if version.told_to == 0 and version.status == "retired":
        # Whoever took the version for one being filled, or in force, writes of it no more. Those
        # of one that came into force were waited for then.
        db.execute(select(_version.id).where(_version.id == version.id).with_for_update())
    persons = _next_persons(db, version)
    if persons:
        _announce(db, version, persons, now_ms)
        if version.status == "retired":
            _close(db, version, persons, now_ms)
        _reach(db, version, persons[-1])
        return True
    if version.status == "retired":
        count = tables.count_delta.c
        mine = (count.workspace_id == version.workspace_id, count.kind == "segment")
        db.execute(delete(tables.count_delta).where(*mine, count.key == version.key))
    _reach(db, version, None)
    return True


def _reach(db: Connection, version: _Left, person_id: int | None) -> None:
    statement = update(tables.segment_version).where(_version.id == version.id)
    db.execute(statement.values(told_to=person_id))


def _next_persons(db: Connection, version: _Left) -> list[int]:
    """The next persons of whom anything is held, locked in the order of their ids."""
    some = (
        select(_interval.person_id)
        .distinct()
        .where(*_theirs(version), _interval.person_id > version.told_to)
        .order_by(_interval.person_id)
        .limit(PERSONS_PER_STEP)
    )
    persons = list(db.execute(some).scalars())
    row = tables.person.c
    query = select(row.id).where(among(db, row.id, persons)).order_by(row.id)
    db.execute(query.with_for_update(key_share=True)).all()
    return persons


def _theirs(version: _Left) -> tuple[ColumnElement[bool], ...]:
    return (
        _interval.workspace_id == unguessed(version.workspace_id),
        _interval.kind == "segment",
        _interval.key == version.key,
        _interval.known_to_ms.is_(None),
    )


def _announce(db: Connection, version: _Left, persons: Sequence[int], now_ms: int) -> None:
    """Let members be looked at by whoever announces what is due."""
    if version.live_ms is None:
        return  # nobody was ever told of it
    members = (
        select(_interval.person_id)
        .join_from(tables.interval, tables.person_state, _interval.person_id == _state.person_id)
        .where(
            *_theirs(version),
            among(db, _interval.person_id, persons),
            _interval.valid_from_ms <= now_ms,
            or_(_interval.valid_to_ms.is_(None), _interval.valid_to_ms > now_ms),
            # What was due before is told with its own time.
            or_(_state.due_ms.is_(None), _state.due_ms > now_ms),
        )
    )
    due = [(now_ms, person) for person in sorted(set(db.execute(members).scalars()))]
    update_rows(db, tables.person_state, "person_id", ("due_ms",), due)


def _close(db: Connection, version: _Left, persons: Sequence[int], now_ms: int) -> None:
    query = select(_interval.id, _interval.valid_from_ms).where(
        *_theirs(version), among(db, _interval.person_id, persons)
    )
    rows = db.execute(query).all()
    begun = [(now_ms, row.id) for row in rows if row.valid_from_ms <= now_ms]
    delete_rows(db, tables.interval, "id", [r.id for r in rows if r.valid_from_ms > now_ms])
    if version.live_ms is None:
        delete_rows(db, tables.interval, "id", [row_id for _, row_id in begun])
    else:
        update_rows(db, tables.interval, "id", ("known_to_ms",), begun)
