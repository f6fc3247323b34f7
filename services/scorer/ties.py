"""What tells that two identities are one person's: written down, and taken back where need be.

Only the copy of an event that counts ties anything; of a pair the first that told it is kept,
beside what people decided of the two last.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select, update

from services.contract import tables
from services.contract.decision import DECIDED, Decision, decided_in
from services.contract.event import Event, Identity, decode
from services.contract.tables.unguessed import unguessed
from services.contract.vault import open_payload
from services.model.identity import COOKIE, UNTOLD_MS
from services.runtime.bulk import Row, among, insert_rows
from services.runtime.database import insert_new
from services.scorer.identities import Identified, Pair, edges, firsts_of, lock, look
from services.scorer.named import First, named_together, told_ms

_edge, _decision = tables.identity_edge.c, tables.identity_decision.c


class Edge(NamedTuple):
    """What stands between two identities, ``a`` < ``b``."""

    a: int
    b: int
    told_ms: int
    """``UNTOLD_MS``: no event named both."""
    event_id: bytes
    decision: Decision | None
    decided_ms: int
    decided_by: bytes


def write_ties(
    db: Connection,
    workspace_id: int,
    fresh: Sequence[Event],
    identified: Identified,
    now_ms: int,
) -> list[Event]:
    """Write down what a batch's events tie and decide.

    Args:
        db: in the batch's transaction, after the events were stored.
        workspace_id: whose.
        fresh: events that are new.
        identified: their identities; whose owners may change by all this become ``loose``.
        now_ms: the moment that the history shows.

    Returns:
        Those of ``fresh`` that are something of a person: decisions are folded into nobody.
    """
    if not identified.loose and not identified.replaced:
        return list(fresh)
    doubtful: set[Pair] = set()
    if identified.replaced:
        lock(db, workspace_id)
        doubtful = _untie(db, workspace_id, identified)
    canonical = [*fresh, *(new for _, new in identified.replaced)]
    _tie(db, workspace_id, canonical, identified)
    words = [event for event in canonical if event.type == DECIDED]
    if words:
        doubtful |= _decide(db, workspace_id, words, identified, now_ms)
    for pair in sorted(doubtful):
        _drop_empty(db, workspace_id, pair)
    return [event for event in fresh if event.type != DECIDED]


def _tie(db: Connection, workspace_id: int, events: Sequence[Event], found: Identified) -> None:
    firsts = firsts_of(events, found)
    known = edges(db, workspace_id, firsts)
    fresh = []
    for pair, first in sorted(firsts.items()):
        if pair not in known:
            fresh.append(_row(workspace_id, pair, first))
        elif first < known[pair]:
            _tell(db, workspace_id, pair, first)
        else:
            continue
        found.loose.update(pair)
    _write(db, fresh)


def _row(workspace_id: int, pair: Pair, first: First) -> Row:
    return (workspace_id, *pair, *first)


def _write(db: Connection, rows: Sequence[Row]) -> None:
    columns = ("workspace_id", "a_id", "b_id", "told_ms", "event_id")
    insert_rows(db, tables.identity_edge, columns, rows, skip_known=True)


def _tell(db: Connection, workspace_id: int, pair: Pair, first: First) -> None:
    db.execute(
        update(tables.identity_edge)
        .where(_is(workspace_id, pair))
        .values(told_ms=first[0], event_id=first[1])
    )


def _is(workspace_id: int, pair: Pair) -> ColumnElement[bool]:
    return and_(_edge.workspace_id == workspace_id, _edge.a_id == pair[0], _edge.b_id == pair[1])


def _untie(db: Connection, workspace_id: int, identified: Identified) -> set[Pair]:
    """Take back what only copies told that count no more; the pairs that were looked at."""
    looked_at: set[Pair] = set()
    for old, new in identified.replaced:
        found = look(db, workspace_id, [old, new])
        identified.loose.update(found.ids[i] for one in (old, new) for i in one.identities)
        identified.ids |= found.ids
        firsts = firsts_of([old], found)
        known = edges(db, workspace_id, firsts)
        for one, other in named_together(old):
            low, high = sorted((found.ids[one], found.ids[other]))
            if known.get((low, high), (0, b""))[1] == old.event_id:
                first = _first_still(db, workspace_id, one, other, found)
                _tell(db, workspace_id, (low, high), first)
                identified.untied[one, other] = first
                looked_at.add((low, high))
    return looked_at


def _first_still(
    db: Connection, workspace_id: int, one: Identity, other: Identity, found: Identified
) -> First:
    """The first of the stored events that names both; ``one`` is the surer of the two."""
    row = tables.event.c
    query = select(row.payload).where(
        row.workspace_id == workspace_id, row.identity_id == found.ids[one]
    )
    if other.namespace == COOKIE:
        query = query.where(row.cookie_id == found.ids[other])
    first: First = (UNTOLD_MS, b"")
    for (payload,) in db.execute(query):
        event = decode(open_payload(bytes(payload)))
        if (one, other) in named_together(event):
            first = min(first, (told_ms(event), event.event_id))
    return first


def still_tied(
    db: Connection, workspace_id: int, fresh: Sequence[Event], identified: Identified
) -> bool:
    """Whether all that events tie is written down, and nothing was told of what was taken back.

    To be asked with the persons in hand, where who is who changed: another worker may have taken
    back what told a pair before, or told it once more.

    Args:
        db: in the batch's transaction.
        workspace_id: whose.
        fresh: events that are new.
        identified: their identities.
    """
    firsts = firsts_of([*fresh, *(new for _, new in identified.replaced)], identified)
    known = edges(db, workspace_id, firsts)
    return all(pair in known and known[pair] <= first for pair, first in firsts.items()) and all(
        _first_still(db, workspace_id, one, other, identified) == first
        for (one, other), first in identified.untied.items()
    )


def _drop_empty(db: Connection, workspace_id: int, pair: Pair) -> None:
    """Forget a pair that neither events nor people say anything of any more."""
    db.execute(
        delete(tables.identity_edge).where(
            _is(workspace_id, pair), _edge.told_ms == UNTOLD_MS, _edge.decision.is_(None)
        )
    )


def _decide(
    db: Connection,
    workspace_id: int,
    words: Sequence[Event],
    identified: Identified,
    now_ms: int,
) -> set[Pair]:
    ids = [word.event_id for word in words]
    db.execute(
        delete(tables.identity_decision).where(
            _decision.workspace_id == workspace_id, _decision.event_id.in_(ids)
        )
    )
    rows = []
    pairs: set[Pair] = set()
    for word in words:
        one, other, decision = decided_in(word)
        low, high = sorted((identified.ids[one], identified.ids[other]))
        pairs.add((low, high))
        rows.append(
            {
                "workspace_id": workspace_id,
                "a_id": low,
                "b_id": high,
                "decision": decision,
                "said_ms": word.occurred_ms,
                "event_id": word.event_id,
                "recorded_ms": now_ms,
            }
        )
    db.execute(insert_new(db, tables.identity_decision), rows)
    for pair in sorted(pairs):
        _let_stand(db, workspace_id, pair)
        identified.loose.update(pair)
    return pairs


def _let_stand(db: Connection, workspace_id: int, pair: Pair) -> None:
    """Bring a pair to what was decided of it last."""
    query = (
        select(_decision.decision, _decision.said_ms, _decision.event_id)
        .where(
            _decision.workspace_id == workspace_id,
            _decision.a_id == pair[0],
            _decision.b_id == pair[1],
        )
        .order_by(_decision.said_ms.desc(), _decision.event_id.desc())
        .limit(1)
    )
    decision, said_ms, event_id = db.execute(query).one()
    if decision == "undecided":
        decision = said_ms = event_id = None
    _write(db, [_row(workspace_id, pair, (UNTOLD_MS, b""))])
    db.execute(
        update(tables.identity_edge)
        .where(_is(workspace_id, pair))
        .values(decision=decision, decided_ms=said_ms, decided_by=event_id)
    )


def retie(
    db: Connection,
    workspace_id: int,
    ids: Collection[int],
    left: Sequence[Event],
) -> None:
    """Bring the ties of identities to what is left of the events and decisions that named them.

    Args:
        db: in a transaction that holds the workspace's lock.
        workspace_id: whose.
        ids: the identities.
        left: all events that still name any of them.
    """
    touched = or_(among(db, _edge.a_id, ids), among(db, _edge.b_id, ids))
    db.execute(
        delete(tables.identity_edge).where(_edge.workspace_id == unguessed(workspace_id), touched)
    )
    observed = [event for event in left if event.type != DECIDED]
    firsts = firsts_of(observed, look(db, workspace_id, observed))
    known = edges(db, workspace_id, firsts)
    rows = [
        _row(workspace_id, pair, first)
        for pair, first in sorted(firsts.items())
        if pair not in known
    ]
    _write(db, rows)
    decided = select(_decision.a_id, _decision.b_id).where(
        _decision.workspace_id == unguessed(workspace_id),
        or_(among(db, _decision.a_id, ids), among(db, _decision.b_id, ids)),
    )
    for a, b in sorted({(a, b) for a, b in db.execute(decided)}):
        _let_stand(db, workspace_id, (a, b))
        _drop_empty(db, workspace_id, (a, b))


def neighbours(db: Connection, workspace_id: int, ids: Iterable[int]) -> list[Edge]:
    """All edges that touch any of ``ids``."""
    wanted = list(ids)
    if not wanted:
        return []
    query = select(
        _edge.a_id,
        _edge.b_id,
        _edge.told_ms,
        _edge.event_id,
        _edge.decision,
        _edge.decided_ms,
        _edge.decided_by,
    ).where(
        _edge.workspace_id == unguessed(workspace_id),
        or_(among(db, _edge.a_id, wanted), among(db, _edge.b_id, wanted)),
    )
    return [
        Edge(a, b, at, bytes(event_id), decision, decided_ms or 0, bytes(decided_by or b""))
        for a, b, at, event_id, decision, decided_ms, decided_by in db.execute(query).all()
    ]
