"""Identities of a batch's events: found or made, and which of them events tie, in a fixed order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from services.contract import tables
from services.contract.decision import DECIDED
from services.contract.event import Event, Identity, primary
from services.contract.vault import lookup_value
from services.model.identity import ADDRESS, BROWSER_AFTER_MS, COOKIE, UNIQUE
from services.runtime.bulk import among, rows_of
from services.runtime.database import insert_new
from services.scorer.owners import Used, used_by_others

Identities = tuple[Identity, ...]
Tied = tuple[tuple[Identity, Identity], ...]
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
    decided: set[bytes] = field(default_factory=set)
    """Events of the batch whose decisions are written down already."""
    replaced: list[tuple[Event, Event]] = field(default_factory=list)
    """Copies that were taken for an event so far, each with the one that took its place."""

    _ids: dict[bytes, int] = field(default_factory=dict)
    # A batch names the same people over and over: of each set of identities it is worked out once.
    _primaries: dict[Identities, Identity] = field(default_factory=dict)
    _cookies: dict[Identities, Identity | None] = field(default_factory=dict)
    _tied: dict[tuple[Identities, bool], Tied] = field(default_factory=dict)

    def primary(self, event: Event) -> int:
        """The identity that an event is stored under."""
        found = self._ids.get(event.event_id)
        if found is None:
            found = self._ids[event.event_id] = self.ids[self._primary(event.identities)]
        return found

    def uses_in(self, events: Iterable[Event]) -> list[Used]:
        """What events tell of cookies, as far as their identities are known by id."""
        return [
            Used(self.ids[cookie], self.ids[known], event.occurred_ms)
            for event in events
            if (cookie := self._cookie(event)) is not None
            and cookie in self.ids
            and (known := self._primary(event.identities)) in self.ids
        ]

    def cookie(self, event: Event) -> int | None:
        """The cookie beside a surer identity."""
        cookie = self._cookie(event)
        return None if cookie is None else self.ids[cookie]

    def named_together(self, event: Event) -> Tied:
        """As the function of that name."""
        if len(event.identities) < 2 or event.type == DECIDED:
            return ()
        key = event.identities, event.server_only
        found = self._tied.get(key)
        if found is None:
            tied = _tied_among(event.identities, server_only=event.server_only)
            found = self._tied[key] = tied
        return found

    def _primary(self, identities: Identities) -> Identity:
        if len(identities) == 1:
            return identities[0]
        found = self._primaries.get(identities)
        if found is None:
            found = self._primaries[identities] = primary(identities)
        return found

    def _cookie(self, event: Event) -> Identity | None:
        if len(event.identities) < 2 or event.type == DECIDED:
            return None
        identities = event.identities
        if identities not in self._cookies:
            self._cookies[identities] = _cookie_among(identities)
        return self._cookies[identities]


def cookie_of(event: Event) -> Identity | None:
    """The one cookie that an event ties to a surer identity; further ones it names tie nobody."""
    if len(event.identities) < 2 or event.type == DECIDED:
        return None
    return _cookie_among(event.identities)


def _cookie_among(identities: Identities) -> Identity | None:
    cookies = [i for i in identities if i.namespace == COOKIE]
    if not cookies or primary(identities).namespace == COOKIE:
        return None
    return min(cookies)


def named_together(event: Event) -> Tied:
    """The pairs that an event ties: its surest identity with the others and with its cookie.

    Of what a browser tells only a user id and a mail address are tied: anybody can send anything
    with the key in a page, so it never joins strangers. A decision is no observation.
    """
    if len(event.identities) < 2 or event.type == DECIDED:
        return ()
    return _tied_among(event.identities, server_only=event.server_only)


def _tied_among(identities: Identities, *, server_only: bool) -> Tied:
    first = primary(identities)
    if first.namespace == COOKIE:
        return ()
    cookie = _cookie_among(identities)
    addresses = [i for i in identities if i.namespace == ADDRESS]
    pairs = []
    for other in identities:
        trusted = server_only or (first.namespace == UNIQUE and [other] == addresses)
        if other == cookie or (other.namespace != COOKIE and other != first and trusted):
            pairs.append((first, other))
    return tuple(pairs)


def told_ms(event: Event) -> int:
    """The place of an event's ties in their order."""
    return event.received_ms + (0 if event.server_only else BROWSER_AFTER_MS)


