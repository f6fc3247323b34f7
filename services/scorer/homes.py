"""Which person each group of identities is: kept, merged into another, or back as it was."""

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, select

from services.contract import tables
from services.contract.event import strength
from services.contract.tables.unguessed import unguessed
from services.model.identity import Slice
from services.runtime.bulk import among, insert_rows, rows_of

FAR_MS = 2**53
"""Later than any event: the first one of a person who has none yet."""


class Known(NamedTuple):
    """An identity as stored."""

    namespace: str
    value: str
    person_id: int | None


@dataclass
class Chosen:
    """Who each owner is."""

    persons: dict[int, int] = field(default_factory=dict)
    """Owner → person id."""
    merged: dict[int, int] = field(default_factory=dict)
    """Persons that are no more → who they turned out to be."""
    parted: dict[int, int] = field(default_factory=dict)
    """Persons that are again, or new → whose identities theirs were until now."""
    redirected: dict[int, int | None] = field(default_factory=dict)
    """Persons merged long ago → who they are now; None: themselves again."""


_Owners = Mapping[int, list[Slice]]
_Past = dict[int, list[int]]
"""By identity the persons it ever belonged to, the first one first."""


def choose(
    db: Connection,
    workspace_id: int,
    rows: Mapping[int, Known],
    owners: _Owners,
    now_ms: int,
) -> Chosen:
    """Find or make the person of each owner.

    Of several persons who turn out to be one, the one with the earliest first event stays. Where a
    person's identities turn out to be several people's, each of these is who it was before they
    were joined, if it was anybody.

    Args:
        db: in a transaction that holds the workspace's lock.
        workspace_id: whose.
        rows: of all identities in question.
        owners: for each identity its slices; minus a person's id is that person.
        now_ms: when persons are made.
    """
    chosen = Chosen()
    split = _split(rows, owners)
    past = _past(db, workspace_id, owners) if split else {}
    retired = _retired(db, past)
    living = {row.person_id for row in rows.values() if row.person_id is not None}
    homes = _homes(rows, owners, past, living | retired.keys())
    chosen.persons = {owner: -owner for owner in homes.values() if owner < 0}
    moving = [person for person, owner in homes.items() if owner >= 0]
    firsts = _firsts(db, moving)
    for person in sorted(moving, key=lambda one: (one in retired, firsts[one])):
        chosen.persons.setdefault(homes[person], person)
    everybody = {piece.owner for pieces in owners.values() for piece in pieces}
    new = sorted(everybody - chosen.persons.keys())
    chosen.persons |= zip(new, _new_persons(db, workspace_id, len(new), now_ms), strict=True)
    kept = set(chosen.persons.values())
    chosen.merged = {p: chosen.persons[homes[p]] for p in sorted(living) if p not in kept}
    for person, into in retired.items():
        now = None if person in kept else chosen.persons[homes[person]]
        if now != into:
            chosen.redirected[person] = now
    if split:
        chosen.parted = _parted(rows, owners, chosen, living)
    return chosen


def _split(rows: Mapping[int, Known], owners: _Owners) -> bool:
    """Whether identities of one person go to several owners."""
    outside = (rows[i].person_id for i in rows.keys() - owners.keys())
    goes_to = {person: -person for person in outside if person is not None}
    for identity, pieces in owners.items():
        person = rows[identity].person_id
        if person is None or len(pieces) > 1:
            continue
        if goes_to.setdefault(person, pieces[0].owner) != pieces[0].owner:
            return True
    return False


def _past(db: Connection, workspace_id: int, identities: Iterable[int]) -> _Past:
    link = tables.identity_link.c
    query = (
        select(link.identity_id, link.person_id)
        .where(
            link.workspace_id == unguessed(workspace_id), among(db, link.identity_id, identities)
        )
        .order_by(link.known_from_ms, link.id)
    )
    past: _Past = defaultdict(list)
    for identity, person in db.execute(query):
        past[identity].append(person)
    return past


def _homes(
    rows: Mapping[int, Known], owners: _Owners, past: _Past, persons: Collection[int]
) -> dict[int, int]:
    """To which owner each of some persons goes: where the surest of its identities went.

    So nobody takes over somebody else's person with a cookie or an address of theirs. An identity
    that first was another person's speaks for that one. Whoever has identities that are not in
    question stays.
    """
    outside = {rows[i].person_id for i in rows.keys() - owners.keys()}
    homes = {person: -person for person in outside if person is not None}
    surest_first = sorted(owners, key=lambda i: (strength(rows[i].namespace), i))
    for identity in surest_first:
        first = next((one for one in past.get(identity, ()) if one in persons), None)
        if first is not None:
            homes.setdefault(first, owners[identity][0].owner)
    for identity in surest_first:
        for person in (rows[identity].person_id, *past.get(identity, ())):
            if person in persons:
                homes.setdefault(person, owners[identity][0].owner)
    return homes


def _retired(db: Connection, past: _Past) -> dict[int, int]:
    """Those of the persons in a past who were merged → into whom."""
    persons = {person for was in past.values() for person in was}
    if not persons:
        return {}
    row = tables.person.c
    query = select(row.id, row.merged_into).where(
        among(db, row.id, persons), row.merged_into.is_not(None)
    )
    return {row.id: row.merged_into for row in db.execute(query)}


def _firsts(db: Connection, persons: Collection[int]) -> dict[int, tuple[int, bytes, int]]:
    row = tables.person.c
    query = select(row.id, row.first_ms, row.first_event_id).where(among(db, row.id, persons))
    return {i: (at, bytes(event_id), i) for i, at, event_id in db.execute(query)}


def _new_persons(db: Connection, workspace_id: int, count: int, now_ms: int) -> list[int]:
    """So many persons whose first event is still to be told (``folding`` does)."""
    if not count:
        return []
    names = [f"p_{secrets.token_urlsafe(12)}" for _ in range(count)]
    columns = ("workspace_id", "public_id", "first_ms", "first_event_id", "created_ms")
    rows = [(workspace_id, name, FAR_MS, b"", now_ms) for name in names]
    insert_rows(db, tables.person, columns, rows)
    row = tables.person.c
    query = select(row.id).where(
        row.workspace_id == unguessed(workspace_id), among(db, row.public_id, names)
    )
    return [person for (person,) in rows_of(db, query.order_by(row.id))]


def _parted(
    rows: Mapping[int, Known], owners: _Owners, chosen: Chosen, living: set[int]
) -> dict[int, int]:
    """Persons made or brought back by this → whose identities theirs were."""
    parted: dict[int, int] = {}
    for identity in sorted(owners, key=lambda i: (strength(rows[i].namespace), i)):
        was, now = rows[identity].person_id, chosen.persons[owners[identity][0].owner]
        if was is not None and now != was and now not in living and now not in chosen.merged:
            parted.setdefault(now, was)
    return parted
