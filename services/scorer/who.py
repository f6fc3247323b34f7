"""Whose identities are, compared with what ties them: the way back from links to events."""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, select

from services.contract import tables
from services.contract.event import Event
from services.contract.tables.unguessed import unguessed
from services.model.identity import Slice
from services.runtime.bulk import among
from services.scorer.identities import edges, firsts_of, look
from services.scorer.owners import Piece, owners_of
from services.scorer.people import owners_by_ties

_link = tables.identity_link.c


def wrongly_owned(db: Connection, workspace_id: int, persons: Collection[int]) -> set[int]:
    """Persons to whom a link gives an identity otherwise than the ties do.

    Which of several persons somebody goes on as is no difference: each owner that the ties make
    must be one person, and each person one owner.
    """
    query = select(_link.identity_id).where(
        _link.workspace_id == unguessed(workspace_id),
        among(db, _link.person_id, persons),
        _link.known_to_ms.is_(None),
    )
    theirs = set(db.execute(query).scalars())
    wanted = owners_by_ties(db, workspace_id, theirs)
    held = owners_of(db, workspace_id, wanted)
    person_of: dict[int, int] = {}
    owner_of: dict[int, int] = {}
    wrong: set[int] = set()
    for identity in sorted(wanted):
        said, stored = _in_order(wanted[identity]), _in_order(held.get(identity, ()))
        agree = [one[:2] for one in said] == [one[:2] for one in stored]
        for (*_, owner), (*_, person) in zip(said, stored, strict=False):
            expected = -owner if owner < 0 else person_of.setdefault(owner, person)
            agree = agree and expected == person and owner_of.setdefault(person, owner) == owner
        if not agree:
            wrong |= {person for *_, person in stored}
    return wrong & set(persons)


def untied(db: Connection, workspace_id: int, events: Iterable[Event]) -> bool:
    """Whether events tie two identities of which that is not stored, or only since later."""
    listed = [event for event in events if len(event.identities) > 1]
    firsts = firsts_of(listed, look(db, workspace_id, listed))
    stored = edges(db, workspace_id, firsts)
    return any(pair not in stored or first < stored[pair] for pair, first in firsts.items())


def _in_order(pieces: Iterable[Slice | Piece]) -> list[tuple[int, int, int]]:
    """(from_ms, to_ms, whose) with −1 for none, in order."""
    named = ((one[0], one[1], one[2]) for one in pieces)
    return sorted((-1 if a is None else a, -1 if b is None else b, c) for a, b, c in named)
