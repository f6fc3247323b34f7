"""The ledger of consent: what a person agreed to, by which proof, and answers from elsewhere."""

import hashlib
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from sqlalchemy import Connection, Row, select

from services.api.audit import known_by, note_told
from services.api.auth import Credential
from services.api.context import Context, Here
from services.api.ledger import circles_of_person, entries_of, that_decide
from services.api.needs import ConsentWriter, PersonsReader
from services.api.people import find_person, spelled
from services.api.problem import Problem, described
from services.api.said import Answer
from services.api.wire import After, Body, Moment, Out, PersonPath, rfc3339
from services.contract.consent import Purpose
from services.contract.event import Identity
from services.contract.spelling import NAMESPACE_PATTERN
from services.contract.tables import api_key

router = APIRouter(prefix="/v1", tags=["consent"])

HISTORY_MAX = 1_000
"""Entries shown of one person: the newest."""

Source = Literal["link", "mailer", "product", "write", "server", "other"]


class ConsentEntryOut(Out):
    """One entry of the ledger."""

    purpose: Purpose
    granted: bool
    said_at: str
    text_version: str | None = Field(description="Of the words that were agreed to.")
    asked_where: str | None = Field(description="Where it was asked and is kept, if that was told.")
    source: Source = Field(
        description="The key that brought it, a `link`, a `mailer`, or this API (`product`)."
    )
    answered: bool = Field(description="An answer given then; else a page or server repeated it.")
    asserted: bool = Field(description="Said for the person by the server key's declaration.")
    objection: str | None = Field(description="Why, where it is an objection (GDPR 21).")
    objection_by: str | None = Field(description="Who recorded the objection.")
    event: str
    recorded_at: str


class ConsentOut(Out):
    """What a person agreed to now, and how that came about, newest first."""

    person: str
    now: dict[Purpose, ConsentEntryOut] = Field(
        description="The entry that decides, per purpose; a purpose that is missing was never said."
    )
    history: list[ConsentEntryOut]


class ConsentIn(Body):
    """An answer about consent that a person gave elsewhere."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "purposes": {"measure": False},
                    "given_at": "2026-11-22T09:30:00Z",
                    "text_version": "privacy statement 3",
                }
            ]
        }
    )
    purposes: dict[Purpose, bool] = Field(
        min_length=1, description="Yes or no; what is left out stays as it was."
    )
    given_at: Moment = Field(description="When the person said so; not in the future.")
    text_version: str | None = Field(default=None, min_length=1, max_length=200)
    asked_where: str | None = Field(
        default=None, min_length=1, max_length=200, description="Where it was asked, and is kept."
    )


class ConsentOfIdentityIn(ConsentIn):
    """The same, for whoever is known by an identity; nobody needs to be, yet."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "namespace": "email",
                    "value": "anna@example.org",
                    "purposes": {"measure": False},
                    "given_at": "2026-11-22T09:30:00Z",
                    "text_version": "privacy statement 3",
                }
            ]
        }
    )
    namespace: Annotated[str, Field(pattern=NAMESPACE_PATTERN, examples=["email"])]
    value: Annotated[str, Field(min_length=1, max_length=254, examples=["anna@example.org"])]


class ConsentTaken(Out):
    """The answer is on disk; it is in force at every tracker within seconds."""

    position: str = Field(description="For `after` of reads.")


@router.get(
    "/persons/{person_id}/consent",
    summary="What a person agreed to, with proof",
    responses=described(307, 400, 401, 403, 404, 503),
)
def get_consent(
    here: Here, credential: PersonsReader, person_id: PersonPath, after: After = None
) -> ConsentOut:
    """The ledger of one person, over all their identities."""
    here.waiting.until_folded(credential.workspace_id, after)
    with here.engine.connect() as connection:
        return consent_of(connection, find_person(connection, credential.workspace_id, person_id))


