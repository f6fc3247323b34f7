"""The ledger of consent as it is read: entries, and the one of each purpose that decides now."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, or_, select

from services.contract.circles import Circles
from services.contract.consent import PURPOSES, Purpose
from services.contract.event import Identity
from services.contract.ledger import circles_of
from services.contract.tables import consent, identity, identity_link
from services.contract.tables.unguessed import unguessed
from services.contract.terms import Said, terms
from services.contract.vault import shown_value


def deciding(connection: Connection, person: Row[Any]) -> dict[Purpose, Row[Any]]:
    """A person's entry that decides now, per purpose that was ever said."""
    return that_decide(entries_of(connection, person), circles_of_person(connection, person))


def deciding_of(
    connection: Connection, workspace_id: int, person_ids: Sequence[int]
) -> dict[int, dict[Purpose, Row[Any]]]:
    """The same of several persons, by their row's id."""
    rows: dict[int, list[Row[Any]]] = {}
    query = _entries_of(workspace_id, identity_link.c.person_id.in_(person_ids))
    for row in connection.execute(query):
        rows.setdefault(row.person_id, []).append(row)
    found = circles_of(connection, workspace_id, lambda one: one.in_(person_ids))
    return {one: that_decide(said, found[one][0]) for one, said in rows.items() if one in found}


def entries_of(connection: Connection, person: Row[Any]) -> Sequence[Row[Any]]:
    """A person's entries, the last said first."""
    query = _entries_of(person.workspace_id, identity_link.c.person_id == person.id)
    return connection.execute(query).all()


def _entries_of(workspace_id: int, whose: ColumnElement[bool]) -> Select[Any]:
    row, link = consent.c, identity_link.c
    return (
        select(consent, identity.c.namespace, identity.c.value, link.person_id)
        .select_from(consent)
        .join(
            identity_link,
            (link.workspace_id == row.workspace_id) & (link.identity_id == row.identity_id),
        )
        .join(identity, identity.c.id == row.identity_id)
        .where(
            row.workspace_id == unguessed(workspace_id),
            whose,
            link.known_to_ms.is_(None),
            or_(link.valid_from_ms.is_(None), row.said_ms >= link.valid_from_ms),
            or_(link.valid_to_ms.is_(None), row.said_ms < link.valid_to_ms),
        )
        .order_by(row.said_ms.desc(), row.id.desc())
    )


def circles_of_person(connection: Connection, person: Row[Any]) -> Circles | None:
    """None: nothing is known of the person any more."""
    found = circles_of(connection, person.workspace_id, lambda one: one == person.id)
    return found[person.id][0] if found else None


def that_decide(rows: Sequence[Row[Any]], circles: Circles | None) -> dict[Purpose, Row[Any]]:
    """The entry that decides now, per purpose that was said, of entries the last said first."""
    said = {purpose: [one for one in rows if one.purpose == purpose] for purpose in PURPOSES}
    found = {purpose: _deciding(entries, circles) for purpose, entries in said.items()}
    return {purpose: row for purpose, row in found.items() if row is not None}


def _deciding(rows: Sequence[Row[Any]], circles: Circles | None) -> Row[Any] | None:
    """The entry by which it is yes or no now, of one purpose's entries, the last said first."""
    if not rows or circles is None:
        return None
    answers = [row for row in rows if row.answered]
    said = [
        Said(
            row.purpose,
            row.granted,
            row.said_ms,
            row.recorded_ms,
            Identity(row.namespace, shown_value(row.value)),
            bytes(row.event_id),
        )
        for row in answers
    ]
    stands = terms(said, rows[0].purpose, circles)
    if stands is not None and stands.stands_for(circles.core):
        return next(row for row in answers if not row.granted)
    return next(iter(answers), rows[0])
