"""Exports of a segment's members."""

from typing import Any

import msgspec
from fastapi import APIRouter, Response
from sqlalchemy import Connection, Row

from services.api.audit import note
from services.api.context import Here
from services.api.exports.asked import ExportIn, ExportJob
from services.api.idempotency import OnceOnly
from services.api.jobs.store import add_job, find_job
from services.api.jobs.view import WHERE, JobOut, begun
from services.api.needs import Exporter
from services.api.people import known_of_some
from services.api.problem import Problem, described
from services.api.segment_shapes import SegmentKey
from services.api.segment_store import Found, find_segment, in_force, versions_of
from services.api.suggest import slips
from services.api.wire import rfc3339
from services.runtime.database import writing

router = APIRouter(prefix="/v1/segments", tags=["jobs"])


@router.post(
    "/{key}/exports",
    status_code=202,
    summary="Export the members at a moment",
    responses={202: WHERE, **described(400, 401, 403, 404, 409, 413, 429, 503)},
)
def post_export(
    here: Here,
    credential: Exporter,
    key: SegmentKey,
    body: ExportIn,
    once: OnceOnly,
    response: Response,
) -> JobOut:
    """A job: ask it how far it is, and for the address of the file, which is kept for a day.

    Each row is a member with since when and until when, phase, scores, identities and the
    attributes asked for, all as of the moment. Only members whose consent, as it stands when the
    file is made, covers the use. It is of the version that is in force when it is asked for, whose
    number stands in the job's `asked.version`: while a newer one is filled, the old one goes out,
    and while the first one is, 409; so it is for a `known_at` before the first one was in force.
    """
    workspace_id, now_ms = credential.workspace_id, here.clock()
    with writing(here.engine).begin() as connection:
        made = once.made(connection, workspace_id)
        if made is not None:
            row = find_job(connection, workspace_id, made)
        else:
            found = find_segment(connection, workspace_id, key)
            version = _version(connection, found, body.known_at, now_ms)
            wanted = list(dict.fromkeys(body.attributes))
            has, _ = known_of_some(connection, workspace_id) if wanted else ({}, set())
            asked = ExportJob(
                segment=key,
                version_id=version.id,
                version=version.number,
                as_of_ms=now_ms if body.as_of is None else body.as_of,
                known_at_ms=now_ms if body.known_at is None else body.known_at,
                is_ahead=body.known_at is None and (body.as_of or 0) > now_ms,
                is_past_belief=body.known_at is not None,
                use=body.use,
                format=body.format,
                attributes=wanted,
                slips=slips("attribute", set(wanted).difference(has), has),
            )
            kept = msgspec.to_builtins(asked)
            row = add_job(connection, workspace_id, "export", kept, credential.name, now_ms, once)
            after = {"use": body.use, "format": body.format, "attributes": wanted}
            who, about = credential.who, key
            note(connection, workspace_id, who, "segment.exported", about, now_ms, after=after)
    return begun(here, row, response)


def _version(
    connection: Connection, found: Found, known_at_ms: int | None, now_ms: int
) -> Row[Any]:
    """The version that answers, or answered at a moment.

    Raises:
        Problem: 409, none does, or did.
    """
    key, versions = found.newest.key, versions_of(connection, found.newest.segment_id)
    version = in_force(versions, known_at_ms)
    if version is not None:
        return version
    if known_at_ms is not None and known_at_ms < now_ms:
        text = "Nothing was known of this segment at `known_at`: it had not been filled by then."
        first_ms = min((one.live_ms for one in versions if one.live_ms is not None), default=None)
        if first_ms is not None:
            text += f" Ask for {rfc3339(first_ms)} or later."
    else:
        text = (
            "No version of this segment answers for that yet: it is being filled for the "
            f"first time. Ask again when `progress` of /v1/segments/{key} is 1."
        )
    raise Problem(409, "segment_not_filled", text)
