"""How long people are kept of whom nothing is heard."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy import select, update

from services.api.audit import note
from services.api.conditional import TAGGED, IfMatch, must_match, tag_of, tell_tag
from services.api.context import Here
from services.api.needs import PersonsEraser, WorkspaceReader
from services.api.problem import described
from services.api.wire import Body
from services.contract.tables import workspace
from services.runtime.database import writing

router = APIRouter(prefix="/v1", tags=["consent"])

MONTHS_MAX = 120
APPLICANT_DAYS_MAX = 366


class RetentionIn(Body):
    """How long people are kept."""

    months: Annotated[int, Field(ge=1, le=MONTHS_MAX, strict=True)] | None = Field(
        description="Without any event; null: for ever.", examples=[24]
    )
    applicant_days: Annotated[int, Field(ge=1, le=APPLICANT_DAYS_MAX, strict=True)] | None = Field(
        default=28,
        description="After their rejection, applicants who agreed to nothing themselves; null: as "
        "everybody else.",
    )


class RetentionOut(RetentionIn):
    """How long people are kept."""


@router.get(
    "/workspace/retention",
    summary="How long people are kept of whom nothing is heard",
    responses={200: TAGGED, **described(400, 401, 403, 503)},
)
def get_retention(here: Here, credential: WorkspaceReader, response: Response) -> RetentionOut:
    """Counted from a person's last event; then they are erased, reason `retention`."""
    kept = (workspace.c.retention_months, workspace.c.applicant_days)
    query = select(*kept).where(workspace.c.id == credential.workspace_id)
    with here.engine.connect() as connection:
        months, days = connection.execute(query).one()
    tell_tag(response, tag_of(months, days))
    return RetentionOut(months=months, applicant_days=days)


@router.put(
    "/workspace/retention",
    summary="Set how long people are kept of whom nothing is heard",
    responses={200: TAGGED, **described(400, 401, 403, 412, 413, 503)},
)
def put_retention(
    here: Here,
    credential: PersonsEraser,
    body: RetentionIn,
    response: Response,
    if_match: IfMatch = None,
) -> RetentionOut:
    """A shorter time erases people within the hour, and they do not come back."""
    own = workspace.c.id == credential.workspace_id
    with writing(here.engine).begin() as connection:
        connection.execute(update(workspace).where(own).values(id=workspace.c.id))  # held
        kept = (workspace.c.retention_months, workspace.c.applicant_days)
        months, days = connection.execute(select(*kept).where(own)).one()
        must_match(if_match, tag_of(months, days))
        after = body.model_dump()
        values = {"retention_months": body.months, "applicant_days": body.applicant_days}
        connection.execute(update(workspace).where(own).values(values))
        note(
            connection,
            credential.workspace_id,
            credential.who,
            "retention.set",
            "workspace",
            here.clock(),
            before={"months": months, "applicant_days": days},
            after=after,
        )
    tell_tag(response, tag_of(body.months, body.applicant_days))
    return RetentionOut(months=body.months, applicant_days=body.applicant_days)
