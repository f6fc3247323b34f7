"""Whose each identity is: persons made, joined and parted, their links kept as history.

:mod:`services.model.identity` decides; this reads what it needs around the identities whose ties
changed, and writes what came out. It runs under the workspace's lock (``identities.identify``).
"""

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from services.contract import tables
from services.contract.event import strength
from services.model.identity import COOKIE, WEAK, Slice, Tie, Use, group, slices
from services.runtime.bulk import among
from services.scorer.identities import neighbours
from services.scorer.owners import Piece, uses_of

FAR_MS = 2**53
"""Later than any event: the first one of a person who has none yet."""


class _Row(NamedTuple):
    """An identity as stored."""

    namespace: str
    value: str
    person_id: int | None


@dataclass
class Moves:
    """What changed about who is who."""

    refold: set[int] = field(default_factory=set)
    """Persons that got or lost events: they are folded anew from their first."""
    merged: dict[int, int] = field(default_factory=dict)
    """Persons that are no more → who they turned out to be."""
    uses: dict[int, list[Use]] = field(default_factory=dict)
    """What told whose a cookie of several people was when."""


@dataclass
class _Around:
    """The identities whose owner may change, and what touches them."""

    rows: dict[int, _Row] = field(default_factory=dict)
    ties: set[Tie] = field(default_factory=set)
    known: set[int] = field(default_factory=set)
    cookies: set[int] = field(default_factory=set)
    users: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """For each cookie the known identities that used it."""
    uses: dict[int, list[Use]] = field(default_factory=dict)

    def is_cookie(self, identity: int) -> bool:
        """Whether it names a browser, not a human being."""
        return self.rows[identity].namespace == COOKIE


def resolve(
    db: Connection, workspace_id: int, loose: Collection[int], new: Collection[int], now_ms: int
) -> Moves:
    """Give every loose identity (and those that hang on it) its person.

    Args:
        db: in a transaction that holds the workspace's lock.
        workspace_id: whose.
        loose: identities whose ties changed; ``new`` ones among them have no events yet.
        new: identities made in this transaction.
        now_ms: the moment that the history shows.
    """
    if not loose:
        return Moves()
    around = _read_around(db, workspace_id, loose)
    owners = _owners(db, workspace_id, around)
    persons, merged = _choose(db, workspace_id, around, owners, now_ms)
    wanted: dict[int, list[Slice]] = {
        identity: [piece._replace(owner=persons[piece.owner]) for piece in pieces]
        for identity, pieces in owners.items()
    }
    moved = _write_links(db, workspace_id, wanted, now_ms)
    _write_owners(db, wanted)
    refold = {
        person_id
        for identity, before in moved.items()
        if identity not in new
        for person_id in before | {piece.owner for piece in wanted[identity]}
    }
    _retire(db, merged)
    return Moves(refold - merged.keys(), merged, around.uses)


def _read_around(db: Connection, workspace_id: int, loose: Collection[int]) -> _Around:
    """From known identity to known identity, as far as ties go; a cookie joins nobody."""
    around = _Around()
    _read_rows(db, around, loose)
    around.cookies = {i for i in loose if around.is_cookie(i)}
    used = neighbours(db, workspace_id, around.cookies)
    _read_rows(db, around, {i for a, b, *_ in used for i in (a, b)})
    frontier = {i for i in around.rows if not around.is_cookie(i)}
    while frontier:
        around.known |= frontier
        edges = neighbours(db, workspace_id, frontier)
        _read_rows(db, around, {i for a, b, *_ in edges for i in (a, b)})
        frontier = set()
        for a, b, at, event_id in edges:
            cookies = {i for i in (a, b) if around.is_cookie(i)}
            around.cookies |= cookies
            if not cookies:
                around.ties.add(Tie(at, event_id, a, b))
                frontier |= {a, b} - around.known
    used = neighbours(db, workspace_id, around.cookies)
    _read_rows(db, around, {i for a, b, *_ in used for i in (a, b)})
    for a, b, *_ in used:
        cookie, known = (a, b) if a in around.cookies else (b, a)
        around.users[cookie].add(known)
    return around


def _read_rows(db: Connection, around: _Around, ids: Iterable[int]) -> None:
    unread = [i for i in ids if i not in around.rows]
    if unread:
        row = tables.identity.c
        query = select(row.id, row.namespace, row.value, row.person_id).where(
            among(db, row.id, unread)
        )
        around.rows |= {i: _Row(*found) for i, *found in db.execute(query)}


def _owners(db: Connection, workspace_id: int, around: _Around) -> dict[int, list[Slice]]:
    """The slices of each identity in question.

    An owner is one identity of its group; a lone cookie owns itself; minus a person's id
    stands for somebody whose ties did not change.
    """
    groups = _groups(around)
    owners = {i: [Slice(None, None, root, None)] for i, root in groups.items()}
    for cookie in around.cookies:
        users = around.users.get(cookie, set())
        owner_of = {k: groups.get(k, -(around.rows[k].person_id or 0)) for k in users}
        if not users:
            owners[cookie] = [Slice(None, None, cookie, None)]
            continue
        weak = frozenset(k for k in users if around.rows[k].namespace == WEAK)
        relevant = {owner_of[k] for k in users - weak} or set(owner_of.values())
        if len(relevant) == 1:
            owners[cookie] = [Slice(None, None, relevant.pop(), None)]
        else:
            around.uses[cookie] = uses_of(db, workspace_id, cookie)
            owners[cookie] = slices(around.uses[cookie], owner_of, weak)
    return owners


