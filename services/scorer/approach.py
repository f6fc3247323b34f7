"""What decides whether somebody may be approached: their consent, what they saw and were handed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from services.contract import tables
from services.contract.event import Identity
from services.contract.phases import DAY_MS
from services.contract.tables.unguessed import unguessed
from services.contract.vault import shown_value
from services.model.next_content import SEEING
from services.model.procedure import TELLING, Procedures
from services.runtime.bulk import among
from services.scorer.unsubscribed import last_unsubscribed

_CONTACT = ("contact", "contact_mail", "contact_phone", "contact_messaging")


@dataclass(slots=True)
class Known:
    """Of one person."""

    said: dict[str, bool] = field(default_factory=dict)
    """What stands of consent to be contacted, by purpose."""
    unsubscribed: bool = False
    """Later than the last yes, by a mail that followed nobody."""
    seen: frozenset[str] = frozenset()
    """Ids of content."""
    in_procedure: bool = False
    """They applied, and nothing says that it has ended."""
    handed_ms: list[int] = field(default_factory=list)
    """When a trigger handed them over, within seven days."""


def known_of(
    db: Connection, workspace_id: int, persons: Sequence[int], now_ms: int
) -> Mapping[int, Known]:
    """What is known of these persons now."""
    found = {person: Known() for person in persons}
    said = _said(db, workspace_id, persons)
    for person, answers in said.items():
        found[person].said = {purpose: yes for purpose, (_, yes) in answers.items()}
    for person, told_ms in _unsubscribed_ms(db, workspace_id, persons).items():
        yes_ms = (at_ms for at_ms, yes in said.get(person, {}).values() if yes)
        found[person].unsubscribed = told_ms >= max(yes_ms, default=0)
    for person, seen in _seen(db, workspace_id, persons).items():
        found[person].seen = frozenset(seen)
    for person in _in_procedure(db, workspace_id, persons, now_ms):
        found[person].in_procedure = True
    row = tables.firing.c
    handed = select(row.person_id, row.decided_ms).where(
        row.workspace_id == unguessed(workspace_id),
        among(db, row.person_id, persons),
        row.status == "fired",
        row.decided_ms > now_ms - 7 * DAY_MS,
    )
    for person, at_ms in db.execute(handed):
        found[person].handed_ms.append(at_ms)
    return found


def _said(
    db: Connection, workspace_id: int, persons: Sequence[int]
) -> dict[int, dict[str, tuple[int, bool]]]:
    """(when, yes or no) of the last answer to each purpose, whichever identity gave it.

    An answer counts more than what merely repeats one. That a no may be of somebody else who used
    the same browser is not asked here: then one person too few is approached, and never too many.
    """
    row, link = tables.consent.c, tables.identity_link.c
    query = (
        select(link.person_id, row.purpose, row.granted, row.said_ms)
        .join_from(
            tables.consent,
            tables.identity_link,
            (link.workspace_id == row.workspace_id) & (link.identity_id == row.identity_id),
        )
        .where(
            row.workspace_id == unguessed(workspace_id),
            row.purpose.in_(_CONTACT),
            among(db, link.person_id, persons),
            link.known_to_ms.is_(None),
        )
        .order_by(row.answered, row.said_ms, row.granted.desc(), row.id)
    )
    found: dict[int, dict[str, tuple[int, bool]]] = defaultdict(dict)
    for person, purpose, granted, said_ms in db.execute(query):
        found[person][purpose] = said_ms, bool(granted)
    return found


def _unsubscribed_ms(db: Connection, workspace_id: int, persons: Sequence[int]) -> dict[int, int]:
    row = tables.identity.c
    query = select(row.person_id, row.namespace, row.value).where(
        row.workspace_id == unguessed(workspace_id),
        among(db, row.person_id, persons),
        row.namespace != "anonymous_id",
    )
    names: dict[int, list[Identity]] = defaultdict(list)
    for person, namespace, value in db.execute(query):
        names[person].append(Identity(namespace, shown_value(value)))
    return last_unsubscribed(db, workspace_id, names)


def _seen(db: Connection, workspace_id: int, persons: Sequence[int]) -> dict[int, set[str]]:
    row = tables.event.c
    query = (
        _own_events(db, workspace_id, persons, row.content_id)
        .where(row.content_id.is_not(None), row.type.in_(SEEING))
        .distinct()
    )
    found: dict[int, set[str]] = defaultdict(set)
    for person, content_id in db.execute(query):
        found[person].add(content_id)
    return found


def _in_procedure(
    db: Connection, workspace_id: int, persons: Sequence[int], now_ms: int
) -> list[int]:
    row = tables.event.c
    query = (
        _own_events(db, workspace_id, persons, row.type, row.content_id, row.occurred_ms)
        .where(row.type.in_(TELLING))
        .order_by(row.occurred_ms, row.event_id)
    )
    found: dict[int, Procedures[Any]] = defaultdict(Procedures)
    for one in db.execute(query):
        found[one.person_id].hear(one)
    return [person for person, theirs in found.items() if theirs.latest(now_ms) is not None]


def _own_events(
    db: Connection, workspace_id: int, persons: Sequence[int], *columns: ColumnElement[Any]
) -> Select[Any]:
    """Columns of these persons' events, each with whose it is."""
    row, link = tables.event.c, tables.identity_link.c
    return (
        select(link.person_id, *columns)
        .join_from(
            tables.identity_link,
            tables.event,
            (row.workspace_id == link.workspace_id)
            & (row.identity_id == link.identity_id)
            & (link.valid_from_ms.is_(None) | (row.occurred_ms >= link.valid_from_ms))
            & (link.valid_to_ms.is_(None) | (row.occurred_ms < link.valid_to_ms)),
        )
        .where(
            link.workspace_id == unguessed(workspace_id),
            among(db, link.person_id, persons),
            link.known_to_ms.is_(None),
        )
    )
