"""Events of people while they are employed, brought to what may be kept: they only count."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, select, update

from services.contract import tables
from services.contract.consent import stripped
from services.contract.employment import HIRED, LEFT, while_employed
from services.contract.event import Consent, Event, encode
from services.contract.vault import seal_payload
from services.runtime.bulk import among
from services.scorer.record import count, digest, events_of

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
        anew: persons who got or lost events or identities.
    """
    anybody = select(_event.event_id).where(_event.workspace_id == workspace_id, _of_employment)
    persons = theirs.keys() | set(anew)
    if not persons or db.execute(anybody.limit(1)).first() is None:
        return LeftOut()
    hired = (
        select(_link.person_id)
        .join(
            tables.event,
            (_event.workspace_id == _link.workspace_id) & (_event.identity_id == _link.identity_id),
        )
        .where(
            _link.workspace_id == workspace_id,
            among(db, _link.person_id, persons),
            _link.known_to_ms.is_(None),
            _of_employment,
        )
        .distinct()
    )
    concerned = set(db.execute(hired).scalars())
    if not concerned:
        return LeftOut()
    fresh = {event.event_id for person in concerned for event in theirs.get(person, ())}
    gone: set[bytes] = set()
    refold: set[int] = set()
    for person, events in events_of(db, workspace_id, concerned).items():
        for event in list(while_employed(events)):
            _strip(db, workspace_id, event)
            gone.add(event.event_id)
            if event.event_id not in fresh:
                refold.add(person)
    return LeftOut(frozenset(gone), refold)


def _strip(db: Connection, workspace_id: int, event: Event) -> None:
    left = stripped(event, _NOT_FOLLOWED)
    payload = encode(left)
    db.execute(
        update(tables.event)
        .where(_event.workspace_id == workspace_id, _event.event_id == event.event_id)
        .values(
            identity_id=None,
            cookie_id=None,
            content_id=left.content_id,
            digest=digest(payload),
            payload=seal_payload(payload),
        )
    )
    count(db, workspace_id, [left])