def unsettled(db: Connection, workspace_id: int, events: Sequence[Event]) -> list[Event]:
    """Those events by which who is who may change."""
    return _unsettled_in(events, look(db, workspace_id, events))


def identify(db: Connection, workspace_id: int, events: Sequence[Event]) -> Identified:
    """Find or make the identities of events.

    Where anything is new, the workspace's row is locked first: who is who changes in one
    transaction at a time, and nobody waits for it who only adds events.
    """
    found = look(db, workspace_id, events)
    moving = _unsettled_in(events, found)
    if moving:
        lock(db, workspace_id)
        under_lock = look(db, workspace_id, moving)
        _insert(db, workspace_id, moving, under_lock)
        under_lock.ids = found.ids | under_lock.ids
        found = under_lock
    return found


def lock(db: Connection, workspace_id: int) -> None:
    """Hold who is who for this transaction."""
    db.execute(
        select(tables.workspace.c.id)
        .where(tables.workspace.c.id == workspace_id)
        .with_for_update(key_share=True)
    )


def _unsettled_in(events: Sequence[Event], found: Identified) -> list[Event]:
    """Those among events by which who is who may change."""
    ids, loose = found.ids, found.loose
    nobodys = loose | {None}
    moved = {identity for identity in _all(events) if ids.get(identity) in nobodys}
    return [
        event
        for event in events
        if (
            event.event_id not in found.decided
            if event.type == DECIDED
            else moved and not moved.isdisjoint(event.identities)
        )
    ]


def _all(events: Iterable[Event]) -> set[Identity]:
    return {identity for event in events for identity in event.identities}


def look(db: Connection, workspace_id: int, events: Sequence[Event]) -> Identified:
    """What is known of the identities of events."""
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
        for found_id, value, person_id, is_shared in rows_of(db, query):
            found.ids[values[value]] = found_id
            if person_id is None:
                found.loose.add(found_id)
            if is_shared:
                shared.add(found_id)
    firsts = firsts_of(events, found)
    known = edges(db, workspace_id, firsts)
    for pair, first in firsts.items():
        if pair not in known or first < known[pair]:
            found.loose.update(pair)
    if shared:  # whose it was when may change with any further use of it
        uses = [use for use in found.uses_in(events) if use.cookie in shared]
        known_uses = [use for use in uses if use.known not in found.loose]
        found.loose |= {use.cookie for use in uses if use.known in found.loose}
        found.loose |= used_by_others(db, workspace_id, known_uses)
    _look_at_decisions(db, workspace_id, events, found)
    return found


def _look_at_decisions(
    db: Connection, workspace_id: int, events: Sequence[Event], found: Identified
) -> None:
    words = [event for event in events if event.type == DECIDED]
    if not words:
        return
    row = tables.identity_decision.c
    query = select(row.event_id).where(
        row.workspace_id == workspace_id, row.event_id.in_([word.event_id for word in words])
    )
    found.decided = {bytes(event_id) for (event_id,) in db.execute(query)}
    for word in words:
        if word.event_id not in found.decided:
            found.loose.update(found.ids[i] for i in word.identities if i in found.ids)


def firsts_of(events: Iterable[Event], found: Identified) -> dict[Pair, First]:
    """The earliest event of each pair whose identities are known by id."""
    firsts: dict[Pair, First] = {}
    for event in events:
        for a, b in found.named_together(event):
            if a in found.ids and b in found.ids:
                one, other = found.ids[a], found.ids[b]
                pair = (one, other) if one < other else (other, one)
                key = (told_ms(event), event.event_id)
                if pair not in firsts or key < firsts[pair]:
                    firsts[pair] = key
    return firsts


def edges(db: Connection, workspace_id: int, pairs: Iterable[Pair]) -> dict[Pair, First]:
    """By pair the first event that named both, for these pairs and others that begin as they do."""
    edge = tables.identity_edge.c
    lows = {low for low, _ in pairs}
    if not lows:
        return {}
    query = select(edge.a_id, edge.b_id, edge.told_ms, edge.event_id).where(
        edge.workspace_id == workspace_id, among(db, edge.a_id, lows)
    )
    return {(a, b): (at, event_id) for a, b, at, event_id in rows_of(db, query)}


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
    found.ids.update(look(db, workspace_id, events).ids)
    found.new = set(found.ids.values()) - before
    found.loose |= found.new
