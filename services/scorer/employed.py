"""Events of people while they are employed, brought to what may be kept: they only count."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, select, update

from services.contract import tables
from services.contract.consent import stripped
from services.contract.employment import HIRED, LEFT, while_employed
from services.contract.event import Consent, Event, encode
from services.contract.tables.unguessed import unguessed
from services.contract.vault import seal_payload
from services.model.glimpse import glimpse
from services.runtime.bulk import among, rows_of
from services.scorer.record import count, digest, events_of
from services.scorer.states import Place, alike_in_age, place

_event, _link = tables.event.c, tables.identity_link.c
# Written out, so that SQLite too knows the index for it.
_of_employment = _event.type.in_(
    bindparam("employment", (HIRED, LEFT), expanding=True, literal_execute=True)
)
_NOT_FOLLOWED = Consent(measure=False, profile=False)


@dataclass(frozen=True)
class LeftOut:
    """What counts and is of nobody any more."""

    events: frozenset[bytes] = frozenset()
    refold: set[int] = field(default_factory=set)
    """Persons who lost something that was folded already."""

    def taken(self, events: Mapping[int, Sequence[Event]]) -> dict[int, Sequence[Event]]:
        """A batch's events per person without them; who has none left is left out."""
        if not self.events:
            return dict(events)
        kept = {
            person: [event for event in some if event.event_id not in self.events]
            for person, some in events.items()
        }
        return {person: some for person, some in kept.items() if some}


def leave_out(
    db: Connection,
    workspace_id: int,
    theirs: Mapping[int, Sequence[Event]],
    anew: Collection[int],
) -> LeftOut:
    """Strip what persons did while they were employed.

    Args:
        db: a transaction that has the persons locked.
        workspace_id: whose.
        theirs: new events per person.
        anew: persons who got or lost events or identities, or of whose consent less is left.
    """
    persons = theirs.keys() | set(anew)
    if not persons or not _anybody_hired(db, workspace_id):
        return LeftOut()
    hires_ms = _hires_ms(db, workspace_id, persons)
    begins_ms = _begins_ms(db, hires_ms, theirs, anew)
    gone: set[bytes] = set()
    refold: set[int] = set()
    for from_ms, some in alike_in_age(begins_ms):
        for person, events in events_of(db, workspace_id, some, from_ms).items():
            fresh = {event.event_id for event in theirs.get(person, ())}
            for event in list(while_employed(events)):
                _strip(db, workspace_id, event)
                gone.add(event.event_id)
                if event.event_id not in fresh:
                    refold.add(person)
    return LeftOut(frozenset(gone), refold)


def _anybody_hired(db: Connection, workspace_id: int) -> bool:
    query = select(_event.event_id).where(_event.workspace_id == workspace_id, _of_employment)
    return db.execute(query.limit(1)).first() is not None


def _hires_ms(db: Connection, workspace_id: int, persons: Collection[int]) -> dict[int, list[int]]:
    """When those of the persons were hired who ever were, this batch included."""
    query = (
        select(_link.person_id, _event.occurred_ms, _event.type)
        .join(
            tables.event,
            (_event.workspace_id == _link.workspace_id)
            & (_event.identity_id == _link.identity_id)
            & (_link.valid_from_ms.is_(None) | (_event.occurred_ms >= _link.valid_from_ms))
            & (_link.valid_to_ms.is_(None) | (_event.occurred_ms < _link.valid_to_ms)),
        )
        .where(
            _link.workspace_id == unguessed(workspace_id),
            among(db, _link.person_id, persons),
            _link.known_to_ms.is_(None),
            _of_employment,
        )
    )
    found: dict[int, list[int]] = defaultdict(list)
    for person, at_ms, kind in rows_of(db, query):
        if kind == HIRED:
            found[person].append(at_ms)
    return found


def _begins_ms(
    db: Connection,
    hires_ms: Mapping[int, Sequence[int]],
    theirs: Mapping[int, Sequence[Event]],
    anew: Collection[int],
) -> dict[int, int]:
    """From when on the events are read of those of whom any may have to go.

    Whatever came before, whoever is hired is employed from then on: so nothing before the last
    hire that is older than all that is new is asked for. What was done since that hire was left
    out when it came, so of somebody who is still employed little is read; of somebody who left and
    agreed anew nothing at all, where what is new comes after all else and tells of no hire.
    """
    settled = {
        person
        for person in hires_ms.keys() - set(anew)
        if not any(event.type == HIRED for event in theirs[person])
    }
    followed = _followed(db, settled)
    begins_ms: dict[int, int] = {}
    for person, moments_ms in hires_ms.items():
        first = (0, b"") if person in anew else min(map(place, theirs[person]))
        if person not in followed or first <= followed[person]:
            before_ms = (at_ms for at_ms in moments_ms if at_ms < first[0])
            begins_ms[person] = max(before_ms, default=min(moments_ms))
    return begins_ms


def _followed(db: Connection, persons: Collection[int]) -> dict[int, Place]:
    """The last event of those whose stored state says that they are not employed."""
    row = tables.person_state.c
    if not persons:
        return {}
    query = select(row.person_id, row.state).where(among(db, row.person_id, persons))
    seen = {person: glimpse(bytes(state)) for person, state in rows_of(db, query)}
    return {
        person: (state.at_ms, state.at_id)
        for person, state in seen.items()
        if state.hired_ms is None
    }


def _strip(db: Connection, workspace_id: int, event: Event) -> None:
    left = stripped(event, _NOT_FOLLOWED)
    payload = encode(left)
    db.execute(
        update(tables.event)
        .where(_event.workspace_id == unguessed(workspace_id), _event.event_id == event.event_id)
        .values(
            identity_id=None,
            cookie_id=None,
            content_id=left.content_id,
            digest=digest(payload),
            payload=seal_payload(payload),
        )
    )
    count(db, workspace_id, [left])
