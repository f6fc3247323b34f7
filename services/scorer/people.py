"""Whose each identity is: what is read around those whose ties changed, and what came out.

:mod:`services.model.identity` decides; this reads what it needs and hands on what follows. It runs
under the workspace's lock (``identities.identify``).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, select

from services.contract import tables
from services.contract.event import strength
from services.contract.phases import ChangeReason
from services.model.identity import (
    COOKIE,
    DECIDED_BEFORE_MS,
    UNTOLD_MS,
    WEAK,
    Slice,
    Tie,
    Use,
    group,
    meetings,
    slices,
)
from services.runtime.bulk import among
from services.scorer.homes import Chosen, Known, choose
from services.scorer.links import Moved, redirect, write_links, write_owners
from services.scorer.owners import uses_of
from services.scorer.quarantine import Met, write_conflicts
from services.scorer.ties import Edge, neighbours

MEETINGS_MAX = 100
"""On one cookie, that are looked at for a conflict: the earliest."""


class Linked(NamedTuple):
    """Something about who is who, to be told of one person."""

    person: int
    namespace: str
    """Of the identity; empty for a whole person."""
    was: int | None
    """Whose it was; None: nobody's."""
    now: int | None
    """Whose it is; None: nobody's."""
    reason: ChangeReason


@dataclass
class Moves:
    """What changed about who is who."""

    refold: set[int] = field(default_factory=set)
    """Persons that got or lost events: they are folded anew from their first."""
    merged: dict[int, int] = field(default_factory=dict)
    """Persons that are no more → who they turned out to be."""
    parted: dict[int, int] = field(default_factory=dict)
    """Persons that are again, or new → whose identities theirs were until now."""
    uses: dict[int, list[Use]] = field(default_factory=dict)
    """What told whose a cookie of several people was when."""
    linked: list[Linked] = field(default_factory=list)
    """Identities that went from people who are still there, or came without a whole person."""

    def reasons(self) -> dict[int, ChangeReason]:
        """Of people, how who they are is seen otherwise."""
        told: dict[int, ChangeReason] = {one.person: one.reason for one in self.linked}
        told |= dict.fromkeys([*self.parted, *self.parted.values()], "parted")
        told |= dict.fromkeys([*self.merged, *self.merged.values()], "merged")
        return told


@dataclass
class _Around:
    """The identities whose owner may change, and what touches them."""

    rows: dict[int, Known] = field(default_factory=dict)
    ties: set[Tie] = field(default_factory=set)
    apart: set[tuple[int, int]] = field(default_factory=set)
    known: set[int] = field(default_factory=set)
    cookies: set[int] = field(default_factory=set)
    users: dict[int, list[tuple[int, Edge]]] = field(default_factory=lambda: defaultdict(list))
    """For each cookie the known identities that have to do with it."""
    uses: dict[int, list[Use]] = field(default_factory=dict)
    aside: list[Tie] = field(default_factory=list)
    """Ties that stand aside."""

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
    chosen = choose(db, workspace_id, around.rows, owners, now_ms)
    wanted: dict[int, list[Slice]] = {
        identity: [piece._replace(owner=chosen.persons[piece.owner]) for piece in pieces]
        for identity, pieces in owners.items()
    }
    moved = write_links(db, workspace_id, wanted, now_ms)
    write_owners(db, wanted)
    redirect(db, workspace_id, chosen.merged, chosen.redirected)
    met = _met(around, owners, chosen)
    write_conflicts(db, workspace_id, around.known, around.cookies, met, now_ms)
    refold = {
        person for identity, one in moved.items() if identity not in new for person in one.persons
    }
    linked = _linked(around, moved, chosen)
    return Moves(refold - chosen.merged.keys(), chosen.merged, chosen.parted, around.uses, linked)


def _linked(around: _Around, moved: Mapping[int, Moved], chosen: Chosen) -> list[Linked]:
    """Identities that came to people who were there already, or went from them."""
    living = {row.person_id for row in around.rows.values()}
    along = chosen.merged.items() | {(was, now) for now, was in chosen.parted.items()}
    found: list[Linked] = []
    for identity, (_, before, after) in sorted(moved.items()):
        namespace = around.rows[identity].namespace
        whole = {now for was in before for now in after if (was, now) in along}
        lost, came = before - after - chosen.merged.keys(), after - before
        gained = (came - whole) & living
        was, now = min(lost, default=None), min(came, default=None)
        found += [Linked(person, namespace, person, now, "unlinked") for person in sorted(lost)]
        found += [Linked(person, namespace, was, person, "linked") for person in sorted(gained)]
    return found


def owners_by_ties(
    db: Connection, workspace_id: int, identities: Collection[int]
) -> dict[int, list[Slice]]:
    """Whose identities are by what ties them, and whose those that hang on them; see _owners."""
    return _owners(db, workspace_id, _read_around(db, workspace_id, identities))


