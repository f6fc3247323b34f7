"""Who may be one person and is not: kept for people to decide, until it is settled."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, or_, select

from services.contract import tables
from services.contract.tables.unguessed import unguessed
from services.model.identity import COOKIE
from services.runtime.bulk import among
from services.runtime.database import insert_new

CONFLICTS_MAX = 20
"""Of one cookie, or of ties that hang together: the earliest are kept for people to judge."""

_conflict = tables.identity_conflict.c
_Key = tuple[int, int, int]


class Met(NamedTuple):
    """Two known identities whose persons met."""

    a: int
    b: int
    person: int
    other: int
    """The person of ``b``."""
    cookie: int
    """The browser that both used; 0: a tie between the two stands aside."""
    event_id: bytes
    contradicts: bool = False
    """Somebody decided that they are one, against another decision."""


def write_conflicts(
    db: Connection,
    workspace_id: int,
    known: Collection[int],
    cookies: Collection[int],
    met: Iterable[Met],
    now_ms: int,
) -> None:
    """Bring the open conflicts of identities up to date.

    Args:
        db: in the transaction that changed who is who, after it did.
        workspace_id: whose.
        known: the known identities that were looked at.
        cookies: the cookies that were.
        met: what was found, the earliest first.
        now_ms: the moment that is shown.
    """
    held = _held(db, workspace_id, known, cookies)
    found = _undecided(db, workspace_id, list(met))
    gone = [row_id for key, row_id in held.items() if key not in found]
    if gone:
        db.execute(
            delete(tables.identity_conflict).where(
                _conflict.workspace_id == unguessed(workspace_id), among(db, _conflict.id, gone)
            )
        )
    rows = [
        {
            "workspace_id": workspace_id,
            "a_id": a,
            "b_id": b,
            "cookie_id": cookie,
            "event_id": event_id,
            "known_from_ms": now_ms,
        }
        for (a, b, cookie), event_id in found.items()
        if (a, b, cookie) not in held
    ]
    if rows:
        db.execute(insert_new(db, tables.identity_conflict), rows)


def _held(
    db: Connection, workspace_id: int, known: Collection[int], cookies: Collection[int]
) -> dict[_Key, int]:
    """The rows of conflicts that were looked at anew."""
    ways: list[ColumnElement[bool]] = []
    if known:
        ways.append(among(db, _conflict.a_id, known) & (_conflict.cookie_id == 0))
    if cookies:
        ways.append(among(db, _conflict.cookie_id, cookies))
    query = select(_conflict.id, _conflict.a_id, _conflict.b_id, _conflict.cookie_id).where(
        _conflict.workspace_id == unguessed(workspace_id), or_(*ways)
    )
    return {(a, b, cookie): row_id for row_id, a, b, cookie in db.execute(query)}


def _undecided(db: Connection, workspace_id: int, met: Collection[Met]) -> dict[_Key, bytes]:
    """Conflicts, the first of each two persons on each cookie, that people did not settle."""
    if not met:
        return {}
    settled = _settled(db, workspace_id, {p for one in met for p in (one.person, one.other)})
    number: Counter[int] = Counter()
    seen: set[tuple[int, frozenset[int]]] = set()
    found: dict[_Key, bytes] = {}
    for one in met:
        persons = frozenset({one.person, one.other})
        place = one.cookie, persons
        known_apart = persons in settled and not one.contradicts
        if known_apart or place in seen or number[one.cookie] >= CONFLICTS_MAX:
            continue
        seen.add(place)
        number[one.cookie] += 1
        low, high = sorted((one.a, one.b))
        found[low, high, one.cookie] = one.event_id
    return found


def _settled(db: Connection, workspace_id: int, persons: Collection[int]) -> set[frozenset[int]]:
    """Pairs of persons that somebody decided to be two."""
    edge, a, b = tables.identity_edge.c, tables.identity.alias("one"), tables.identity.alias("two")
    query = (
        select(a.c.person_id, b.c.person_id)
        .join_from(tables.identity_edge, a, a.c.id == edge.a_id)
        .join(b, b.c.id == edge.b_id)
        .where(
            edge.workspace_id == unguessed(workspace_id),
            edge.decision == "two_people",
            among(db, a.c.person_id, persons),
            among(db, b.c.person_id, persons),
            a.c.workspace_id == unguessed(workspace_id),
            b.c.workspace_id == unguessed(workspace_id),
            a.c.namespace != COOKIE,
            b.c.namespace != COOKIE,
        )
    )
    return {frozenset(pair) for pair in db.execute(query).all()}
