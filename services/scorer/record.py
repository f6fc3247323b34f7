"""From log records to the record: events decoded, each stored once, the bad ones set aside."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, select, update

from services.contract import tables
from services.contract.decision import is_of_a_person
from services.contract.event import Event, PoisonError, decode, encode
from services.contract.phases import DAY_MS
from services.contract.tables.unguessed import unguessed
from services.contract.vault import open_payload, seal_payload
from services.runtime.bulk import among, insert_fresh, rows_of
from services.runtime.database import insert_new
from services.runtime.event_log import Stored
from services.scorer.identities import Identified
from services.scorer.promises import check

DEAD_LETTER_BYTES_MAX = 1_000_000


Rank = tuple[bool, int, bytes]


class Arrived(msgspec.Struct, frozen=True, gc=False):
    """An event as it came out of the log."""

    event: Event
    value: bytes

    @property
    def rank(self) -> Rank:
        """Of two copies of an event the one with the smaller rank is the canonical one.

        One that names somebody comes before one that only counts: a page tells of a view again
        once its visitor has agreed to be followed.
        """
        return not is_of_a_person(self.event), self.event.received_ms, digest(self.value)


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that is no event, and why."""

    record: Stored
    reason: str


_HASHER = hashlib.blake2b(digest_size=8)