def _read_around(db: Connection, workspace_id: int, loose: Collection[int]) -> _Around:
    """From known identity to known identity, as far as ties go; a cookie joins nobody.

    Whoever used a loose cookie is read, but not what they are tied to: that did not change.
    """
    around = _Around()
    _read_rows(db, around, loose)
    around.cookies = {i for i in loose if around.is_cookie(i)}
    frontier = set(loose) - around.cookies
    while frontier:
        around.known |= frontier
        found = neighbours(db, workspace_id, frontier)
        _read_rows(db, around, {i for edge in found for i in (edge.a, edge.b)})
        frontier = set()
        for edge in found:
            ends = {edge.a, edge.b}
            cookies = {i for i in ends if around.is_cookie(i)}
            around.cookies |= cookies
            if not cookies:
                _weigh(around, edge)
                frontier |= ends - around.known
    used = neighbours(db, workspace_id, around.cookies)
    _read_rows(db, around, {i for edge in used for i in (edge.a, edge.b)})
    for edge in used:
        cookie, known = (edge.a, edge.b) if edge.a in around.cookies else (edge.b, edge.a)
        around.users[cookie].append((known, edge))
    return around


def _weigh(around: _Around, edge: Edge) -> None:
    """What stands between two known identities."""
    if edge.told_ms < UNTOLD_MS:
        around.ties.add(Tie(edge.told_ms, edge.event_id, edge.a, edge.b))
    if edge.decision == "same_person":
        at_ms = DECIDED_BEFORE_MS + edge.decided_ms
        around.ties.add(Tie(at_ms, edge.decided_by, edge.a, edge.b))
    elif edge.decision == "two_people":
        around.apart.add((edge.a, edge.b))


def _read_rows(db: Connection, around: _Around, ids: Iterable[int]) -> None:
    unread = [i for i in ids if i not in around.rows]
    if unread:
        row = tables.identity.c
        query = select(row.id, row.namespace, row.value, row.person_id).where(
            among(db, row.id, unread)
        )
        around.rows |= {i: Known(*found) for i, *found in db.execute(query)}


def _owners(db: Connection, workspace_id: int, around: _Around) -> dict[int, list[Slice]]:
    """The slices of each identity in question.

    An owner is one identity of its group; a lone cookie owns itself; minus a person's id
    stands for somebody whose ties did not change.
    """
    groups = _groups(around)
    owners = {i: [Slice(None, None, root, None)] for i, root in groups.items()}
    for cookie in around.cookies:
        owners[cookie] = _cookie(db, workspace_id, around, cookie, groups)
    return owners


def _cookie(
    db: Connection, workspace_id: int, around: _Around, cookie: int, groups: dict[int, int]
) -> list[Slice]:
    near = around.users.get(cookie, [])
    owner_of = {k: groups.get(k, -(around.rows[k].person_id or 0)) for k, _ in near}
    decided = [(e.decided_ms, e.decided_by, k) for k, e in near if e.decision == "same_person"]
    if decided:
        *_, whose = max(decided)
        return [Slice(None, None, owner_of[whose], None)]
    barred = {owner_of[k] for k, edge in near if edge.decision == "two_people"}
    users = {k for k, edge in near if edge.told_ms < UNTOLD_MS and owner_of[k] not in barred}
    weak = frozenset(k for k in users if around.rows[k].namespace == WEAK)
    relevant = {owner_of[k] for k in users - weak} or {owner_of[k] for k in users}
    if not relevant:
        return [Slice(None, None, cookie, None)]
    if len(relevant) == 1:
        return [Slice(None, None, relevant.pop(), None)]
    around.uses[cookie] = uses_of(db, workspace_id, cookie)
    found = slices(around.uses[cookie], owner_of, weak, barred)
    if not found:  # all who used it took their consent back: their ties stand, their uses are gone
        *_, last = max((edge.told_ms, edge.event_id, k) for k, edge in near if k in users)
        found = [Slice(None, None, owner_of[last], None)]
    return found


def _groups(around: _Around) -> dict[int, int]:
    """For each known identity one of its group.

    The model is told names in their order, for row ids follow the order of arrival.
    """
    named = sorted(around.known, key=lambda i: around.rows[i][:2])
    number = {identity: n for n, identity in enumerate(named)}
    ties = [
        Tie(at, event_id, *sorted((number[a], number[b]))) for at, event_id, a, b in around.ties
    ]
    apart = [(number[a], number[b]) for a, b in around.apart]
    namespaces = {n: around.rows[identity].namespace for n, identity in enumerate(named)}
    groups = group(namespaces, ties, apart)
    around.aside = [tie._replace(a=named[tie.a], b=named[tie.b]) for tie in groups.aside]
    return {named[n]: named[root] for n, root in groups.root.items()}


def _met(around: _Around, owners: dict[int, list[Slice]], chosen: Chosen) -> list[Met]:
    """Who may be one person and is not: by a tie that stands aside, or on one browser."""
    rows = around.rows

    def owner_of(known: int) -> int:
        return owners[known][0].owner if known in around.known else -(rows[known].person_id or 0)

    met = [
        Met(t.a, t.b, owner_of(t.a), owner_of(t.b), 0, t.event_id, contradicts=t.told_ms < 0)
        for t in around.aside
    ]
    for cookie in sorted(around.uses):
        met_here = meetings(owners[cookie])[:MEETINGS_MAX]
        theirs = {owner for one, other, _ in met_here for owner in (one, other)}
        users = [
            known
            for known, edge in around.users[cookie]
            if edge.told_ms < UNTOLD_MS and owner_of(known) in theirs
        ]
        users.sort(key=lambda known: (strength(rows[known].namespace), *rows[known][:2]))
        surest: dict[int, int] = {}
        for known in users:
            surest.setdefault(owner_of(known), known)
        met += [
            Met(surest[one], surest[other], one, other, cookie, event_id)
            for one, other, event_id in met_here
        ]
    persons = chosen.persons
    return [one._replace(person=persons[one.person], other=persons[one.other]) for one in met]
