"""Whose an event is: the links of its identity, by time."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from services.contract import tables
from services.contract.event import Event
from services.contract.tables.unguessed import unguessed
from services.model.identity import Use
from services.runtime.bulk import among, rows_of

Piece = tuple[int | None, int | None, int]
"""(from_ms, to_ms, person id) of an identity."""


def hold_persons(db: Connection, persons: Collection[int]) -> None:
    """Hold persons for this transaction, in the order of their ids."""
    row = tables.person.c
    query = select(row.id).where(among(db, row.id, persons)).order_by(row.id)
    rows_of(db, query.with_for_update(key_share=True))


def owners_of(
    db: Connection, workspace_id: int, identities: Collection[int]
) -> dict[int, set[Piece]]:
    """Whose each identity is, and when: at least one piece for each resolved identity."""
    link = tables.identity_link.c
    query = select(link.identity_id, link.valid_from_ms, link.valid_to_ms, link.person_id).where(
        link.workspace_id == unguessed(workspace_id),
        among(db, link.identity_id, identities),
        link.known_to_ms.is_(None),
    )
    pieces: dict[int, set[Piece]] = defaultdict(set)
    for identity, from_ms, to_ms, person in rows_of(db, query):
        pieces[identity].add((from_ms, to_ms, person))
    return pieces


class NobodysError(Exception):
    """An identity is nobody's: its person was erased since it was read whose it is."""


def owner_at(pieces: Iterable[Piece], at_ms: int) -> int:
    """The person that an identity's event at ``at_ms`` belongs to.

    Raises:
        NobodysError: it is nobody's then.
    """
    for from_ms, to_ms, person in pieces:
        if (from_ms is None or from_ms <= at_ms) and (to_ms is None or at_ms < to_ms):
            return person
    raise NobodysError


def share_out(
    db: Connection, workspace_id: int, events: Mapping[int, Sequence[Event]]
) -> tuple[dict[int, set[Piece]], dict[int, list[Event]]]:
    """Whose the identities of events are, and the events per person."""
    owners = owners_of(db, workspace_id, events.keys())
    found: dict[int, list[Event]] = defaultdict(list)
    for identity, some in events.items():
        pieces = owners[identity]
        first = next(iter(pieces), None)
        if len(pieces) == 1 and first is not None and first[:2] == (None, None):
            found[first[2]] += some  # as of nearly all
            continue
        for event in some:
            found[owner_at(pieces, event.occurred_ms)].append(event)
    return owners, dict(found)


def owners_at(db: Connection, workspace_id: int, places: Collection[tuple[int, int]]) -> set[int]:
    """Whose (identity id, occurred_ms) are."""
    if not places:
        return set()
    pieces = owners_of(db, workspace_id, {identity for identity, _ in places})
    return {owner_at(pieces[identity], at) for identity, at in places}


def uses_of(db: Connection, workspace_id: int, cookie: int) -> list[Use]:
    """The events that named a cookie beside a surer identity, in order."""
    event = tables.event.c
    query = select(event.occurred_ms, event.event_id, event.identity_id).where(
        event.workspace_id == unguessed(workspace_id), event.cookie_id == cookie
    )
    return sorted(
        Use(at, bytes(event_id), known) for at, event_id, known in db.execute(query).all()
    )


class Used(NamedTuple):
    """An event named a cookie beside a known identity, at a time."""

    cookie: int
    known: int
    at_ms: int


def used_by_others(db: Connection, workspace_id: int, uses: Collection[Used]) -> set[int]:
    """The cookies that were used by somebody else than whose they were then.

    Whoever uses a cookie while it is theirs changes nothing about whose it is.
    """
    pieces = owners_of(db, workspace_id, {i for use in uses for i in (use.cookie, use.known)})
    return {
        use.cookie
        for use in uses
        if owner_at(pieces[use.cookie], use.at_ms) != owner_at(pieces[use.known], use.at_ms)
    }


def still_so(
    db: Connection,
    workspace_id: int,
    uses: Mapping[int, Sequence[Use]],
    used: Collection[Used],
) -> bool:
    """Whether nobody else used a cookie while we waited for the persons that are ours now.

    Args:
        db: a transaction that has the persons locked.
        workspace_id: whose.
        uses: what we shared cookies out by.
        used: what the batch tells of cookies: of those not in ``uses`` each was its user's then.
    """
    row = tables.identity.c
    others = {use.cookie for use in used} - uses.keys()
    query = select(row.id).where(among(db, row.id, others), row.shared)
    shared = set(db.execute(query).scalars()) if others else set()
    if shared and used_by_others(db, workspace_id, [u for u in used if u.cookie in shared]):
        return False
    return all(uses_of(db, workspace_id, cookie) == found for cookie, found in uses.items())