@router.post(
    "/persons/{person_id}/consent",
    status_code=202,
    summary="Record a person's answer about consent",
    responses=described(307, 400, 401, 403, 404, 413, 503),
)
def post_persons_consent(
    here: Here, credential: ConsentWriter, person_id: PersonPath, body: ConsentIn
) -> ConsentTaken:
    """As told elsewhere: on paper, by telephone, in another system.

    A no is all of the person's, also of what only pages said to be theirs.
    """
    with here.engine.connect() as connection:
        person = find_person(connection, credential.workspace_id, person_id)
        circles = circles_of_person(connection, person)
    if circles is None:
        raise Problem(404, "not_found", "Nothing is known of this person any more.")
    noes = {purpose: granted for purpose, granted in body.purposes.items() if not granted}
    if noes:
        for one in sorted(circles.speakers - {circles.core}):
            _tell(here, credential.workspace_id, one, body.model_copy(update={"purposes": noes}))
    taken = _tell(here, credential.workspace_id, circles.core, body)
    return _noted(here, credential, str(person.public_id), body, taken)


@router.post(
    "/consent",
    status_code=202,
    summary="Record an answer about consent by an identity",
    responses=described(400, 401, 403, 413, 503),
)
def post_consent(here: Here, credential: ConsentWriter, body: ConsentOfIdentityIn) -> ConsentTaken:
    """Also for somebody who is not known yet: a no holds for what comes later."""
    who = spelled(body.namespace, body.value)
    with here.engine.connect() as connection:
        about = known_by(connection, credential.workspace_id, who)
    taken = _tell(here, credential.workspace_id, who, body)
    return _noted(here, credential, about, body, taken)


def consent_of(connection: Connection, person: Row[Any]) -> ConsentOut:
    """What holds of a person now, and all that led there."""
    rows = entries_of(connection, person)
    now = that_decide(rows, circles_of_person(connection, person))
    kinds = _kinds(connection, person.workspace_id)
    return ConsentOut(
        person=person.public_id,
        now={purpose: _show(row, kinds) for purpose, row in now.items()},
        history=[_show(row, kinds) for row in rows[:HISTORY_MAX]],
    )


def _noted(
    here: Context, credential: Credential, about: str, body: ConsentIn, taken: ConsentTaken
) -> ConsentTaken:
    said = {"given_at": rfc3339(body.given_at), "text_version": body.text_version}
    after: dict[str, Any] = {**body.model_dump(include={"purposes"})["purposes"], **said}
    note_told(here, credential, "consent.recorded", about, after=after)
    return taken


def _tell(here: Context, workspace_id: int, who: Identity, body: ConsentIn) -> ConsentTaken:
    if body.given_at > here.clock() + 60_000:
        raise Problem(400, "in_the_future", "Nobody can have said so after now.")
    said = sorted(body.purposes.items())
    text = f"{who.namespace}\x1f{who.value}\x1f{body.given_at}\x1f{said}\x1f{body.text_version}"
    answer = Answer(
        message_id=f"consent:{hashlib.sha256(text.encode()).hexdigest()}",
        who=who,
        purposes=dict(said),
        given_at=rfc3339(body.given_at),
        text_version=body.text_version,
        asked_where=body.asked_where,
    )
    position = here.door.answer(workspace_id, answer)
    if position is None:
        raise Problem(400, "unusable_identity", "Nobody can be known by this identity.")
    return ConsentTaken(position=position)


def _kinds(connection: Connection, workspace_id: int) -> dict[int, Source]:
    query = select(api_key.c.source_id, api_key.c.kind).where(
        api_key.c.workspace_id == workspace_id, api_key.c.kind.in_(("write", "server"))
    )
    ours: dict[int, Source] = {0: "product", -1: "link"}
    return ours | {row.source_id: row.kind for row in connection.execute(query)}


def _show(row: Row[Any], kinds: dict[int, Source]) -> ConsentEntryOut:
    return ConsentEntryOut(
        purpose=row.purpose,
        granted=row.granted,
        said_at=rfc3339(row.said_ms),
        text_version=row.text_version,
        asked_where=row.asked_where,
        source=kinds.get(row.source_id, "mailer" if row.source_id < 0 else "other"),
        answered=row.answered,
        asserted=row.asserted,
        objection=row.objection,
        objection_by=row.objection_by,
        event=bytes(row.event_id).hex(),
        recorded_at=rfc3339(row.recorded_ms),
    )
