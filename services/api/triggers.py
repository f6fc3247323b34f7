"""Triggers: whoever enters is handed to a connected tool, with content, at a moment."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy import Connection, Row

from services.api.audit import note
from services.api.auth import Credential
from services.api.conditional import TAGGED, IfMatch, must_be_given, must_match, tell_tag
from services.api.content_store import find_content
from services.api.context import Here
from services.api.cursors import next_rows, row_place
from services.api.idempotency import OnceOnly
from services.api.needs import TriggersReader, TriggersWriter
from services.api.one_at_a_time import one_at_a_time
from services.api.problem import Problem, described
from services.api.segment_store import find_segment
from services.api.trigger_store import (
    TRIGGERS_MAX,
    add_trigger,
    change_trigger,
    end_trigger,
    find_trigger,
    firings_of,
    triggers_of,
)
from services.api.trigger_view import (
    MINUTE_MS,
    FiredsOut,
    TriggerCreate,
    TriggerOut,
    TriggerPatch,
    TriggersOut,
    show_firing,
    show_trigger,
    tag_of_trigger,
)
from services.api.webhook_store import find_webhook
from services.api.wire import Cursor, Limit
from services.contract.event import content_type_of
from services.contract.phases import DAY_MS
from services.model.next_content import VACANCY
from services.runtime.database import writing

router = APIRouter(prefix="/v1/triggers", tags=["triggers"])

_NEVER = (
    "A vacancy is handed over to nobody before Do. Wait for `do`, or for a segment of people who "
    "are in Do, or give content of another kind; `content_id: null` is what comes next for each."
)

TriggerPath = Annotated[str, Path(min_length=1, max_length=64, examples=["tr_5f0c1b9a2d3e4f50"])]


@router.post(
    "",
    status_code=201,
    summary="Make a trigger",
    responses={201: TAGGED, **described(400, 401, 403, 404, 409, 413, 503)},
)
def post_trigger(
    here: Here,
    credential: TriggersWriter,
    body: TriggerCreate,
    once: OnceOnly,
    response: Response,
) -> TriggerOut:
    """For whoever enters from now on; once for each time that they do.

    A vacancy goes to nobody before Do. `GET …/fired` tells of each, and why of those withheld.
    """
    workspace_id, now_ms = credential.workspace_id, here.clock()
    with writing(here.engine).begin() as connection:
        made = once.made(connection, workspace_id)
        if made is None:
            if body.segment is not None:
                find_segment(connection, workspace_id, body.segment)
            given = body.model_dump(exclude={"segment", "phase"})
            values = _values(connection, workspace_id, given, body.phase)
            kind = "segment" if body.segment is not None else "phase"
            values |= {"on_kind": kind, "on_key": body.segment or body.phase}
            row = add_trigger(connection, workspace_id, values, credential.name, now_ms)
            once.remember(connection, workspace_id, row.public_id, now_ms)
            _note(connection, credential, "trigger.made", now_ms, after=row)
        else:
            row = find_trigger(connection, workspace_id, made)
    tell_tag(response, tag_of_trigger(row))
    return show_trigger(row)


@router.get("", summary="Triggers", responses=described(400, 401, 403, 503))
def get_triggers(here: Here, credential: TriggersReader) -> TriggersOut:
    """All of them, the oldest first."""
    with here.engine.connect() as connection:
        rows = triggers_of(connection, credential.workspace_id)
    return TriggersOut(triggers=[show_trigger(row) for row in rows[:TRIGGERS_MAX]])


@router.get(
    "/{trigger_id}",
    summary="A trigger",
    responses={200: TAGGED, **described(400, 401, 403, 404, 503)},
)
def get_trigger(
    here: Here, credential: TriggersReader, trigger_id: TriggerPath, response: Response
) -> TriggerOut:
    """What it waits for, and what it then does."""
    with here.engine.connect() as connection:
        row = find_trigger(connection, credential.workspace_id, trigger_id)
    tell_tag(response, tag_of_trigger(row))
    return show_trigger(row)


@router.patch(
    "/{trigger_id}",
    summary="Change, pause or resume a trigger",
    responses={200: TAGGED, **described(400, 401, 403, 404, 412, 413, 428, 503)},
)
def patch_trigger(
    here: Here,
    credential: TriggersWriter,
    trigger_id: TriggerPath,
    body: TriggerPatch,
    response: Response,
    if_match: IfMatch = None,
) -> TriggerOut:
    """Who waits keeps their moment; with what they are handed over is as it says then.

    What it waits for never changes: make another.
    """
    asked, workspace_id = must_be_given(if_match), credential.workspace_id
    with writing(here.engine).begin() as connection:
        one_at_a_time(connection, workspace_id)
        before = row = find_trigger(connection, workspace_id, trigger_id)
        must_match(asked, tag_of_trigger(row))
        given = body.model_dump(exclude_unset=True)
        is_other = given.get("content_id") != row.content_id
        phase = row.on_key if row.on_kind == "phase" and is_other else None
        values = _values(connection, workspace_id, given, phase)
        if values:
            row = change_trigger(connection, row, values)
            _note(connection, credential, "trigger.changed", here.clock(), before=before, after=row)
    tell_tag(response, tag_of_trigger(row))
    return show_trigger(row)


@router.delete(
    "/{trigger_id}",
    status_code=204,
    summary="Delete a trigger",
    responses=described(400, 401, 403, 404, 412, 503),
)
def delete_trigger(
    here: Here, credential: TriggersWriter, trigger_id: TriggerPath, if_match: IfMatch = None
) -> None:
    """Nobody is handed over any more, whoever waits included."""
    with writing(here.engine).begin() as connection:
        one_at_a_time(connection, credential.workspace_id)
        row = find_trigger(connection, credential.workspace_id, trigger_id)
        must_match(if_match, tag_of_trigger(row))
        _note(connection, credential, "trigger.deleted", here.clock(), before=row)
        end_trigger(connection, row, here.clock())


@router.get(
    "/{trigger_id}/fired",
    summary="Whom a trigger handed over, and whom not",
    responses=described(400, 401, 403, 404, 503),
)
def get_fired(
    here: Here,
    credential: TriggersReader,
    trigger_id: TriggerPath,
    status: Annotated[
        Literal["waiting", "fired", "withheld"] | None, Query(description="Only of this status.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> FiredsOut:
    """Everybody who entered while it was active, for 400 days. The newest first."""
    below = row_place(cursor, trigger_id, status)
    with here.engine.connect() as connection:
        row = find_trigger(connection, credential.workspace_id, trigger_id, ever=True)
        rows = firings_of(connection, row, status, below, limit + 1)
    following = next_rows(rows, limit, trigger_id, status)
    return FiredsOut(fired=[show_firing(one) for one in rows[:limit]], next=following)


def _values(
    connection: Connection, workspace_id: int, given: dict[str, Any], phase: str | None
) -> dict[str, Any]:
    """Columns of what a body says, once all that it names is there.

    Raises:
        Problem: 404, something is not; 400, nobody who enters ``phase`` could be handed over.
    """
    values = dict(given)
    if values.get("content_id") is not None:
        item = find_content(connection, workspace_id, values["content_id"])
        if content_type_of(item.kind) == VACANCY and phase not in {None, "do"}:
            raise Problem(400, "never_fires", _NEVER)
    if "webhook_id" in values:
        values["webhook"] = values.pop("webhook_id")
        if values["webhook"] is not None:
            find_webhook(connection, workspace_id, values["webhook"])
    if "when" in values:
        when = values.pop("when") or {"type": "at_once"}
        wait_ms = when.get("minutes", 0) * MINUTE_MS + when.get("within_days", 0) * DAY_MS
        values |= {"moment": when["type"], "wait_ms": wait_ms}
    return values


def _note(
    connection: Connection,
    credential: Credential,
    what: str,
    now_ms: int,
    *,
    before: Row[Any] | None = None,
    after: Row[Any] | None = None,
) -> None:
    """Let the audit tell of a change."""
    unsaid = {"id", "created_at", "created_by"}
    was, now = (
        None if row is None else show_trigger(row).model_dump(mode="json", exclude=unsaid)
        for row in (before, after)
    )
    about = (after or before).public_id  # type: ignore[union-attr]
    who, workspace_id = credential.who, credential.workspace_id
    note(connection, workspace_id, who, what, about, now_ms, before=was, after=now)
