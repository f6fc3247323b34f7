"""Identities of a batch's events: found or made, and which of them events tie, in a fixed order."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from services.contract import tables
from services.contract.decision import DECIDED
from services.contract.event import Event, Identity, primary
from services.contract.tables.unguessed import unguessed
from services.contract.vault import lookup_value
from services.runtime.bulk import among, insert_rows, rows_of
from services.scorer.named import ByNames, First, by_names, cookie_among, first_told
from services.scorer.owners import Used, used_by_others

Pair = tuple[int, int]
_Who = tuple[int, int | None]
"""(the surest identity, the cookie beside it) that an event names."""


@dataclass
class Identified:
    """The identities of a batch's events."""

    events: ByNames = field(default_factory=dict)
    """The batch's events, by what they name."""
    ids: dict[Identity, int] = field(default_factory=dict)
    new: set[int] = field(default_factory=set)
    """Those never seen before this batch."""
    loose: set[int] = field(default_factory=set)
    """Those whose ties changed, so that whose they are must be worked out anew."""
    words: list[Event] = field(default_factory=list)
    """Events of the batch by which people decided who is who."""
    decided: set[bytes] = field(default_factory=set)
    """Those among them whose decisions are written down already."""
    replaced: list[tuple[Event, Event]] = field(default_factory=list)
    """Copies that were taken for an event so far, each with the one that took its place."""
    untied: dict[tuple[Identity, Identity], First] = field(default_factory=dict)
    """The pairs that were told first by such a copy, with what tells them first now."""
    as_of: int | None = None
    """Where :func:`standing` stood when all this was so; None: that is not known."""
    is_held: bool = False
    """Whether nobody else changes who is who before this transaction ends."""

    _who: dict[bytes, _Who] = field(default_factory=dict)

    def primary(self, event: Event) -> int:
        """The identity that an event is stored under."""
        return self.who(event)[0]

    def who(self, event: Event) -> _Who:
        """That, and the cookie beside it, if it is a surer one."""
        if not self._who:
            self._work_out()
        found = self._who.get(event.event_id)
        if found is None:
            found = self._who[event.event_id] = self._who_of(event.identities, event.type)
        return found

    def uses(self) -> list[Used]:
        """What the batch tells of cookies, as far as their identities are known by id."""
        found: list[Used] = []
        for names, events in self.events.items():
            cookie = cookie_among(names)
            if cookie is None or cookie not in self.ids:
                continue
            known = self.ids.get(primary(names))
            if known is not None:
                cookie_id = self.ids[cookie]
                found += [
                    Used(cookie_id, known, event.occurred_ms)
                    for event in events
                    if event.type != DECIDED
                ]
        return found

    def by_identity(self, events: ByNames) -> dict[int, list[Event]]:
        """Events by the identity that each is stored under."""
        found: dict[int, list[Event]] = defaultdict(list)
        for names, some in events.items():
            found[self.ids[primary(names)]] += some
        return found

    def moving(self) -> list[Event]:
        """The events by which who is who may change."""
        unsettled = [word for word in self.words if word.event_id not in self.decided]
        nobodys = self.loose | {None}
        moved = {one for one in _all(self.events) if self.ids.get(one) in nobodys}
        if not moved:
            return unsettled
        touched = [
            event
            for names, events in self.events.items()
            if not moved.isdisjoint(names)
            for event in events
            if event.type != DECIDED
        ]
        return touched + unsettled

    def _work_out(self) -> None:
        for names, events in self.events.items():
            who = self._who_of(names)
            self._who.update(dict.fromkeys([event.event_id for event in events], who))
        for word in self.words:
            self._who[word.event_id] = self._who_of(word.identities, word.type)

    def _who_of(self, names: tuple[Identity, ...], type_: str = "") -> _Who:
        cookie = None if type_ == DECIDED else cookie_among(names)
        return self.ids[primary(names)], None if cookie is None else self.ids[cookie]


class Seen(NamedTuple):
    """What is known of a batch's events once those that change who is who were scored."""

    done: frozenset[bytes]
    """Those that were scored, by id."""
    events: ByNames
    """The others that name somebody: nothing changes by them."""
    ids: Mapping[Identity, int]
    """The identities of these."""
    as_of: int | None
    """Where :func:`standing` stood when all this was so; None: that is not known."""


def standing(db: Connection, workspace_id: int) -> int:
    """How often who is who changed. What was read before is still so where this is the same."""
    row = tables.workspace.c
    return int(db.execute(select(row.who_is_who).where(row.id == workspace_id)).scalar_one())


def lock(db: Connection, workspace_id: int) -> int:
    """Hold who is who for this transaction, which is about to change it: its :func:`standing`."""
    row = tables.workspace.c
    grown = (
        update(tables.workspace)
        .where(row.id == workspace_id)
        .values(who_is_who=row.who_is_who + 1)
        .returning(row.who_is_who)
    )
    return int(db.execute(grown).scalar_one())


