"""Whom erasures reach, in the marks that stay of them and in the identities that are known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from services.contract import tables
from services.contract.circles import COOKIE
from services.contract.erasure import Erasure, Tomb
from services.contract.event import Identity
from services.contract.tables.unguessed import unguessed
from services.contract.terms import NEVER_MS
from services.contract.vault import lookup_value
from services.contract.withdrawal import mark_of
from services.runtime.bulk import among, insert_rows
from services.scorer.suppressed import number_of, tombs_of
from services.scorer.withdrawals import Mark

_identity = tables.identity.c


@dataclass
class Reach:
    """What erasures touch."""

    secret: bytes
    tombs: dict[Identity, list[Tomb]]
    ids: dict[Identity, int]
    """Of what is erased, as far as it is known."""
    shared: frozenset[int]
    """Browsers among them that were others' too."""

    @property
    def whole(self) -> set[int]:
        """Those that were the person's alone."""
        return set(self.ids.values()) - self.shared

    @property
    def cookies(self) -> set[int]:
        """The browsers among them: an event tells its own in a column."""
        return {row_id for one, row_id in self.ids.items() if one.namespace == COOKIE}


def reach_of(
    db: Connection, workspace_id: int, erasures: Sequence[Erasure], secret: bytes
) -> Reach:
    """What erasures touch, with what earlier ones left of the same."""
    tombs: dict[Identity, list[Tomb]] = {}
    for one in erasures:
        for identity in one.identities:
            tombs.setdefault(identity, []).append(Tomb(0, NEVER_MS, one.at_ms))
        for span in one.spans:
            tomb = Tomb(span.from_ms, span.to_ms, one.at_ms)
            tombs.setdefault(span.identity, []).append(tomb)
    for identity, known in tombs_of(db, workspace_id, tombs.keys()).items():
        tombs[identity] += known
    tombs = {identity: _merged(several) for identity, several in tombs.items()}
    ids: dict[Identity, int] = {}
    for namespace in {identity.namespace for identity in tombs}:
        values = {lookup_value(i): i for i in tombs if i.namespace == namespace}
        query = select(_identity.value, _identity.id).where(
            _identity.workspace_id == unguessed(workspace_id),
            _identity.namespace == namespace,
            among(db, _identity.value, values),
        )
        ids |= {values[value]: row_id for value, row_id in db.execute(query)}
    shared = {ids[i] for i in ids if not any(tomb.is_whole for tomb in tombs[i])}
    return Reach(secret, tombs, ids, frozenset(shared))


def _merged(tombs: Iterable[Tomb]) -> list[Tomb]:
    """One tomb for each stretch of time: the latest erasure, lifted by what came after it."""
    found: dict[tuple[int, int], Tomb] = {}
    for tomb in tombs:
        held = found.get(tomb[:2], tomb)
        erased_ms = max(held.erased_ms, tomb.erased_ms)
        lifts = (one.lifted_ms for one in (held, tomb) if one.lifted_ms is not None)
        lifted_ms = min((at for at in lifts if at > erased_ms), default=None)
        found[tomb[:2]] = Tomb(*tomb[:2], erased_ms, lifted_ms)
    return [found[key] for key in sorted(found)]


def write_tombs(
    db: Connection, workspace_id: int, reach: Reach, erasures: Sequence[Erasure]
) -> None:
    """Keep the marks, in place of what was kept of them."""
    row = tables.erasure.c
    marks = {number_of(mark_of(i, reach.secret)): i for i in reach.tombs}
    db.execute(
        delete(tables.erasure).where(
            row.workspace_id == unguessed(workspace_id), among(db, row.mark, marks)
        )
    )
    reason = max(erasures, key=lambda one: one.at_ms).reason
    columns = ("workspace_id", "mark", "from_ms", "to_ms", "erased_ms", "lifted_ms", "reason")
    rows = [
        (workspace_id, mark, *tomb, reason)
        for mark, identity in sorted(marks.items())
        for tomb in reach.tombs[identity]
    ]
    insert_rows(db, tables.erasure, columns, rows)


def marks_of(reach: Reach) -> list[Mark]:
    """What trackers are told: whose mark is not lifted is stripped at the door."""
    marks = []
    for identity, tombs in sorted(reach.tombs.items()):
        for tomb in tombs:
            if tomb.is_whole:
                at_ms = tomb.erased_ms if tomb.lifted_ms is None else None
                marks.append(Mark(mark_of(identity, reach.secret), 0, at_ms, at_ms))
    return marks
