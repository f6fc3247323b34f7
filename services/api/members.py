"""Who is in a segment at a moment, and how many."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection, Row

from services.api.context import Here
from services.api.counts import count_at, count_believed
from services.api.cursors import CursorMoment, bad_cursor, pack_cursor, unpack_cursor
from services.api.needs import SegmentsReader
from services.api.people_in import NOBODY, Asked, people_in
from services.api.problem import described
from services.api.segment_shapes import SegmentKey
from services.api.segment_store import Found, find_segment, in_force, progress_of, versions_of
from services.api.wire import After, AsOf, Cursor, KnownAt, Out, rfc3339, rfc3339_or_none
from services.contract.event import Channel, EventType

router = APIRouter(prefix="/v1/segments", tags=["segments"])

_Int53 = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class BuildOut(Out):
    """Which version answers, and whether a newer one is still being filled."""

    segment: str
    version: int | None = Field(
        description="The one that answers; null: none did yet at that time."
    )
    status: Literal["building", "live"]
    progress: float
    as_of: str
    known_at: str | None


class EntryOut(Out):
    """The event by which somebody entered."""

    id: str
    type: EventType
    channel: Channel
    content_id: str | None
    at: str


class MemberOut(Out):
    """A person in the segment."""

    person: str
    since: str
    until: str | None = Field(description="The expected exit if nothing more happens.")
    because: Literal["event", "silence"] = Field(
        description="Whether an event let them in, or that none came."
    )
    event: EntryOut | None = Field(description="Null where silence did, or it is known no more.")


class MembersOut(BuildOut):
    """A page of members."""

    count: int | None = Field(
        description="Members on all pages together, when the first was read; null with `known_at`: "
        "there `/count` tells."
    )
    members: list[MemberOut]
    next: str | None = Field(
        description="The next page's cursor, null on the last. A page before it may be shorter "
        "than asked for, where members are rare among very many who came and went."
    )


class CountOut(BuildOut):
    """How many are in the segment."""

    count: int


class _MembersCursor(msgspec.Struct, array_like=True):
    after_id: _Int53
    as_of_ms: CursorMoment
    known_at_ms: _Int53 | None
    """None: as known when each page is read."""
    version_id: _Int53
    segment_id: _Int53
    count: _Int53 | None
    """When the first page was read."""


@router.get(
    "/{key}/members",
    summary="Members at a moment",
    responses=described(400, 401, 403, 404, 503),
)
def list_members(
    here: Here,
    credential: SegmentsReader,
    key: SegmentKey,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: After = None,
) -> MembersOut:
    """In the order of their first storing; every page is of the moment and version of the first.

    Nobody is on two pages, and whoever is a member all the while is on one, whatever happens
    between pages. Pages of the past and present are as known when the first was read; those ahead
    as known when each is, for what is foretold is not kept when something else comes.
    """
    here.waiting.until_folded(credential.workspace_id, after)
    now_ms, workspace_id = here.clock(), credential.workspace_id
    with here.glancing.connect() as connection:
        found = find_segment(connection, workspace_id, key)
        place = (
            unpack_cursor(cursor, _MembersCursor)
            if cursor is not None
            else _first_page(connection, found, now_ms, as_of, known_at)
        )
        same_moments = as_of in {None, place.as_of_ms} and known_at in {None, place.known_at_ms}
        if place.segment_id != found.newest.segment_id or not same_moments:
            raise bad_cursor()
        asked = Asked("segment", str(place.version_id), place.as_of_ms, place.known_at_ms)
        # To find that nobody is among all who came and went takes longer than to find a page.
        page = (
            NOBODY
            if place.count == 0
            else people_in(connection, workspace_id, asked, place.after_id, limit, events=True)
        )
        # A page as it was once believed has no count.
        believed_ms = place.known_at_ms if place.count is None else None
        build = _build(connection, found, place.version_id, place.as_of_ms, believed_ms)
    if page.next_id is not None:
        place.after_id = page.next_id
    # As dictionaries, which are checked all at once: a page's two hundred answers made one by one
    # take twice as long.
    told = {
        **build,
        "count": place.count,
        "members": [_member(row) for row in page.rows],
        "next": pack_cursor(place) if page.next_id is not None else None,
    }
    return MembersOut.model_validate(told)


def _first_page(
    connection: Connection, found: Found, now_ms: int, as_of: int | None, known_at: int | None
) -> _MembersCursor:
    as_of_ms = now_ms if as_of is None else as_of
    believed_ms = known_at if known_at is not None or as_of_ms > now_ms else now_ms
    version_id = _version_id(connection, found, known_at)
    segment = found.newest
    count = (
        count_at(connection, segment.workspace_id, "segment", str(version_id), as_of_ms)
        if known_at is None
        else None
    )
    return _MembersCursor(0, as_of_ms, believed_ms, version_id, segment.segment_id, count)


def _member(row: Row[Any]) -> dict[str, Any]:
    """A :class:`MemberOut`."""
    return {
        "person": row.public_id,
        "since": rfc3339(row.valid_from_ms),
        "until": rfc3339_or_none(row.valid_to_ms),
        "because": "silence" if row.event_id is None else "event",
        "event": None if row.type is None else _entry(row),
    }


def _entry(row: Row[Any]) -> dict[str, Any]:
    """An :class:`EntryOut`."""
    return {
        "id": bytes(row.event_id).hex(),
        "type": row.type,
        "channel": row.channel,
        "content_id": row.content_id,
        "at": rfc3339(row.occurred_ms),
    }


@router.get(
    "/{key}/count",
    summary="The number of members at a moment",
    responses=described(400, 401, 403, 404, 503),
)
def get_count(
    here: Here,
    credential: SegmentsReader,
    key: SegmentKey,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    after: After = None,
) -> CountOut:
    """Exact, and cheap at any moment as known now."""
    here.waiting.until_folded(credential.workspace_id, after)
    at_ms = here.clock() if as_of is None else as_of
    workspace_id = credential.workspace_id
    with here.glancing.connect() as connection:
        found = find_segment(connection, workspace_id, key)
        version_id = _version_id(connection, found, known_at)
        asked = connection, workspace_id, "segment", str(version_id), at_ms
        count = count_at(*asked) if known_at is None else count_believed(*asked, known_at)
        build = _build(connection, found, version_id, at_ms, known_at)
    return CountOut(**build, count=count)


def _version_id(connection: Connection, found: Found, known_at_ms: int | None) -> int:
    """The version that answers; 0 where none does yet."""
    if known_at_ms is None:
        return 0 if found.live is None else int(found.live.id)
    version = in_force(versions_of(connection, found.newest.segment_id), known_at_ms)
    return 0 if version is None else int(version.id)


def _number_of(connection: Connection, found: Found, version_id: int) -> int | None:
    """How the version that answers is numbered; None where none does."""
    if found.live is not None and found.live.id == version_id:
        return int(found.live.number)
    versions = versions_of(connection, found.newest.segment_id) if version_id else []
    return next((int(one.number) for one in versions if one.id == version_id), None)


def _build(
    connection: Connection, found: Found, version_id: int, as_of_ms: int, known_at_ms: int | None
) -> dict[str, Any]:
    newest = found.newest
    return {
        "segment": newest.key,
        "version": _number_of(connection, found, version_id),
        "status": newest.status,
        "progress": progress_of(connection, newest.workspace_id, newest),
        "as_of": rfc3339(as_of_ms),
        "known_at": rfc3339_or_none(known_at_ms),
    }