def identify(
    db: Connection, workspace_id: int, events: Sequence[Event], seen: Seen | None = None
) -> Identified:
    """Find or make the identities of events.

    Where anything is new, the workspace's row is locked first: who is who changes in one
    transaction at a time, and nobody waits for it who only adds events.

    Args:
        db: in a transaction.
        workspace_id: whose.
        events: those that name somebody.
        seen: what is known of these events: nothing is looked up where nothing changed since.
    """
    as_of = standing(db, workspace_id)
    if seen is not None and seen.as_of == as_of:
        words = _words(seen.events)
        done = {word.event_id for word in words}
        return Identified(seen.events, dict(seen.ids), words=words, decided=done, as_of=as_of)
    found = look(db, workspace_id, events)
    found.as_of = as_of
    moving = found.moving()
    if moving:
        now = lock(db, workspace_id)
        under_lock = look(db, workspace_id, moving)
        _insert(db, workspace_id, moving, under_lock)
        under_lock.events, under_lock.words = found.events, found.words
        under_lock.decided |= found.decided
        under_lock.ids = found.ids | under_lock.ids
        under_lock.as_of, under_lock.is_held = now if now == as_of + 1 else None, True
        found = under_lock
    return found


def look(db: Connection, workspace_id: int, events: Iterable[Event]) -> Identified:
    """What is known of the identities of events."""
    named = by_names(events)
    found = Identified(named, words=_words(named))
    shared = _read(db, workspace_id, found)
    firsts = _firsts(named, found.ids)
    known = edges(db, workspace_id, firsts)
    for pair, first in firsts.items():
        if pair not in known or first < known[pair]:
            found.loose.update(pair)
    if shared:  # whose it was when may change with any further use of it
        uses = [use for use in found.uses() if use.cookie in shared]
        known_uses = [use for use in uses if use.known not in found.loose]
        found.loose |= {use.cookie for use in uses if use.known in found.loose}
        found.loose |= used_by_others(db, workspace_id, known_uses)
    _look_at_decisions(db, workspace_id, found)
    return found


def _read(db: Connection, workspace_id: int, found: Identified) -> set[int]:
    """Read which of the identities there are; those that are shared."""
    by_namespace: dict[str, dict[str, Identity]] = {}
    for identity in _all(found.events):
        by_namespace.setdefault(identity.namespace, {})[lookup_value(identity)] = identity
    row = tables.identity.c
    shared: set[int] = set()
    for namespace, values in by_namespace.items():
        query = select(row.id, row.value, row.person_id, row.shared).where(
            row.workspace_id == unguessed(workspace_id),
            row.namespace == namespace,
            among(db, row.value, values),
        )
        for found_id, value, person_id, is_shared in rows_of(db, query):
            found.ids[values[value]] = found_id
            if person_id is None:
                found.loose.add(found_id)
            if is_shared:
                shared.add(found_id)
    return shared


def _look_at_decisions(db: Connection, workspace_id: int, found: Identified) -> None:
    if not found.words:
        return
    row = tables.identity_decision.c
    query = select(row.event_id).where(
        row.workspace_id == unguessed(workspace_id),
        row.event_id.in_([word.event_id for word in found.words]),
    )
    found.decided = {bytes(event_id) for (event_id,) in db.execute(query)}
    for word in found.words:
        if word.event_id not in found.decided:
            found.loose.update(found.ids[i] for i in word.identities if i in found.ids)


def firsts_of(events: Iterable[Event], found: Identified) -> dict[Pair, First]:
    """The earliest event of each pair whose identities are known by id."""
    return _firsts(by_names(events), found.ids)


def _firsts(named: ByNames, ids: Mapping[Identity, int]) -> dict[Pair, First]:
    firsts: dict[Pair, First] = {}
    for names, events in named.items():
        for first, tied in first_told(names, events):
            for a, b in tied:
                if a in ids and b in ids:
                    one, other = ids[a], ids[b]
                    pair = (one, other) if one < other else (other, one)
                    if pair not in firsts or first < firsts[pair]:
                        firsts[pair] = first
    return firsts


def edges(db: Connection, workspace_id: int, pairs: Iterable[Pair]) -> dict[Pair, First]:
    """By pair the first event that named both, for these pairs and others that begin as they do."""
    edge = tables.identity_edge.c
    lows = {low for low, _ in pairs}
    if not lows:
        return {}
    query = select(edge.a_id, edge.b_id, edge.told_ms, edge.event_id).where(
        edge.workspace_id == unguessed(workspace_id), among(db, edge.a_id, lows)
    )
    return {(a, b): (at, event_id) for a, b, at, event_id in rows_of(db, query)}


def _insert(db: Connection, workspace_id: int, events: Sequence[Event], found: Identified) -> None:
    missing = sorted(_all(found.events) - found.ids.keys())
    if not missing:
        return
    rows = [(workspace_id, one.namespace, lookup_value(one), None, False) for one in missing]
    columns = ("workspace_id", "namespace", "value", "person_id", "shared")
    insert_rows(db, tables.identity, columns, rows, skip_known=True)
    before = set(found.ids.values())
    found.ids.update(look(db, workspace_id, events).ids)
    found.new = set(found.ids.values()) - before
    found.loose |= found.new


def _all(named: Iterable[tuple[Identity, ...]]) -> set[Identity]:
    return {identity for names in named for identity in names}


def _words(named: ByNames) -> list[Event]:
    return [word for events in named.values() for word in events if word.type == DECIDED]
