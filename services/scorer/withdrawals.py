"""What trackers are told of withdrawals: marks of identities, renewed with what is who's."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, bindparam, select, update

from services.contract import tables
from services.contract.event import Identity
from services.contract.terms import Terms
from services.contract.vault import shown_value
from services.contract.withdrawal import mark_of
from services.runtime.bulk import among
from services.runtime.database import insert_new

_NUMBERS = 2
"""The row of ``feed_position`` that withdrawals get their numbers from."""

Both = tuple[Terms | None, Terms | None]
"""The terms of ``measure`` and of ``profile``."""


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
    secret = _secret(db, workspace_id) if persons else None
    if secret is None:
        return
    row = tables.identity.c
    query = select(row.id, row.namespace, row.value, row.person_id).where(
        row.workspace_id == workspace_id, among(db, row.person_id, persons)
    )
    identities = db.execute(query).all()
    held = _marks_of(db, workspace_id, [one.id for one in identities])
    made: list[dict[str, object]] = []
    for one in identities:
        measure, profile = terms.get(one.person_id, (None, None))
        who = Identity(one.namespace, shown_value(one.value))
        wanted = _standing(measure, who), _standing(profile, who)
        if held.get(one.id, (None, None)) != wanted:
            mark = mark_of(who, secret)
            made.append({"key": mark, "who": one.id, "m": wanted[0], "p": wanted[1]})
    _write_marks(db, workspace_id, made)


def _standing(terms_: Terms | None, who: Identity) -> int | None:
    return terms_.withdrawn_ms if terms_ is not None and terms_.stands_for(who) else None


def _secret(db: Connection, workspace_id: int) -> bytes | None:
    row = tables.link_secret.c
    query = select(row.secret).where(row.workspace_id == workspace_id).order_by(row.number)
    secret = db.execute(query.limit(1)).scalar()
    return None if secret is None else bytes(secret)


def _marks_of(
    db: Connection, workspace_id: int, identities: Collection[int]
) -> dict[int, tuple[int | None, int | None]]:
    row = tables.withdrawal.c
    query = select(row.identity_id, row.measure_ms, row.profile_ms).where(
        row.workspace_id == workspace_id, among(db, row.identity_id, identities)
    )
    return {identity: (m, p) for identity, m, p in db.execute(query)}


def _write_marks(db: Connection, workspace_id: int, made: list[dict[str, object]]) -> None:
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
    numbered = [{**one, "n": following - len(made) + i} for i, one in enumerate(made)]
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
        .values(measure_ms=bindparam("m"), profile_ms=bindparam("p"), number=bindparam("n")),
        [{name: one[name] for name in ("key", "m", "p", "n")} for one in numbered],
    )