def _groups(around: _Around) -> dict[int, int]:
    """For each known identity one of its group.

    The model is told names in their order, for row ids follow the order of arrival.
    """
    named = sorted(around.known, key=lambda i: around.rows[i][:2])
    number = {identity: n for n, identity in enumerate(named)}
    ties = [
        Tie(at, event_id, *sorted((number[a], number[b]))) for at, event_id, a, b in around.ties
    ]
    namespaces = {n: around.rows[identity].namespace for n, identity in enumerate(named)}
    return {named[n]: named[root] for n, root in group(namespaces, ties).items()}


def _choose(
    db: Connection,
    workspace_id: int,
    around: _Around,
    owners: dict[int, list[Slice]],
    now_ms: int,
) -> tuple[dict[int, int], dict[int, int]]:
    """(owner → person id, merged person → survivor)."""
    homes = _homes(around, owners)
    firsts = _firsts(db, homes.keys())
    persons: dict[int, int] = {}
    for person in sorted(homes, key=lambda one: firsts[one]):
        persons.setdefault(homes[person], person)
    for owner in sorted({piece.owner for pieces in owners.values() for piece in pieces}):
        if owner < 0:
            persons[owner] = -owner
        elif owner not in persons:
            persons[owner] = _new_person(db, workspace_id, now_ms)
    kept = set(persons.values())
    merged = {person: persons[owner] for person, owner in homes.items() if person not in kept}
    return persons, merged


def _homes(around: _Around, owners: dict[int, list[Slice]]) -> dict[int, int]:
    """To which owner each person goes: where the surest of its identities went.

    So nobody takes over somebody else's person with a cookie or an address of theirs.
    """
    homes = {-p.owner: p.owner for pieces in owners.values() for p in pieces if p.owner < 0}
    for identity in sorted(owners, key=lambda i: (strength(around.rows[i].namespace), i)):
        person = around.rows[identity].person_id
        if person is not None:
            homes.setdefault(person, owners[identity][0].owner)
    return homes


def _firsts(db: Connection, persons: Collection[int]) -> dict[int, tuple[int, bytes, int]]:
    row = tables.person.c
    query = select(row.id, row.first_ms, row.first_event_id).where(among(db, row.id, persons))
    return {i: (at, bytes(event_id), i) for i, at, event_id in db.execute(query)}


def _new_person(db: Connection, workspace_id: int, now_ms: int) -> int:
    """A person whose first event is still to be told (``folding`` does)."""
    values = {
        "workspace_id": workspace_id,
        "public_id": f"p_{secrets.token_urlsafe(12)}",
        "first_ms": FAR_MS,
        "first_event_id": b"",
        "created_ms": now_ms,
    }
    made = db.execute(insert(tables.person).returning(tables.person.c.id), values)
    return int(made.scalar_one())


def _write_links(
    db: Connection, workspace_id: int, wanted: dict[int, list[Slice]], now_ms: int
) -> dict[int, set[int]]:
    """Bring the links up to date; returns per changed identity whose it was."""
    link = tables.identity_link.c
    query = select(
        link.id, link.identity_id, link.valid_from_ms, link.valid_to_ms, link.person_id
    ).where(
        link.workspace_id == workspace_id,
        among(db, link.identity_id, wanted),
        link.known_to_ms.is_(None),
    )
    held: dict[int, dict[Piece, int]] = defaultdict(dict)
    for row_id, identity, from_ms, to_ms, person in db.execute(query):
        held[identity][from_ms, to_ms, person] = row_id
    closed: list[int] = []
    made: list[dict[str, object]] = []
    moved: dict[int, set[int]] = {}
    for identity, pieces in wanted.items():
        now = {(piece.from_ms, piece.to_ms, piece.owner): piece for piece in pieces}
        before = held[identity]
        if now.keys() == before.keys():
            continue
        moved[identity] = {person for _, _, person in before}
        closed += [row_id for piece, row_id in before.items() if piece not in now]
        made += [
            {
                "workspace_id": workspace_id,
                "identity_id": identity,
                "person_id": piece.owner,
                "valid_from_ms": piece.from_ms,
                "valid_to_ms": piece.to_ms,
                "event_id": piece.event_id,
                "known_from_ms": now_ms,
            }
            for key, piece in now.items()
            if key not in before
        ]
    if closed:
        db.execute(
            update(tables.identity_link)
            .where(among(db, link.id, closed))
            .values(known_to_ms=now_ms)
        )
    if made:
        db.execute(insert(tables.identity_link), made)
    return moved


def _write_owners(db: Connection, wanted: dict[int, list[Slice]]) -> None:
    """``identity.person_id`` is the latest owner; ``shared`` says that there were others."""
    row = tables.identity.c
    rows = [
        {"row": i, "person": pieces[-1].owner, "several": len(pieces) > 1}
        for i, pieces in sorted(wanted.items())
    ]
    statement = (
        update(tables.identity)
        .where(row.id == bindparam("row"))
        .values(person_id=bindparam("person"), shared=bindparam("several"))
    )
    db.execute(statement, rows)


def _retire(db: Connection, merged: dict[int, int]) -> None:
    row = tables.person.c
    for person, survivor in sorted(merged.items()):
        db.execute(
            update(tables.person)
            .where((row.id == person) | (row.merged_into == person))
            .values(merged_into=survivor)
        )
