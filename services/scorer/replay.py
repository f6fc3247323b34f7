"""What is stored of people, compared with what their events say: equal, by hash.

Persons are read a few at a time, each few in one snapshot of the database, so that scoring goes
on meanwhile and is no difference. Sums of hashes need no order and can be gone on with.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from sqlalchemy import Connection, func, select

from services.contract import tables
from services.contract.phases import HOUR_MS
from services.model.interval import Interval
from services.model.rules.memory import forget_unasked
from services.model.state import decode_state, encode_state
from services.model.version import Model
from services.scorer.anew import Known, fold_anew, intervals_of, next_persons, states_of
from services.scorer.folding import Folded
from services.scorer.record import events_of
from services.scorer.segments import Segments, load_segments
from services.scorer.who import untied, wrongly_owned

EXAMPLES_MAX = 100
UNREADABLE = "state that cannot be read"
_BYTES = 8
_ALL: int = 2 ** (8 * _BYTES) - 1

_interval, _delta = tables.interval.c, tables.count_delta.c


class Example(msgspec.Struct):
    """A person of whom something else is stored than the events say."""

    public_id: str
    parts: list[str]
    """Of ``state``, ``phase``, ``latency``, ``segment`` and ``identity``."""


class Comparison(msgspec.Struct):
    """How far a workspace is compared, and what came out."""

    workspace_id: int
    after_id: int = 0
    """Every person up to this id is compared."""
    persons: int = 0
    events: int = 0
    live: int = 0
    """Sum of the hashes of what is stored of each person, modulo 2**64."""
    anew: int = 0
    """Likewise of what the events say."""
    differing: dict[str, int] = {}
    """Per part the persons who differ in it, and under ``person`` those who differ at all."""
    examples: list[Example] = []

    @property
    def is_equal(self) -> bool:
        """Whether all persons compared are the same in both."""
        return not self.differing and self.live == self.anew


def compare_next(db: Connection, done: Comparison, model: Model) -> int:
    """Compare the next few persons; how many it was, 0 at the end.

    Args:
        db: a transaction that sees one moment.
        done: what was compared so far; it is added to.
        model: the version in force.
    """
    workspace_id = done.workspace_id
    persons = next_persons(db, workspace_id, done.after_id)
    if not persons:
        return 0
    ids = [one.id for one in persons]
    folded = _fold(db, workspace_id, ids, load_segments(db, workspace_id), model)
    states = states_of(db, ids)
    held = intervals_of(db, workspace_id, ids)
    wrong = wrongly_owned(db, workspace_id, ids)
    events = events_of(db, workspace_id, ids)
    for person in persons:
        one = folded.get(person.id)
        parts = [UNREADABLE]
        if one is not None:
            stored = states.get(person.id)
            state = b"" if stored is None else _as_asked(stored, one)
            parts = _compare(done, one, state, held[person.id])
        if person.id in wrong or untied(db, workspace_id, events.get(person.id, ())):
            parts.append("identity")
        _note(done, person, parts)
    done.after_id = ids[-1]
    return len(ids)


def _fold(
    db: Connection, workspace_id: int, ids: Sequence[int], segments: Segments, model: Model
) -> dict[int, Folded]:
    """Persons folded anew; those whose stored state nobody can read are left out."""
    try:
        return {one.person_id: one for one in fold_anew(db, workspace_id, ids, segments, model)}
    except msgspec.DecodeError:
        if len(ids) == 1:
            return {}
    found: dict[int, Folded] = {}
    for one in ids:
        found |= _fold(db, workspace_id, [one], segments, model)
    return found


def _as_asked(stored: bytes, folded: Folded) -> bytes:
    """A stored state as this code writes it: fields that are newer than it are no difference.

    Nor is what rules asked for that are no more: it goes with the person's next event.
    """
    state = decode_state(stored)
    forget_unasked(state, folded.rulebook.memories)
    return encode_state(state)


def _compare(done: Comparison, folded: Folded, state: bytes, held: list[Interval]) -> list[str]:
    """In what a person differs."""
    said = b"" if folded.state is None else encode_state(folded.state)
    # Intervals of versions that are not folded for this person now are nobody's to judge.
    ours = [i for i in held if i.kind != "segment" or i.key in folded.rulebook.keys]
    live, anew = set(ours), set(folded.intervals)
    done.events += 0 if folded.state is None else folded.state.events
    done.live = _added(done.live, state, ours)
    done.anew = _added(done.anew, said, folded.intervals)
    parts = sorted({i.kind for i in live ^ anew} | ({"state"} if said != state else set()))
    if len(ours) != len(live):
        parts.append("interval stored twice")
    return parts


def _note(done: Comparison, person: Known, parts: list[str]) -> None:
    done.persons += 1
    if parts:
        for part in ["person", *parts]:
            done.differing[part] = done.differing.get(part, 0) + 1
        if len(done.examples) < EXAMPLES_MAX:
            done.examples.append(Example(person.public_id, parts))


def _added(total: int, state: bytes, intervals: Iterable[Interval]) -> int:
    rows = sorted(msgspec.msgpack.encode(interval) for interval in intervals)
    packed = msgspec.msgpack.encode((state, rows))
    hashed = hashlib.blake2b(packed, digest_size=_BYTES).digest()
    return (total + int.from_bytes(hashed)) & _ALL


def differing_counts(db: Connection, workspace_id: int) -> Iterator[tuple[str, str, int]]:
    """(kind, key, hours) in which the counts are not those of the intervals as now known.

    One kind and key at a time, in a transaction that sees one moment.
    """
    kinds = {
        tuple(row)
        for table in (tables.count_delta.c, tables.interval.c)
        for row in db.execute(
            select(table.kind, table.key).where(table.workspace_id == workspace_id).distinct()
        )
    }
    for kind, key in sorted(kinds):
        wanted = _counts_of_intervals(db, workspace_id, kind, key)
        query = (
            select(_delta.hour_ms, func.sum(_delta.delta))
            .where(_delta.workspace_id == workspace_id, _delta.kind == kind, _delta.key == key)
            .group_by(_delta.hour_ms)
        )
        found = {hour: int(total) for hour, total in db.execute(query) if total}
        hours = [h for h in found.keys() | wanted.keys() if found.get(h) != wanted.get(h)]
        if hours:
            yield kind, key, len(hours)


def _counts_of_intervals(db: Connection, workspace_id: int, kind: str, key: str) -> dict[int, int]:
    counts: Counter[int] = Counter()
    for column, sign in ((_interval.valid_from_ms, 1), (_interval.valid_to_ms, -1)):
        hour = column + (HOUR_MS - column % HOUR_MS) % HOUR_MS
        query = (
            select(hour, func.count())
            .where(
                _interval.workspace_id == workspace_id,
                _interval.kind == kind,
                _interval.key == key,
                _interval.known_to_ms.is_(None),
                column.is_not(None),
            )
            .group_by(hour)
        )
        for at, number in db.execute(query):
            counts[at] += sign * number
    return {hour: number for hour, number in counts.items() if number}
