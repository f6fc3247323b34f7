"""Persons: one, by any identity, and all of them page by page."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from sqlalchemy import Connection, Row, Select, select

from services.api.context import Context, Here
from services.api.cursors import CursorMoment, pack_cursor, unpack_cursor
from services.api.needs import PersonsReader
from services.api.opening import AskedByIdentity, AskedPersonAt
from services.api.people import (
    held,
    known_as,
    state_from,
)
from services.api.person_view import PersonOut, show_person
from services.api.problem import described
from services.api.record import events_of
from services.api.standing import standing_of
from services.api.wire import After, Cursor, Limit, Out
from services.contract.phases import Phase
from services.contract.tables import interval, person, person_state
from services.model.explain import entered

router = APIRouter(prefix="/v1/persons", tags=["persons"])

SINCE_EVENTS_MAX = 500
"""Since when is read off the whole history; an answer about one person folds no more than this."""


class PersonsOut(Out):
    """A page of persons, in the order in which they were first stored."""

    persons: list[PersonOut]
    next: str | None


class _PersonsCursor(msgspec.Struct, array_like=True):
    after_id: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    as_of_ms: CursorMoment


@router.get("", summary="Persons, page by page", responses=described(400, 401, 403, 503))
def list_persons(
    here: Here,
    credential: PersonsReader,
    phase: Annotated[
        Phase | None, Query(description="Only who is in this phase when the first page is read.")
    ] = None,
    q: Annotated[
        str | None,
        Query(max_length=500, description="Only who has an identity with exactly this value."),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    after: After = None,
) -> PersonsOut:
    """Persons as they are now: each as of the first page, or of what they did since."""
    here.waiting.until_folded(credential.workspace_id, after)
    place = (
        unpack_cursor(cursor, _PersonsCursor, phase, q)
        if cursor is not None
        else _PersonsCursor(0, here.clock())
    )
    query = _page(credential.workspace_id, place, phase, q, limit + 1)
    with here.glancing.connect() as connection:
        rows = connection.execute(query).all()
        persons = _show_all(connection, here, rows[:limit], place.as_of_ms)
    more = len(rows) > limit
    next_place = _PersonsCursor(rows[limit - 1].id, place.as_of_ms) if more else None
    return PersonsOut(
        persons=persons, next=pack_cursor(next_place, phase, q) if next_place else None
    )


@router.get(
    "/lookup",
    summary="The person with an identity",
    responses=described(400, 401, 403, 404, 503),
)
def lookup_person(asked: AskedByIdentity) -> PersonOut:
    """By a cookie, a user id, a mail address, or the id of another system."""
    with asked.opened() as (connection, row):
        return show_one(connection, asked.here, row, asked.as_of_ms, asked.known_at_ms)


@router.get(
    "/{person_id}",
    summary="A person at a moment",
    responses=described(307, 400, 401, 403, 404, 503),
)
def get_person(asked: AskedPersonAt) -> PersonOut:
    """Past: as the events up to then tell. Ahead: as it will be if nothing more happens."""
    with asked.opened() as (connection, row):
        return show_one(connection, asked.here, row, asked.as_of_ms, asked.known_at_ms)


def show_one(
    connection: Connection,
    here: Context,
    row: Row[Any],
    as_of_ms: int | None,
    known_at_ms: int | None,
) -> PersonOut:
    """A person at a moment, now where that is None, as known now or as once believed."""
    at_ms = here.clock() if as_of_ms is None else as_of_ms
    standing = standing_of(connection, row.workspace_id, [row.id], at_ms, known_at_ms)
    stored = standing.states.get(row.id)
    state = state_from(stored, connection, row, at_ms, known_at_ms, here.model)
    since = None
    if state is not None and state.score is not None and state.events <= SINCE_EVENTS_MAX:
        events = events_of(connection, row.workspace_id, row.id, at_ms, known_at_ms)
        since = entered(events, here.model, at_ms)
    phase = standing.phases.get(row.id)
    identities = standing.identities[row.id]
    return show_person(row, identities, state, phase, at_ms, here.model, since)


def _show_all(
    connection: Connection, here: Context, rows: Sequence[Row[Any]], as_of_ms: int
) -> list[PersonOut]:
    if not rows:
        return []
    ids = [row.id for row in rows]
    states, identities, phases = standing_of(connection, rows[0].workspace_id, ids, as_of_ms, None)
    people = []
    for row in rows:
        state, phase, at_ms = states.get(row.id), phases.get(row.id), as_of_ms
        if state is not None and state.at_ms > as_of_ms:  # they did something since the first page
            at_ms = state.at_ms
            since = standing_of(connection, row.workspace_id, [row.id], at_ms, None)
            phase = since.phases.get(row.id)
        people.append(show_person(row, identities[row.id], state, phase, at_ms, here.model))
    return people


def _page(
    workspace_id: int, place: _PersonsCursor, phase: Phase | None, q: str | None, limit: int
) -> Select[Any]:
    """People by ascending id; only those of the page are looked up."""
    found = (interval if phase is not None else person_state).c
    page = select(found.person_id).where(
        found.workspace_id == workspace_id, found.person_id > place.after_id
    )
    if phase is not None:
        page = page.where(
            interval.c.kind == "phase", interval.c.key == phase, held(place.as_of_ms, None)
        )
    if q is not None:
        page = page.where(found.person_id.in_(known_as(workspace_id, q)))
    ids = page.order_by(found.person_id).limit(limit).subquery("page")
    return (
        select(person)
        .join(ids, ids.c.person_id == person.c.id)
        .where(person.c.workspace_id == workspace_id)
        .order_by(person.c.id)
    )
