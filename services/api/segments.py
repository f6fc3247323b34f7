"""Segments: a rule over persons, listed, created, edited with versions, deleted."""

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from services.api.audit import note
from services.api.auth import Credential
from services.api.conditional import TAGGED, IfMatch, must_match, tag_of, tell_tag
from services.api.context import Context, Here
from services.api.counts import count_at
from services.api.idempotency import OnceOnly
from services.api.lawful import must_be_lawful, names_in, topics_in
from services.api.needs import SegmentsReader, SegmentsWriter
from services.api.problem import Problem, described
from services.api.segment_links import (
    check_references,
    check_unused,
    come_together,
    hold_segments,
)
from services.api.segment_shapes import (
    SegmentCreate,
    SegmentEdit,
    SegmentKey,
    SegmentOut,
    SegmentsOut,
    VersionOut,
    VersionsOut,
)
from services.api.segment_store import (
    Found,
    add_version,
    create_segment,
    delete_segment,
    find_segment,
    find_segments,
    progress_of,
    rename,
    versions_of,
)
from services.api.trigger_store import check_untriggered
from services.api.wire import rfc3339, rfc3339_or_none
from services.model.rules import RuleTree
from services.runtime.database import writing

router = APIRouter(prefix="/v1/segments", tags=["segments"])


@router.get("", summary="All segments", responses=described(400, 401, 403, 503))
def list_segments(here: Here, credential: SegmentsReader) -> SegmentsOut:
    """With their numbers of members now."""
    with here.engine.connect() as connection:
        found = find_segments(connection, credential.workspace_id)
        shown = [_show(connection, one, here.clock()) for one in found]
    return SegmentsOut(segments=shown)


@router.post(
    "",
    status_code=201,
    summary="Create a segment",
    responses={201: TAGGED, **described(400, 401, 403, 404, 409, 413, 503)},
)
def post_segment(
    here: Here,
    credential: SegmentsWriter,
    body: SegmentCreate,
    once: OnceOnly,
    response: Response,
) -> SegmentOut:
    """It is computed over the retained past at once; `progress` tells how far."""
    now_ms, workspace_id = here.clock(), credential.workspace_id
    with writing(here.engine).begin() as connection:
        if once.made(connection, workspace_id) is None:
            hold_segments(connection, workspace_id)
            if find_segments(connection, workspace_id, body.key):
                raise _exists()
            _create(connection, credential, body.key, body, now_ms)
            once.remember(connection, workspace_id, body.key, now_ms)
        found = find_segment(connection, workspace_id, body.key)
        tell_tag(response, tag_of_segment(found))
        return _show(connection, found, now_ms)


@router.get(
    "/{key}",
    summary="A segment",
    responses={200: TAGGED, **described(400, 401, 403, 404, 503)},
)
def get_segment(
    here: Here, credential: SegmentsReader, key: SegmentKey, response: Response
) -> SegmentOut:
    """Its rule, its status and how many are in it now."""
    with here.engine.connect() as connection:
        found = find_segment(connection, credential.workspace_id, key)
        tell_tag(response, tag_of_segment(found))
        return _show(connection, found, here.clock())


@router.put(
    "/{key}",
    summary="Create or edit a segment",
    responses={
        200: TAGGED,
        201: {"description": "Created.", "model": SegmentOut, **TAGGED},
        **described(400, 401, 403, 409, 412, 413, 503),
    },
)
def put_segment(
    here: Here,
    credential: SegmentsWriter,
    key: SegmentKey,
    body: SegmentEdit,
    response: Response,
    if_match: IfMatch = None,
) -> SegmentOut:
    """A changed rule becomes a new version: the live one answers until the new one is built."""
    now_ms, workspace_id = here.clock(), credential.workspace_id
    with writing(here.engine).begin() as connection:
        hold_segments(connection, workspace_id)
        found = find_segments(connection, workspace_id, key)
        must_match(if_match, tag_of_segment(found[0]) if found else None)
        if not found:
            response.status_code = 201
            _create(connection, credential, key, body, now_ms)
        else:
            _edit(connection, credential, found[0], body, now_ms)
        now = find_segment(connection, workspace_id, key)
        tell_tag(response, tag_of_segment(now))
        return _show(connection, now, now_ms)


@router.delete(
    "/{key}",
    status_code=204,
    summary="Delete a segment",
    responses=described(400, 401, 403, 404, 409, 412, 503),
)
def remove_segment(
    here: Here, credential: SegmentsWriter, key: SegmentKey, if_match: IfMatch = None
) -> None:
    """Persons stay; nobody is in it any more. Refused while segments or triggers refer to it."""
    with writing(here.engine).begin() as connection:
        hold_segments(connection, credential.workspace_id)
        found = find_segment(connection, credential.workspace_id, key)
        must_match(if_match, tag_of_segment(found))
        check_unused(connection, credential.workspace_id, key)
        check_untriggered(connection, credential.workspace_id, key)
        _note(connection, credential, "segment.deleted", key, here.clock(), before=found)
        delete_segment(connection, found.newest.segment_id, here.clock())


