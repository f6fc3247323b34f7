"""Who is in a segment, or kept out of it, by hand."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter
from pydantic import ConfigDict, Field
from sqlalchemy import Connection, Row, select, tuple_

from services.api.audit import note_told
from services.api.auth import Credential
from services.api.context import Context, Here
from services.api.cursors import pack_cursor, unpack_cursor
from services.api.decisions import DecisionTaken
from services.api.needs import SegmentsReader, SegmentsWriter
from services.api.people import find_person, identities_of, states_of
from services.api.problem import Problem, described
from services.api.said import Put
from services.api.segment_shapes import SegmentKey
from services.api.segment_store import find_segment
from services.api.wire import INT64_MAX, After, Body, Cursor, Limit, Out, PersonPath, rfc3339
from services.contract import event as envelope
from services.contract.event import LISTED, Event, primary
from services.contract.listing import Listing
from services.contract.tables import event, identity, person
from services.contract.tables.unguessed import unguessed
from services.contract.vault import open_payload
from services.model.rules.memory import BY_HAND

router = APIRouter(prefix="/v1/segments", tags=["segments"])


class ByHandIn(Body):
    """That somebody is in, or kept out."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"list": "out", "reason": "Asked not to be invited", "by": "piet@example.org"}
            ]
        }
    )
    list: Literal["in", "out"] = Field(description="In, or kept out, whatever the rule says.")
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    by: Annotated[str | None, Field(min_length=1, max_length=200)] = None


class ByHandOut(Out):
    """Somebody who is in, or kept out, by hand."""

    person: str
    list: Literal["in", "out"]
    reason: str
    by: str | None
    key: str
    at: str


class ByHandsOut(Out):
    """A page of those, newest first. It may be short, for what stands no more is left out."""

    people: list[ByHandOut]
    next: str | None


class _Place(msgspec.Struct, array_like=True):
    at_ms: Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]
    event_id: Annotated[bytes, msgspec.Meta(max_length=16)]


@router.get(
    "/{key}/manual",
    summary="Who is in a segment, or kept out, by hand",
    responses=described(400, 401, 403, 404, 503),
)
def list_by_hand(
    here: Here,
    credential: SegmentsReader,
    key: SegmentKey,
    cursor: Cursor = None,
    limit: Limit = 50,
    after: After = None,
) -> ByHandsOut:
    """With why, by whom and when."""
    here.waiting.until_folded(credential.workspace_id, after)
    before = None if cursor is None else unpack_cursor(cursor, _Place, key)
    with here.engine.connect() as connection:
        find_segment(connection, credential.workspace_id, key)
        rows = _said(connection, credential.workspace_id, key, before, limit + 1)
        shown = list(_standing(connection, credential.workspace_id, key, rows[:limit]))
    last = rows[limit - 1] if len(rows) > limit else None
    following = None if last is None else _Place(last.occurred_ms, bytes(last.event_id))
    return ByHandsOut(people=shown, next=None if following is None else pack_cursor(following, key))


@router.put(
    "/{key}/manual/{person_id}",
    status_code=202,
    summary="Put a person in a segment, or keep them out, by hand",
    responses=described(307, 400, 401, 403, 404, 409, 413, 503),
)
def put_by_hand(
    here: Here, credential: SegmentsWriter, key: SegmentKey, person_id: PersonPath, body: ByHandIn
) -> DecisionTaken:
    """It stands until it is taken back, whatever the rule says. Who is not followed is in none."""
    said = (body.list, body.reason, body.by)
    return _tell(here, credential, key, person_id, said)


@router.delete(
    "/{key}/manual/{person_id}",
    status_code=202,
    summary="Let a segment's rule alone say it again of a person",
    responses=described(307, 400, 401, 403, 404, 409, 503),
)
def delete_by_hand(
    here: Here, credential: SegmentsWriter, key: SegmentKey, person_id: PersonPath
) -> DecisionTaken:
    """Takes back what was decided by hand."""
    return _tell(here, credential, key, person_id, _NEITHER)


_NEITHER: tuple[Listing, str, str | None] = ("none", "", None)


def _tell(
    here: Context,
    credential: Credential,
    key: str,
    person_id: str,
    said: tuple[Listing, str, str | None],
) -> DecisionTaken:
    workspace_id = credential.workspace_id
    with here.engine.connect() as connection:
        find_segment(connection, workspace_id, key)
        row = find_person(connection, workspace_id, person_id)
        known = identities_of(connection, workspace_id, [row.id])[row.id]
        state = states_of(connection, workspace_id, [row.id]).get(row.id)
    if not known or state is None or not state.measure:
        raise Problem(409, "not_followed", "The person did not agree to be followed.")
    put = Put(primary(tuple(known)), key, *said, credential.name)
    position = here.door.put(workspace_id, put)
    if position is None:
        raise Problem(409, "not_followed", "The person did not agree to be followed.")
    # Why is told with the list.
    after = {"person": row.public_id, "list": said[0]}
    note_told(here, credential, "segment.listed", key, after=after)
    return DecisionTaken(position=position)


def _said(
    connection: Connection, workspace_id: int, key: str, before: _Place | None, limit: int
) -> Sequence[Row[Any]]:
    """What was said of a segment by hand, newest first."""
    row = event.c
    query = (
        select(row.payload, row.occurred_ms, row.event_id, person.c.id, person.c.public_id)
        .join(identity, identity.c.id == row.identity_id)
        .join(person, person.c.id == identity.c.person_id)
        .where(
            row.workspace_id == workspace_id,
            row.type == LISTED,
            row.content_id == key,
            identity.c.workspace_id == unguessed(workspace_id),
            person.c.workspace_id == unguessed(workspace_id),
        )
        .order_by(row.occurred_ms.desc(), row.event_id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(
            tuple_(row.occurred_ms, row.event_id) < tuple_(before.at_ms, before.event_id)
        )
    rows: list[Row[Any]] = [*connection.execute(query)]
    return rows


def _standing(
    connection: Connection, workspace_id: int, key: str, rows: Sequence[Row[Any]]
) -> Iterable[ByHandOut]:
    """Those among them that still stand."""
    states = states_of(connection, workspace_id, [row.id for row in rows])
    for row in rows:
        state = states.get(row.id)
        put = None if state is None else state.rings_ms.get(BY_HAND + key)
        if put is not None and put[1] == row.occurred_ms:
            yield _show(row.public_id, envelope.decode(open_payload(bytes(row.payload))))


def _show(public_id: str, said: Event) -> ByHandOut:
    told = said.properties
    return ByHandOut(
        person=public_id,
        list=told["list"],
        reason=str(told.get("reason") or ""),
        by=told.get("by"),
        key=str(told.get("key") or ""),
        at=rfc3339(said.occurred_ms),
    )
