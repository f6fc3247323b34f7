"""The ledger of consent, and what withdrawals do to the record.

All of it is a function of what was said, never of the order in which it came: the ledger is
written with the event that carries consent, and whenever a withdrawn person is touched, their
events are brought to what may be kept by ``services/contract/consent.py``.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select, update

from services.contract import tables
from services.contract.consent import is_answer, kept, said_in, said_ms
from services.contract.event import Event, Identity, encode, primary
from services.contract.ledger import circles_of
from services.contract.tables.unguessed import unguessed
from services.contract.terms import Said, terms
from services.contract.vault import seal_payload, shown_value
from services.runtime.bulk import among, insert_rows
from services.scorer.identities import Identified
from services.scorer.record import count, digest, events_of
from services.scorer.triggers import forget_turns
from services.scorer.withdrawals import Both

_OF_BROWSERS = frozenset({"anonymous_id", "person_token"})
_ANSWERING = frozenset({"identified", "consent_changed"})


@dataclass
class Enforced:
    """What withdrawals did in a batch."""

    refold: set[int] = field(default_factory=set)
    """Persons of whose events less is left: they are folded anew."""
    unmeasured: set[int] = field(default_factory=set)
    """Those among them who may not be measured: nothing said of their past is kept."""
    objecting: set[int] = field(default_factory=set)
    """Those among them who objected to being scored."""
    names: set[Identity] = field(default_factory=set)
    """What those are known by who may not be measured: no dead letter of theirs is kept."""
    terms: dict[int, Both] = field(default_factory=dict)
    """Of each person at hand who ever took something back."""
    anybody: bool = False
    """Whether anybody in the workspace ever did."""


def write_ledger(
    db: Connection,
    workspace_id: int,
    fresh: Iterable[Event],
    identified: Identified,
    now_ms: int,
) -> set[int]:
    """Write down what new events say of consent, where it is an answer or a first word.

    Returns:
        The identities that gave an answer.
    """
    spoken = [
        (_speaker(event, identified), event)
        for event in fresh
        if event.identities and _may_be_new(event, identified)
    ]
    spoken.sort(key=lambda one: (said_ms(one[1]), one[1].event_id))
    held = _held(db, workspace_id, {identity for identity, _ in spoken})
    rows = []
    answered_by: set[int] = set()
    for identity, event in spoken:
        for purpose, granted in sorted(said_in(event).items()):
            answered = is_answer(event) and _speaks_for_itself(event)
            at_ms, before = said_ms(event), held[identity, purpose]
            latest = max((one for one in before if one[0] <= at_ms), default=None)
            if not answered and latest is not None and latest[1] is granted:
                continue
            before.append((at_ms, granted))
            if answered:
                answered_by.add(identity)
            who = (workspace_id, identity, purpose, granted, answered)
            objection = _objection_in(event) if purpose == "profile" and not granted else _NONE
            told = event.agreement
            proof = (told.asserted, told.text_version, told.asked_where, *objection, at_ms)
            rows.append((*who, *proof, event.source_id, event.event_id, now_ms))
    insert_rows(db, tables.consent, _COLUMNS, rows, skip_known=True)
    return answered_by


_COLUMNS = (
    "workspace_id",
    "identity_id",
    "purpose",
    "granted",
    "answered",
    "asserted",
    "text_version",
    "asked_where",
    "objection",
    "objection_by",
    "said_ms",
    "source_id",
    "event_id",
    "recorded_ms",
)


_NONE: tuple[str | None, str | None] = (None, None)


def _objection_in(event: Event) -> tuple[str | None, str | None]:
    """(why, by whom it was recorded) of an objection; only the product's own key brings any."""
    told = event.agreement
    return (told.objection, told.objection_by) if event.server_only else _NONE


def _may_be_new(event: Event, identified: Identified) -> bool:
    """Whether the ledger is looked at for this event: most repeat what it holds already."""
    return (
        event.type in _ANSWERING
        or event.agreement.given_ms is not None
        or event.consent.profile is False
        or (bool(identified.new) and _speaker(event, identified) in identified.new)
    )


def _own(event: Event) -> tuple[Identity, ...]:
    """The identities of which the sender of an event is sure to be: see the tracker's door."""
    return tuple(i for i in event.identities if i.namespace in _OF_BROWSERS)


def _speaks_for_itself(event: Event) -> bool:
    return event.server_only or bool(_own(event))


def _speaker(event: Event, identified: Identified) -> int:
    own = event.identities if event.server_only else _own(event)
    return identified.ids[primary(own or event.identities)]


def _held(
    db: Connection, workspace_id: int, identities: Collection[int]
) -> dict[tuple[int, str], list[tuple[int, bool]]]:
    held: dict[tuple[int, str], list[tuple[int, bool]]] = defaultdict(list)
    if identities:
        row = tables.consent.c
        query = select(row.identity_id, row.purpose, row.said_ms, row.granted).where(
            row.workspace_id == unguessed(workspace_id), among(db, row.identity_id, identities)
        )
        for identity, purpose, at_ms, granted in db.execute(query):
            held[identity, purpose].append((at_ms, bool(granted)))
    return held


