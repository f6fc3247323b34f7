"""Identities and what events named together: rows for both, made in a fixed order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, or_, select, update

from services.contract import tables
from services.contract.event import Event, Identity, primary
from services.contract.vault import lookup_value
from services.model.identity import ADDRESS, BROWSER_AFTER_MS, COOKIE, UNIQUE
from services.runtime.bulk import among
from services.runtime.database import insert_new

Pair = tuple[int, int]
First = tuple[int, bytes]
"""(told_ms, event_id) of the first event that named a pair; see ``model/identity.Tie``."""


@dataclass
class Identified:
    """The identities of a batch's events."""

    ids: dict[Identity, int] = field(default_factory=dict)
    new: set[int] = field(default_factory=set)
    """Those never seen before this batch."""
    loose: set[int] = field(default_factory=set)
    """Those whose ties changed, so that whose they are must be worked out anew."""

    def primary(self, event: Event) -> int:
        """The identity that an event is stored under."""
        return self.ids[primary(event.identities)]

    def cookie(self, event: Event) -> int | None:
        """The cookie beside a surer identity."""
        cookie = cookie_of(event)
        return None if cookie is None else self.ids[cookie]


def cookie_of(event: Event) -> Identity | None:
    """The one cookie that an event ties to a surer identity; further ones it names tie nobody."""
    cookies = [i for i in event.identities if i.namespace == COOKIE]
    if not cookies or primary(event.identities).namespace == COOKIE:
        return None
    return min(cookies)


def named_together(event: Event) -> list[tuple[Identity, Identity]]:
    """The pairs that an event ties: its surest identity with the others and with its cookie.

    Of what a browser tells only a user id and a mail address are tied: anybody can send anything
    with the key in a page, so it never joins strangers.
    """
    first = primary(event.identities)
    if first.namespace == COOKIE:
        return []
    cookie = cookie_of(event)
    addresses = [i for i in event.identities if i.namespace == ADDRESS]
    pairs = []
    for other in event.identities:
        trusted = event.server_only or (first.namespace == UNIQUE and [other] == addresses)
        if other == cookie or (other.namespace != COOKIE and other != first and trusted):
            pairs.append((first, other))
    return pairs


def _told_ms(event: Event) -> int:
    return event.received_ms + (0 if event.server_only else BROWSER_AFTER_MS)


def unsettled(db: Connection, workspace_id: int, events: Sequence[Event]) -> list[Event]:
    """Those events by which who is who may change."""
    found = _look(db, workspace_id, events)
    return [event for event in events if _is_unsettled(event, found)]


def identify(db: Connection, workspace_id: int, events: Sequence[Event]) -> Identified:
    """Find or make the identities of events, and record what they tie.

    Where anything is new, the workspace's row is locked first: who is who changes in one
    transaction at a time, and nobody waits for it who only adds events.
    """
    found = _look(db, workspace_id, events)
    moving = [event for event in events if _is_unsettled(event, found)]
    if moving:
        db.execute(
            select(tables.workspace.c.id)
            .where(tables.workspace.c.id == workspace_id)
            .with_for_update(key_share=True)
        )
        under_lock = _look(db, workspace_id, moving)
        _insert(db, workspace_id, moving, under_lock)
        _tie(db, workspace_id, moving, under_lock)
        under_lock.ids = found.ids | under_lock.ids
        found = under_lock
    return found


def _is_unsettled(event: Event, found: Identified) -> bool:
    """Whether who is who may change by an event."""
    ids = [found.ids.get(identity) for identity in event.identities]
    return any(i is None or i in found.loose for i in ids)


def _all(events: Iterable[Event]) -> set[Identity]:
    return {identity for event in events for identity in event.identities}


