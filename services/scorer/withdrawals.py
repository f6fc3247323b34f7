"""What trackers are told of withdrawals: marks of identities, renewed with what is who's."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from services.contract import tables
from services.contract.event import Identity
from services.contract.tables.unguessed import unguessed
from services.contract.terms import Terms
from services.contract.vault import shown_value
from services.contract.withdrawal import mark_of
from services.runtime.bulk import among
from services.runtime.database import insert_new

_NUMBERS = 2
"""The row of ``feed_position`` that withdrawals get their numbers from."""

Both = tuple[Terms | None, Terms | None]
"""The terms of ``measure`` and of ``profile``."""


class Mark(NamedTuple):
    """What a tracker is told of one identity; see ``contract/withdrawal.py``."""

    mark: bytes
    identity_id: int
    """0: it is not known any more."""
    measure_ms: int | None
    profile_ms: int | None


def tell_trackers(
    db: Connection, workspace_id: int, terms: Mapping[int, Both], moved: Collection[int]
) -> None:
    """Renew the marks of persons who took something back, and of those whose identities moved.

    Args:
        db: a transaction that has the persons locked.
        workspace_id: one in which somebody took something back.
        terms: of each person at hand who ever did.
        moved: persons that got or lost identities.

    Numbers are given out under a lock that is held until the transaction ends: the last but the
    feed's.
    """
    persons = terms.keys() | set(moved)
    secret = secret_of(db, workspace_id) if persons else None
    if secret is None:
        return
    row = tables.identity.c
    query = select(row.id, row.namespace, row.value, row.person_id).where(
        row.workspace_id == unguessed(workspace_id), among(db, row.person_id, persons)
    )
    identities = db.execute(query).all()
    held = _marks_of(db, workspace_id, [one.id for one in identities])
    made: list[Mark] = []
    for one in identities:
        measure, profile = terms.get(one.person_id, (None, None))
        who = Identity(one.namespace, shown_value(one.value))
        wanted = _standing(measure, who), _standing(profile, who)
        if held.get(one.id, (None, None)) != wanted:
            made.append(Mark(mark_of(who, secret), one.id, *wanted))
    write_marks(db, workspace_id, made)


def _standing(terms_: Terms | None, who: Identity) -> int | None:
    return terms_.withdrawn_ms if terms_ is not None and terms_.stands_for(who) else None


def secret_of(db: Connection, workspace_id: int) -> bytes | None:
    """What marks are keyed with: the workspace's first link secret, which is never replaced."""
    row = tables.link_secret.c
    query = select(row.secret).where(row.workspace_id == workspace_id).order_by(row.number)
    secret = db.execute(query.limit(1)).scalar()
    return None if secret is None else bytes(secret)


def _marks_of(
    db: Connection, workspace_id: int, identities: Collection[int]
) -> dict[int, tuple[int | None, int | None]]:
    row = tables.withdrawal.c
    query = select(row.identity_id, row.measure_ms, row.profile_ms).where(
        row.workspace_id == unguessed(workspace_id), among(db, row.identity_id, identities)
    )
    return {identity: (m, p) for identity, m, p in db.execute(query)}


def write_marks(db: Connection, workspace_id: int, made: Sequence[Mark]) -> None:
    """Tell trackers of marks, in place of what they were told of the same before."""
    if not made:
        return
    feed = tables.feed_position.c
    db.execute(insert_new(db, tables.feed_position), [{"id": _NUMBERS, "next": 1}])
    following = db.execute(
        update(tables.feed_position)
        .where(feed.id == _NUMBERS)
        .values(next=feed.next + len(made))
        .returning(feed.next)
    ).scalar_one()
    first = following - len(made)
    numbered = [
        {"key": one.mark, "who": one.identity_id, "m": one.measure_ms, "p": one.profile_ms, "n": n}
        for n, one in enumerate(made, first)
    ]
    row = tables.withdrawal.c
    statement = insert_new(db, tables.withdrawal).values(
        workspace_id=workspace_id,
        mark=bindparam("key"),
        identity_id=bindparam("who"),
        measure_ms=bindparam("m"),
        profile_ms=bindparam("p"),
        number=bindparam("n"),
    )
    db.execute(statement, numbered)
    db.execute(
        update(tables.withdrawal)
        .where(row.workspace_id == workspace_id, row.mark == bindparam("key"))
        .values(
            identity_id=bindparam("who"),
            measure_ms=bindparam("m"),
            profile_ms=bindparam("p"),
            number=bindparam("n"),
        ),
        numbered,
    )
