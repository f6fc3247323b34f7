"""A person erased from the record: events, identities, ties and links, in one transaction.

What is left is what would be there had the person's events never come, and marks by which they
are known again should they come once more (``suppressed.py``).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select, update

from services.contract import tables
from services.contract.erasure import (
    Erasure,
    Tombs,
    erased_in,
    kept_of_word,
    left_of,
)
from services.contract.event import Event, Identity, encode
from services.contract.tables.unguessed import unguessed
from services.contract.vault import lookup_value, seal_payload
from services.runtime.bulk import among
from services.scorer.identities import lock
from services.scorer.ledger_of_erased import keep_proof
from services.scorer.naming import Stored, naming
from services.scorer.owners import hold_persons, owner_at, owners_of
from services.scorer.people import Moves, resolve
from services.scorer.reach import Reach, marks_of, reach_of, write_tombs
from services.scorer.record import Arrived, count, digest, store_words
from services.scorer.suppressed import lifted_by
from services.scorer.sweeps import forget_recipients
from services.scorer.ties import neighbours, retie
from services.scorer.withdrawals import Mark, secret_of

_event, _identity, _link = tables.event.c, tables.identity.c, tables.identity_link.c


@dataclass
class Erased:
    """What erasures did to the record."""

    words: Sequence[Erasure] = ()
    refold: set[int] = field(default_factory=set)
    """Persons of whose events less is left."""
    moves: Moves = field(default_factory=Moves)
    loose: set[int] = field(default_factory=set)
    """Identities that are left, whose owner was worked out anew."""
    persons: set[int] = field(default_factory=set)
    """Whose identities those erased were, or once had been."""
    names: frozenset[Identity] = frozenset()
    marks: list[Mark] = field(default_factory=list)


def erase(db: Connection, workspace_id: int, arrived: Iterable[Arrived], now_ms: int) -> Erased:
    """Carry out the erasures among a batch's events, each once.

    Args:
        db: in the batch's transaction.
        workspace_id: whose.
        arrived: the batch's events; only erasures are looked at.
        now_ms: the moment that the history shows.

    The workspace and all persons concerned are locked when this returns.
    """
    words = [one.event for one in arrived if one.event.type == "erased"]
    secret = secret_of(db, workspace_id) if words else None
    if secret is None:
        return Erased()
    lock(db, workspace_id)
    fresh = store_words(db, workspace_id, [kept_of_word(word, secret) for word in words])
    erasures = [erased_in(word) for word in words if word.event_id in fresh and word.identities]
    if not erasures:
        return Erased()
    reach = reach_of(db, workspace_id, erasures, secret)
    done = Erased(erasures, persons=_persons_of(db, workspace_id, reach))
    done.names = frozenset(i for i, tombs in reach.tombs.items() if any(t.is_whole for t in tombs))
    near = neighbours(db, workspace_id, reach.ids.values())
    around = {i for edge in near for i in (edge.a, edge.b)}
    hold_persons(db, done.persons | _persons_now(db, workspace_id, around))
    beside = {
        end
        for edge in near
        for named, end in ((edge.a, edge.b), (edge.b, edge.a))
        if named in reach.ids.values() and named not in reach.cookies
    }
    stored, witnesses = naming(db, workspace_id, reach, beside)
    reach.tombs.update(lifted_by((one.event for one in stored.values()), reach.tombs))
    done.refold = _owners(db, workspace_id, stored, reach.tombs)
    changed, left = _strip(db, workspace_id, stored, reach)
    left += witnesses
    retie(db, workspace_id, reach.ids.values(), left)
    named = _named(db, workspace_id, changed)
    dead = _dead(db, workspace_id, reach, named, left)
    gone = [
        e.event_id for e in changed if (kept := left_of(e, reach.tombs)) and not kept.identities
    ]
    keep_proof(db, workspace_id, reach.secret, gone, dead)
    forget_recipients(db, workspace_id, changed, dead)
    _forget(db, workspace_id, reach, dead, done.persons)
    done.loose = (around | set(named.values()) | set(reach.ids.values())) - dead.keys()
    done.moves = resolve(db, workspace_id, done.loose, (), now_ms)
    write_tombs(db, workspace_id, reach, erasures)
    done.marks = marks_of(reach)
    return done


def _persons_of(db: Connection, workspace_id: int, reach: Reach) -> set[int]:
    """Whose the erased identities are and were, and who was merged into these."""
    query = select(_link.person_id).where(
        _link.workspace_id == unguessed(workspace_id), among(db, _link.identity_id, reach.whole)
    )
    persons = set(db.execute(query).scalars())
    row = tables.person.c
    merged = select(row.id).where(
        row.workspace_id == unguessed(workspace_id), among(db, row.merged_into, persons)
    )
    return persons | set(db.execute(merged).scalars())


def _persons_now(db: Connection, workspace_id: int, identities: Collection[int]) -> set[int]:
    pieces = owners_of(db, workspace_id, identities)
    return {person for several in pieces.values() for *_, person in several}


def _owners(
    db: Connection, workspace_id: int, stored: dict[bytes, Stored], tombs: Tombs
) -> set[int]:
    """Whose the events are of which nothing is left."""
    gone = [
        (one.identity_id, one.event.occurred_ms)
        for one in stored.values()
        if one.identity_id is not None
        and (left := left_of(one.event, tombs)) is not None
        and not left.identities
    ]
    pieces = owners_of(db, workspace_id, {identity for identity, _ in gone})
    return {owner_at(pieces[identity], at_ms) for identity, at_ms in gone}


def _strip(
    db: Connection, workspace_id: int, stored: dict[bytes, Stored], reach: Reach
) -> tuple[list[Event], list[Event]]:
    """Write what is left over what was; (the events that changed, as they were, and all left)."""
    changed: list[Event] = []
    left: list[Event] = []
    for event_id, one in sorted(stored.items()):
        kept = left_of(one.event, reach.tombs)
        if kept is not None and kept.identities:
            left.append(kept)
        if kept is one.event:
            continue
        changed.append(one.event)
        where = (_event.workspace_id == unguessed(workspace_id), _event.event_id == event_id)
        if kept is None:
            db.execute(delete(tables.event).where(*where))
            row = tables.identity_decision.c
            db.execute(
                delete(tables.identity_decision).where(
                    row.workspace_id == unguessed(workspace_id), row.event_id == event_id
                )
            )
            continue
        payload = encode(kept)
        values: dict[str, object] = {"payload": seal_payload(payload), "digest": digest(payload)}
        if not kept.identities:
            values |= {"identity_id": None, "cookie_id": None, "content_id": None}
            count(db, workspace_id, [kept])
        elif not any(i.namespace == "anonymous_id" for i in kept.identities):
            values |= {"cookie_id": None}
        db.execute(update(tables.event).where(*where).values(values))
    return changed, left


def _named(db: Connection, workspace_id: int, changed: Iterable[Event]) -> dict[Identity, int]:
    """The identities that changed events had named, as far as they are known."""
    found: dict[Identity, int] = {}
    for identity in {i for event in changed for i in event.identities}:
        query = select(_identity.id).where(
            _identity.workspace_id == workspace_id,
            _identity.namespace == identity.namespace,
            _identity.value == lookup_value(identity),
        )
        if (row_id := db.execute(query).scalar_one_or_none()) is not None:
            found[identity] = row_id
    return found


def _dead(
    db: Connection,
    workspace_id: int,
    reach: Reach,
    named: dict[Identity, int],
    left: Iterable[Event],
) -> dict[int, Identity]:
    """Identities that nothing names any more."""
    alive = {i for event in left for i in event.identities}
    ids = {i: row_id for i, row_id in (reach.ids | named).items() if i not in alive}
    used: set[int] = set()
    edge = tables.identity_edge.c
    for table, column in (
        (_event, _event.identity_id),
        (_event, _event.cookie_id),
        (edge, edge.a_id),
        (edge, edge.b_id),
    ):
        query = select(column).where(
            table.workspace_id == unguessed(workspace_id), among(db, column, ids.values())
        )
        used.update(db.execute(query.distinct()).scalars())
    return {row_id: identity for identity, row_id in ids.items() if row_id not in used}


def _forget(
    db: Connection,
    workspace_id: int,
    reach: Reach,
    dead: Collection[int],
    persons: Collection[int],
) -> None:
    """Delete identities that are no more, and that the others ever were these persons'."""
    conflict = tables.identity_conflict.c
    for column in (conflict.a_id, conflict.b_id, conflict.cookie_id):
        db.execute(
            delete(tables.identity_conflict).where(
                conflict.workspace_id == unguessed(workspace_id), among(db, column, dead)
            )
        )
    theirs = among(db, _link.identity_id, reach.shared) & among(db, _link.person_id, persons)
    for links in (among(db, _link.identity_id, reach.whole | set(dead)), theirs):
        db.execute(
            delete(tables.identity_link).where(_link.workspace_id == unguessed(workspace_id), links)
        )
    db.execute(
        delete(tables.identity).where(
            _identity.workspace_id == unguessed(workspace_id), among(db, _identity.id, dead)
        )
    )
    # SQLite gives the number of a row that is gone to another: nothing may still bear it.
    mark = tables.withdrawal.c
    db.execute(
        update(tables.withdrawal)
        .where(mark.workspace_id == unguessed(workspace_id), among(db, mark.identity_id, dead))
        .values(identity_id=0)
    )
    # Who agreed anew is somebody new: nothing leads there from who was erased.
    theirs = among(db, _identity.id, reach.shared) & among(db, _identity.person_id, persons)
    for left in (among(db, _identity.id, reach.whole), theirs):
        db.execute(
            update(tables.identity)
            .where(_identity.workspace_id == unguessed(workspace_id), left)
            .values(person_id=None)
        )