def digest(value: bytes) -> bytes:
    """8 bytes of an envelope."""
    hasher = _HASHER.copy()  # half of the cost of making one
    hasher.update(value)
    return hasher.digest()


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that come next in the log, read."""

    records: Sequence[Stored]
    by_workspace: Mapping[int, Sequence[Arrived]]
    """Events per workspace, each once, sorted by event id."""
    poison: Sequence[Poison]


def sort_out(records: Sequence[Stored]) -> Batch:
    """The events in records, and what is none."""
    arrived: dict[int, dict[bytes, Arrived]] = {}
    poison: list[Poison] = []
    for record in records:
        try:
            event = decode(record.value)
            check(event, record.value)
        except PoisonError as error:
            poison.append(Poison(record, error.reason))
            continue
        new = Arrived(event, record.value)
        theirs = arrived.setdefault(event.workspace_id, {})
        held = theirs.setdefault(event.event_id, new)
        if held is not new and new.rank < held.rank:
            theirs[event.event_id] = new
    by_workspace = {
        workspace_id: [theirs[event_id] for event_id in sorted(theirs)]
        for workspace_id, theirs in sorted(arrived.items())
    }
    return Batch(records, by_workspace, poison)


def set_aside(db: Connection, log_id: str, poison: Sequence[Poison], now_ms: int) -> None:
    """Keep poison in the dead letter, once for each place in the log."""
    if poison:
        rows = [
            {
                "log_id": log_id,
                "partition": bad.record.partition,
                "offset": bad.record.offset,
                "reason": bad.reason,
                "value": bad.record.value[:DEAD_LETTER_BYTES_MAX],
                "recorded_ms": now_ms,
            }
            for bad in poison
        ]
        db.execute(insert_new(db, tables.dead_letter), rows)


def store(
    db: Connection, workspace_id: int, arrived: Sequence[Arrived], identified: Identified
) -> tuple[list[Event], list[tuple[int, int]]]:
    """Insert events.

    Returns:
        The events that are new; and, for those that took the place of a copy of higher rank,
        the (identity id, occurred_ms) that they had before and have now.
    """
    rows = [_row(one, identified) for one in arrived]
    new = insert_fresh(db, tables.event, _COLUMNS, rows, "event_id")
    if len(new) == len(arrived):
        return [one.event for one in arrived], []
    fresh = [one.event for one in arrived if one.event.event_id in new]
    repeated = {
        one.event.event_id: (one, row)
        for one, row in zip(arrived, rows, strict=True)
        if one.event.event_id not in new
    }
    return fresh, _replace(db, workspace_id, repeated, identified)


_COLUMNS = (
    "workspace_id",
    "event_id",
    "identity_id",
    "cookie_id",
    "type",
    "channel",
    "content_id",
    "occurred_ms",
    "received_ms",
    "digest",
    "payload",
)


_NOBODY = None, None


def _row(one: Arrived, identified: Identified) -> tuple[object, ...]:
    event = one.event
    identity, cookie = identified.who(event) if event.identities else _NOBODY
    return (
        event.workspace_id,
        event.event_id,
        identity if is_of_a_person(event) else None,
        cookie,
        event.type,
        event.channel,
        event.content_id,
        event.occurred_ms,
        event.received_ms,
        digest(one.value),
        seal_payload(one.value),
    )


def store_words(db: Connection, workspace_id: int, events: Sequence[Event]) -> set[bytes]:
    """Insert events that are about no doings of anybody and are counted nowhere; which are new."""
    rows = []
    for event in sorted(events, key=lambda one: one.event_id):
        value = encode(event)
        said = (event.occurred_ms, event.received_ms, digest(value), seal_payload(value))
        kind = (event.type, event.channel, None)
        rows.append((workspace_id, event.event_id, None, None, *kind, *said))
    return insert_fresh(db, tables.event, _COLUMNS, rows, "event_id")


def _replace(
    db: Connection,
    workspace_id: int,
    repeated: Mapping[bytes, tuple[Arrived, tuple[object, ...]]],
    identified: Identified,
) -> list[tuple[int, int]]:
    """Let a copy of smaller rank take the place of the stored one."""
    row = tables.event.c
    query = (
        select(tables.event)
        .where(row.workspace_id == unguessed(workspace_id), row.event_id.in_(list(repeated)))
        .with_for_update()
    )
    held = {bytes(old.event_id): old for old in db.execute(query).all()}
    places: list[tuple[int, int]] = []
    for event_id, (one, new) in repeated.items():
        old = held[event_id]
        if one.rank >= (old.identity_id is None, old.received_ms, bytes(old.digest)):
            continue
        db.execute(
            update(tables.event)
            .where(row.workspace_id == unguessed(workspace_id), row.event_id == event_id)
            .values(dict(zip(_COLUMNS, new, strict=True)))
        )
        before = decode(open_payload(bytes(old.payload)))
        identified.replaced.append((before, one.event))
        if old.identity_id is None:
            count(db, workspace_id, [before], -1)
            count(db, workspace_id, [one.event])
        else:
            places.append((old.identity_id, old.occurred_ms))
        if is_of_a_person(one.event):
            places.append((identified.primary(one.event), one.event.occurred_ms))
    return places


def count(db: Connection, workspace_id: int, events: Iterable[Event], sign: int = 1) -> None:
    """Add events of nobody to their day's totals, or take them out again (``sign`` −1)."""
    totals = Counter(
        (event.occurred_ms // DAY_MS * DAY_MS, event.type, event.channel, event.content_id or "")
        for event in events
        if not event.identities
    )
    row = tables.aggregate.c
    for (day_ms, kind, channel, content_id), number in sorted(totals.items()):
        key = {
            "workspace_id": workspace_id,
            "day_ms": day_ms,
            "type": kind,
            "channel": channel,
            "content_id": content_id,
        }
        db.execute(insert_new(db, tables.aggregate), [{**key, "count": 0}])
        db.execute(
            update(tables.aggregate)
            .where(*(row[name] == value for name, value in key.items()))
            .values(count=row["count"] + sign * number)
        )


def events_of(
    db: Connection,
    workspace_id: int,
    persons: Iterable[int],
    from_ms: int = 0,
    types: Collection[str] | None = None,
) -> dict[int, list[Event]]:
    """Events of persons, by the identities that are theirs, in canonical order, from a time on.

    Of some types, or of all (None).
    """
    link, event = tables.identity_link.c, tables.event.c
    query = (
        select(link.person_id, event.payload)
        .join_from(
            tables.identity_link,
            tables.event,
            (event.workspace_id == link.workspace_id)
            & (event.identity_id == link.identity_id)
            & (event.occurred_ms >= from_ms)
            & (link.valid_from_ms.is_(None) | (event.occurred_ms >= link.valid_from_ms))
            & (link.valid_to_ms.is_(None) | (event.occurred_ms < link.valid_to_ms)),
        )
        .where(
            link.workspace_id == unguessed(workspace_id),
            among(db, link.person_id, persons),
            link.known_to_ms.is_(None),
        )
    )
    if types is not None:
        query = query.where(event.type.in_(sorted(types)))
    found: dict[int, list[Event]] = {}
    for person, payload in rows_of(db, query):
        found.setdefault(person, []).append(decode(open_payload(payload)))
    for events in found.values():
        events.sort(key=lambda one: (one.occurred_ms, one.event_id))
    return found
