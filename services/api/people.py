"""Reading people from the database: who they are, and their state at a moment."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    FromClause,
    Row,
    Select,
    and_,
    bindparam,
    or_,
    select,
)
from sqlalchemy.sql import ColumnElement

from services.api.problem import MovedError, Problem
from services.api.record import history_of
from services.api.suggest import SortOrDate, nearest
from services.contract.event import Identity
from services.contract.tables import identity, identity_link, interval, person, person_state
from services.contract.tables.unguessed import unguessed, workspace_asked
from services.contract.vault import lookup_value, shown_value
from services.model.engagement import IN_ALL
from services.model.fold import fold_onto
from services.model.rules.attributes import day_in
from services.model.rules.values import sort_of
from services.model.state import PersonState, decode_state
from services.model.version import Model

IDENTITIES_SHOWN_MAX = 100
SEARCHED = ("user_id", "email", "anonymous_id", "person_token")
"""The namespaces in which a value is looked for."""
_MERGES_MAX = 16
_NOBODY = "Nobody in this workspace is known by this identity."
LOOKED_AT_MAX = 200
"""People, the first and as many of the last stored, whose attributes and topics stand for all."""

Asked = int | ColumnElement[int]
"""A moment, or the parameter of a statement that stands for one."""


def find_person(
    connection: Connection, workspace_id: int, public_id: str, known_at_ms: int | None = None
) -> Row[Any]:
    """The row of a person that was not merged, or not yet, as it was believed at a moment.

    Raises:
        Problem: 404, there is none in this workspace.
        MovedError: it was merged into another.
    """
    told = {"workspace": workspace_id, "public_id": public_id}
    row = connection.execute(_PERSON, told).one_or_none()
    if row is None or row.erased_ms is not None:
        raise _unknown_person()
    if row.merged_into is None or _was_somebody(connection, row, known_at_ms):
        return row
    raise MovedError(public_id, _survivor(connection, workspace_id, row).public_id)


def _was_somebody(connection: Connection, row: Row[Any], known_at_ms: int | None) -> bool:
    """Whether a merged person was one by themselves, as it was believed at a moment."""
    if known_at_ms is None:
        return False
    query = select(identity_link.c.id).where(
        identity_link.c.workspace_id == unguessed(row.workspace_id),
        identity_link.c.person_id == row.id,
        identity_link.c.known_from_ms <= known_at_ms,
        identity_link.c.known_to_ms > known_at_ms,
    )
    return connection.execute(query.limit(1)).first() is not None


def spelled(namespace: str, value: str) -> Identity:
    """The identity as the record spells it: mail addresses without regard to case."""
    return Identity(namespace, value.strip().lower() if namespace == "email" else value)


def is_address(text: str) -> bool:
    """Whether it may be a mail address, as the tracker takes them."""
    name, at, host = text.rpartition("@")
    return bool(at and name) and "." in host and " " not in text


def person_of_identity(
    connection: Connection, workspace_id: int, namespace: str, value: str
) -> Row[Any]:
    """The row of the person who is known by an identity now.

    Raises:
        Problem: 404, nobody is.
    """
    told = {"workspace": workspace_id, "namespace": namespace}
    told["value"] = lookup_value(spelled(namespace, value))
    row = connection.execute(_BY_IDENTITY, told).one_or_none()
    if row is None:
        raise Problem(404, "not_found", f"{_NOBODY}{meant_namespace(namespace)}")
    return row if row.merged_into is None else _survivor(connection, workspace_id, row)


def meant_namespace(namespace: str) -> str:
    """What was probably meant where nobody is known by a namespace that is nearly one of ours."""
    return "" if namespace in SEARCHED else nearest(namespace, SEARCHED)


def known_of_some(
    connection: Connection, workspace_id: int
) -> tuple[dict[str, set[SortOrDate]], set[str]]:
    """Of those stored first, and last, the attributes with what they are, and the topics."""
    state = person_state.c
    query = select(state.state).where(state.workspace_id == workspace_id)
    stored = [
        one
        for order in (state.person_id, state.person_id.desc())
        for one in connection.execute(query.order_by(order).limit(LOOKED_AT_MAX)).scalars()
    ]
    attributes: dict[str, set[SortOrDate]] = defaultdict(set)
    topics: set[str] = set()
    for one in stored:
        found = decode_state(bytes(one))
        for name, value in found.attributes.items():
            attributes[name].update(map(sort_of, value if isinstance(value, list) else [value]))
            if day_in(value) is not None:
                attributes[name].add("date")
        topics |= found.engagement.keys() - {IN_ALL}
    return attributes, topics


def known_as(workspace_id: int, value: str) -> Select[Any]:
    """The query for the ids of who has an identity with exactly this value."""
    row = identity.c
    ways = [spelled(namespace, value) for namespace in SEARCHED]
    return select(row.person_id).where(
        row.workspace_id == unguessed(workspace_id),
        or_(
            *(and_(row.namespace == way.namespace, row.value == lookup_value(way)) for way in ways)
        ),
    )


def identities_of(
    connection: Connection, workspace_id: int, person_ids: Sequence[int]
) -> dict[int, list[Identity]]:
    """The identities of each person now, in a stable order."""
    found: dict[int, list[Identity]] = {person_id: [] for person_id in person_ids}
    told = {"workspace": workspace_id, "persons": list(person_ids)}
    for row in connection.execute(_IDENTITIES, told).all():
        if len(found[row.person_id]) < IDENTITIES_SHOWN_MAX:
            found[row.person_id].append(Identity(row.namespace, shown_value(row.value)))
    return found


def states_of(
    connection: Connection, workspace_id: int, person_ids: Iterable[int]
) -> dict[int, PersonState]:
    """The state after the last event of each person that has one."""
    told = {"workspace": workspace_id, "persons": list(person_ids)}
    rows = connection.execute(_STATES, told).all()
    return {row.person_id: decode_state(row.state) for row in rows}


def state_at(
    connection: Connection, row: Row[Any], as_of_ms: int, known_at_ms: int | None, model: Model
) -> PersonState | None:
    """A person's state at a moment; None: nothing had happened yet."""
    stored = None
    if known_at_ms is None:
        stored = states_of(connection, row.workspace_id, [row.id]).get(row.id)
    return state_from(stored, connection, row, as_of_ms, known_at_ms, model)