@router.get(
    "/{key}/versions",
    summary="A segment's versions",
    responses=described(400, 401, 403, 404, 503),
)
def list_versions(here: Here, credential: SegmentsReader, key: SegmentKey) -> VersionsOut:
    """What the rule was, since when, and by which key."""
    with here.engine.connect() as connection:
        found = find_segment(connection, credential.workspace_id, key)
        rows = versions_of(connection, found.newest.segment_id)
    return VersionsOut(
        versions=[
            VersionOut(
                number=row.number,
                rule=row.rule,
                status=row.status,
                created_at=rfc3339(row.created_ms),
                created_by=row.created_by,
                live_at=rfc3339_or_none(row.live_ms),
            )
            for row in rows
        ]
    )


def make_segment(here: Context, credential: Credential, body: SegmentCreate) -> None:
    """Make a segment.

    Raises:
        Problem: 404, 409, there is one with this key, or its rule cannot be a segment's.
    """
    with writing(here.engine).begin() as connection:
        hold_segments(connection, credential.workspace_id)
        if find_segments(connection, credential.workspace_id, body.key):
            raise _exists()
        _create(connection, credential, body.key, body, here.clock())


def change_segment(
    here: Context, credential: Credential, key: str, body: SegmentEdit, seen: str
) -> None:
    """Change a segment as it was seen.

    Raises:
        Problem: 404, 409, 412, somebody changed it since.
    """
    with writing(here.engine).begin() as connection:
        hold_segments(connection, credential.workspace_id)
        found = find_segment(connection, credential.workspace_id, key)
        must_match(seen, tag_of_segment(found))
        _edit(connection, credential, found, body, here.clock())


def _create(
    connection: Connection, credential: Credential, key: str, body: SegmentEdit, now_ms: int
) -> None:
    workspace_id, by = credential.workspace_id, credential.name
    must_be_lawful(names_in(body.rule), topics_in(body.rule))
    check_references(connection, workspace_id, key, body.rule)
    try:
        create_segment(connection, workspace_id, key, body.name, _stored(body), by, now_ms)
    except IntegrityError:
        raise _exists() from None
    come_together(connection, workspace_id, key, by, now_ms)
    _note(connection, credential, "segment.made", key, now_ms, after=body)


def _edit(
    connection: Connection, credential: Credential, found: Found, body: SegmentEdit, now_ms: int
) -> None:
    if body.name != found.newest.name or _stored(body) != found.newest.rule:
        key = found.newest.key
        _note(connection, credential, "segment.edited", key, now_ms, before=found, after=body)
    newest = found.newest
    if body.name != newest.name:
        rename(connection, newest.segment_id, body.name)
    if RuleTree.model_validate({"rule": newest.rule}).rule != body.rule:
        must_be_lawful(names_in(body.rule), topics_in(body.rule))
        check_references(connection, newest.workspace_id, newest.key, body.rule)
        add_version(
            connection,
            newest.workspace_id,
            newest.segment_id,
            _stored(body),
            credential.name,
            now_ms,
        )
        come_together(connection, newest.workspace_id, newest.key, credential.name, now_ms)


def _stored(body: SegmentEdit) -> dict[str, Any]:
    rule: dict[str, Any] = body.model_dump(mode="json", include={"rule"})["rule"]
    return rule


def _note(
    connection: Connection,
    credential: Credential,
    what: str,
    key: str,
    now_ms: int,
    *,
    before: Found | None = None,
    after: SegmentEdit | None = None,
) -> None:
    """Let the audit tell of a change."""
    was = None if before is None else {"name": before.newest.name, "rule": before.newest.rule}
    now = None if after is None else {"name": after.name, "rule": _stored(after)}
    note(
        connection,
        credential.workspace_id,
        credential.who,
        what,
        key,
        now_ms,
        before=was,
        after=now,
    )


def tag_of_segment(found: Found) -> str:
    """Names what can be edited of a segment as it is."""
    newest = found.newest
    return tag_of(newest.key, newest.name, newest.number, newest.rule)


def _exists() -> Problem:
    return Problem(409, "segment_exists", "There is a segment with this key already.")


def _show(connection: Connection, found: Found, now_ms: int) -> SegmentOut:
    newest, live = found.newest, found.live
    workspace_id = newest.workspace_id
    count = (
        0 if live is None else count_at(connection, workspace_id, "segment", str(live.id), now_ms)
    )
    return SegmentOut(
        key=newest.key,
        name=newest.name,
        rule=newest.rule,
        version=newest.number,
        status=newest.status,
        progress=progress_of(connection, workspace_id, newest),
        count=count,
        changed_at=rfc3339(newest.created_ms),
        changed_by=newest.created_by,
    )