def enforce(
    db: Connection,
    workspace_id: int,
    theirs: Mapping[int, Sequence[Event]],
    whole: Collection[int],
    looked_at_anew: Collection[int],
) -> Enforced:
    """Bring the events of persons to what their withdrawals leave of them.

    Args:
        db: a transaction that has the persons locked.
        workspace_id: whose.
        theirs: new events per person.
        whole: persons that got or lost events or identities: all of theirs are looked at.
        looked_at_anew: identities that gave an answer in this batch, or that were tied anew; the
            same for the persons who answered by them.
    """
    done = Enforced()
    persons = theirs.keys() | set(whole)
    done.anybody = bool(persons) and _anybody_withdrew(db, workspace_id)
    if not done.anybody:
        return done
    said = _said_by(db, workspace_id, persons)
    refused = {person for person, words in said.items() if not all(one.granted for one in words)}
    known = circles_of(db, workspace_id, lambda one: among(db, one, refused)) if refused else {}
    everything: list[int] = []
    for person in sorted(refused):
        circles, identities = known[person]
        both = terms(said[person], "measure", circles), terms(said[person], "profile", circles)
        if both == (None, None):
            continue
        done.terms[person] = both
        if person in whole or not identities.isdisjoint(looked_at_anew):
            everything.append(person)
    histories = events_of(db, workspace_id, everything) if everything else {}
    for person, both in sorted(done.terms.items()):
        looked_at = histories.get(person) if person in everything else theirs.get(person)
        if _amend(db, workspace_id, looked_at or (), both):
            done.refold.add(person)
            if both[0] is not None and both[0].takes_the_past:
                done.unmeasured.add(person)
                done.names |= both[0].circles.of.keys()
            if both[1] is not None and both[1].objects:
                done.unmeasured.add(person)
                done.objecting.add(person)
    return done


def _anybody_withdrew(db: Connection, workspace_id: int) -> bool:
    row = tables.consent.c
    query = select(row.id).where(
        row.workspace_id == workspace_id, row.granted.is_(False), row.answered.is_(True)
    )
    return db.execute(query.limit(1)).first() is not None


def _said_by(db: Connection, workspace_id: int, persons: Collection[int]) -> dict[int, list[Said]]:
    """The answers of each person."""
    row, link, who = tables.consent.c, tables.identity_link.c, tables.identity.c
    query = (
        select(
            link.person_id,
            row.purpose,
            row.granted,
            row.said_ms,
            row.event_id,
            row.objection,
            tables.event.c.received_ms,
            who.namespace,
            who.value,
        )
        .select_from(tables.identity_link)
        .join(
            tables.consent,
            (row.workspace_id == link.workspace_id)
            & (row.identity_id == link.identity_id)
            & (link.valid_from_ms.is_(None) | (row.said_ms >= link.valid_from_ms))
            & (link.valid_to_ms.is_(None) | (row.said_ms < link.valid_to_ms)),
        )
        .join(tables.identity, who.id == row.identity_id)
        .join(
            tables.event,
            (tables.event.c.workspace_id == row.workspace_id)
            & (tables.event.c.event_id == row.event_id),
        )
        .where(
            link.workspace_id == unguessed(workspace_id),
            among(db, link.person_id, persons),
            link.known_to_ms.is_(None),
            row.answered.is_(True),
        )
    )
    said: dict[int, list[Said]] = defaultdict(list)
    for one in db.execute(query):
        speaker = Identity(one.namespace, shown_value(one.value))
        said[one.person_id].append(
            Said(
                one.purpose,
                bool(one.granted),
                one.said_ms,
                one.received_ms,
                speaker,
                bytes(one.event_id),
                one.objection is not None,
            )
        )
    return said


def _amend(db: Connection, workspace_id: int, events: Iterable[Event], both: Both) -> bool:
    """Write what may be kept over what may not; whether there was any."""
    row = tables.event.c
    nobodys: list[Event] = []
    changed = False
    for event in events:
        left = kept(event, *both)
        if left is event:
            continue
        changed = True
        payload = encode(left)
        values: dict[str, object] = {"payload": seal_payload(payload)}
        if not left.identities:
            nobodys.append(left)
            values |= {
                "identity_id": None,
                "cookie_id": None,
                "content_id": left.content_id,
                "digest": digest(payload),
            }
        db.execute(
            update(tables.event)
            .where(row.workspace_id == unguessed(workspace_id), row.event_id == event.event_id)
            .values(values)
        )
    count(db, workspace_id, nobodys)
    return changed


def forget(db: Connection, workspace_id: int, persons: Collection[int]) -> None:
    """Nothing that was once believed of these is kept, after their intervals have ended."""
    if persons:
        row = tables.interval.c
        db.execute(
            delete(tables.interval).where(
                row.workspace_id == unguessed(workspace_id),
                among(db, row.person_id, persons),
                row.known_to_ms.is_not(None),
            )
        )
        forget_turns(db, workspace_id, persons)
