"""Objections to being scored (GDPR 21): kept with why, and by whom they were recorded."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import ConfigDict, Field, JsonValue

from services.api.audit import known_by, note_told
from services.api.auth import Credential
from services.api.consent import ConsentTaken
from services.api.context import Context, Here
from services.api.decisions import IdentityIn
from services.api.ledger import circles_of_person
from services.api.needs import ConsentWriter
from services.api.people import find_person, spelled
from services.api.problem import Problem, described
from services.api.said import Answer
from services.api.wire import Body, Moment, PersonPath, rfc3339
from services.contract.event import Identity, event_id_of

router = APIRouter(prefix="/v1", tags=["consent"])

_EXAMPLE: dict[str, JsonValue] = {
    "reason": "does not want to be estimated; told us by telephone",
    "objected_at": "2026-11-22T09:30:00Z",
    "by": "piet@example.org",
}


class ObjectionIn(Body):
    """That a person objects to being scored."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})
    reason: Annotated[str, Field(min_length=1, max_length=200, description="As they gave it.")]
    objected_at: Moment = Field(description="When the person said so; not in the future.")
    by: Annotated[str, Field(min_length=1, max_length=200, description="Who recorded it.")]


class ObjectionOfIdentityIn(ObjectionIn, IdentityIn):
    """The same, for whoever is known by an identity; nobody needs to be, yet."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{**_EXAMPLE, "namespace": "email", "value": "anna@example.org"}]
        }
    )


@router.post(
    "/persons/{person_id}/objection",
    status_code=202,
    summary="Record that a person objects to being scored",
    responses=described(307, 400, 401, 403, 404, 413, 503),
)
def post_persons_objection(
    here: Here, credential: ConsentWriter, person_id: PersonPath, body: ObjectionIn
) -> ConsentTaken:
    """They leave every segment and phase at once, and what was scored before is scored no more.

    Events are kept, and are no evidence. Later consent to `profile` begins at its own time.
    """
    with here.engine.connect() as connection:
        person = find_person(connection, credential.workspace_id, person_id)
        circles = circles_of_person(connection, person)
    if circles is None:
        raise Problem(404, "not_found", "Nothing is known of this person any more.")
    for one in sorted(circles.speakers - {circles.core}):
        _tell(here, credential.workspace_id, one, body)
    taken = _tell(here, credential.workspace_id, circles.core, body)
    return _noted(here, credential, str(person.public_id), body, taken)


@router.post(
    "/objections",
    status_code=202,
    summary="Record an objection by an identity",
    responses=described(400, 401, 403, 413, 503),
)
def post_objection(
    here: Here, credential: ConsentWriter, body: ObjectionOfIdentityIn
) -> ConsentTaken:
    """Also of somebody who is not known yet: it holds for what comes later."""
    who = spelled(body.namespace, body.value)
    with here.engine.connect() as connection:
        about = known_by(connection, credential.workspace_id, who)
    taken = _tell(here, credential.workspace_id, who, body)
    return _noted(here, credential, about, body, taken)


def _noted(
    here: Context, credential: Credential, about: str, body: ObjectionIn, taken: ConsentTaken
) -> ConsentTaken:
    """Why stands in the ledger, which an erasure reaches."""
    after = {"objected_at": rfc3339(body.objected_at)}
    note_told(here, credential, "person.objected", about, after=after)
    return taken


def _tell(here: Context, workspace_id: int, who: Identity, body: ObjectionIn) -> ConsentTaken:
    if body.objected_at > here.clock() + 60_000:
        raise Problem(400, "in_the_future", "Nobody can have said so after now.")
    text = f"{who.namespace}\x1f{who.value}\x1f{body.objected_at}\x1f{body.reason}\x1f{body.by}"
    answer = Answer(
        message_id=f"objection:{event_id_of(workspace_id, 0, text).hex()}",
        who=who,
        purposes={"profile": False},
        given_at=rfc3339(body.objected_at),
        text_version=None,
        objection=body.reason,
        objection_by=body.by,
    )
    position = here.door.answer(workspace_id, answer)
    if position is None:
        raise Problem(400, "unusable_identity", "Nobody can be known by this identity.")
    return ConsentTaken(position=position)