def state_from(
    stored: PersonState | None,
    connection: Connection,
    row: Row[Any],
    as_of_ms: int,
    known_at_ms: int | None,
    model: Model,
) -> PersonState | None:
    """The same, where the stored one is at hand already.

    From the last event on it is that one; before that, or as once believed, the events up to then
    are folded anew.
    """
    if known_at_ms is None and (stored is None or as_of_ms >= stored.at_ms):
        return stored
    state: PersonState | None = None
    for event in history_of(connection, row.workspace_id, row.id, as_of_ms, known_at_ms):
        state = fold_onto(state, event, model)
    return state


def held(
    as_of_ms: Asked, known_at_ms: Asked | None, of: FromClause = interval
) -> ColumnElement[bool]:
    """The condition that an interval held at a moment, as known now or as once believed."""
    valid = and_(
        of.c.valid_from_ms <= as_of_ms,
        or_(of.c.valid_to_ms.is_(None), of.c.valid_to_ms > as_of_ms),
    )
    return and_(valid, believed(known_at_ms, of))


def believed(known_at_ms: Asked | None, of: FromClause = interval) -> ColumnElement[bool]:
    """The condition that an interval is known now, or was believed at a moment."""
    if known_at_ms is None:
        return of.c.known_to_ms.is_(None)
    return and_(
        of.c.known_from_ms <= known_at_ms,
        or_(of.c.known_to_ms.is_(None), of.c.known_to_ms > known_at_ms),
    )


# Made once: to put a statement together takes longer than the database needs to answer it.
_PERSON = select(person).where(
    person.c.workspace_id == workspace_asked(), person.c.public_id == bindparam("public_id")
)
_BY_IDENTITY = (
    select(person)
    .join(
        identity,
        and_(
            identity.c.workspace_id == person.c.workspace_id,
            identity.c.person_id == person.c.id,
        ),
    )
    .where(
        identity.c.workspace_id == workspace_asked(),
        identity.c.namespace == bindparam("namespace"),
        identity.c.value == bindparam("value"),
    )
)
_IDENTITIES = (
    select(identity.c.person_id, identity.c.namespace, identity.c.value)
    .where(
        identity.c.workspace_id == workspace_asked(),
        identity.c.person_id.in_(bindparam("persons", expanding=True)),
    )
    .order_by(identity.c.id)
)
_STATES = select(person_state.c.person_id, person_state.c.state).where(
    person_state.c.workspace_id == workspace_asked(),
    person_state.c.person_id.in_(bindparam("persons", expanding=True)),
)


def _survivor(connection: Connection, workspace_id: int, row: Row[Any]) -> Row[Any]:
    for _ in range(_MERGES_MAX):
        query = select(person).where(
            person.c.workspace_id == unguessed(workspace_id), person.c.id == row.merged_into
        )
        found = connection.execute(query).one_or_none()
        if found is None:
            break
        if found.merged_into is None:
            return found
        row = found
    raise _unknown_person()


def _unknown_person() -> Problem:
    return Problem(404, "not_found", "There is no person with this id in this workspace.")