def _look(db: Connection, workspace_id: int, events: Sequence[Event]) -> Identified:
    found = Identified()
    by_namespace: dict[str, dict[str, Identity]] = {}
    for identity in _all(events):
        by_namespace.setdefault(identity.namespace, {})[lookup_value(identity)] = identity
    row = tables.identity.c
    shared: set[int] = set()
    for namespace, values in by_namespace.items():
        query = select(row.id, row.value, row.person_id, row.shared).where(
            row.workspace_id == workspace_id,
            row.namespace == namespace,
            among(db, row.value, values),
        )
        for found_id, value, person_id, is_shared in db.execute(query).all():
            found.ids[values[value]] = found_id
            if person_id is None:
                found.loose.add(found_id)
            if is_shared:
                shared.add(found_id)
    firsts = _firsts(events, found)
    known = _edges(db, workspace_id, firsts)
    for pair, first in firsts.items():
        if pair not in known or first < known[pair]:
            found.loose.update(pair)
    # Whose a shared cookie was when may change with any further use of it.
    found.loose.update(i for pair in firsts for i in pair if i in shared)
    return found


def _firsts(events: Iterable[Event], found: Identified) -> dict[Pair, First]:
    """The earliest event of each pair whose identities are known by id."""
    firsts: dict[Pair, First] = {}
    for event in events:
        for a, b in named_together(event):
            if a in found.ids and b in found.ids:
                low, high = sorted((found.ids[a], found.ids[b]))
                key = (_told_ms(event), event.event_id)
                firsts[low, high] = min(firsts.get((low, high), key), key)
    return firsts


def _edges(db: Connection, workspace_id: int, pairs: Iterable[Pair]) -> dict[Pair, First]:
    edge = tables.identity_edge.c
    lows = {low for low, _ in pairs}
    if not lows:
        return {}
    query = select(edge.a_id, edge.b_id, edge.told_ms, edge.event_id).where(
        edge.workspace_id == workspace_id, among(db, edge.a_id, lows)
    )
    return {(a, b): (at, bytes(event_id)) for a, b, at, event_id in db.execute(query).all()}


def _insert(db: Connection, workspace_id: int, events: Sequence[Event], found: Identified) -> None:
    missing = sorted(_all(events) - found.ids.keys())
    if not missing:
        return
    rows = [
        {
            "workspace_id": workspace_id,
            "namespace": identity.namespace,
            "value": lookup_value(identity),
            "person_id": None,
            "shared": False,
        }
        for identity in missing
    ]
    db.execute(insert_new(db, tables.identity), rows)
    before = set(found.ids.values())
    found.ids.update(_look(db, workspace_id, events).ids)
    found.new = set(found.ids.values()) - before
    found.loose |= found.new


def _tie(db: Connection, workspace_id: int, events: Sequence[Event], found: Identified) -> None:
    firsts = _firsts(events, found)
    known = _edges(db, workspace_id, firsts)
    fresh, earlier = [], []
    edge = tables.identity_edge.c
    for (a, b), (at, event_id) in sorted(firsts.items()):
        row = {
            "workspace_id": workspace_id,
            "a_id": a,
            "b_id": b,
            "told_ms": at,
            "event_id": event_id,
        }
        if (a, b) not in known:
            fresh.append(row)
        elif (at, event_id) < known[a, b]:
            earlier.append(row)
        else:
            continue
        found.loose.update((a, b))
    if fresh:
        db.execute(insert_new(db, tables.identity_edge), fresh)
    for row in earlier:
        db.execute(
            update(tables.identity_edge)
            .where(
                edge.workspace_id == workspace_id,
                edge.a_id == row["a_id"],
                edge.b_id == row["b_id"],
            )
            .values(told_ms=row["told_ms"], event_id=row["event_id"])
        )


def neighbours(
    db: Connection, workspace_id: int, ids: Iterable[int]
) -> list[tuple[int, int, int, bytes]]:
    """All edges (a_id, b_id, told_ms, event_id) that touch any of ``ids``."""
    edge = tables.identity_edge.c
    wanted = list(ids)
    if not wanted:
        return []
    query = select(edge.a_id, edge.b_id, edge.told_ms, edge.event_id).where(
        edge.workspace_id == workspace_id,
        or_(among(db, edge.a_id, wanted), among(db, edge.b_id, wanted)),
    )
    return [(a, b, at, bytes(event_id)) for a, b, at, event_id in db.execute(query).all()]
