"""What another system knows of a person: told by their id there, or by ours."""

import hashlib
from typing import Annotated, Any, Literal
from uuid import uuid4

import msgspec
from fastapi import APIRouter, Path
from pydantic import BeforeValidator, ConfigDict, Field

from services.api.consent import ConsentIn
from services.api.context import Context, Here
from services.api.decisions import IdentityIn
from services.api.imports.known import agreed_of
from services.api.lawful import must_be_lawful
from services.api.needs import PersonsWriter
from services.api.people import find_person, identities_of, is_address, spelled, states_of
from services.api.person_view import IdentityOut
from services.api.problem import Problem, described
from services.api.wire import Body, Moment, Out, PersonPath, rfc3339
from services.contract.event import Identity, primary
from services.contract.spelling import NAMESPACE_PATTERN

router = APIRouter(prefix="/v1/persons", tags=["persons"])

ATTRIBUTES_MAX = 100
IDENTITIES_MAX = 5


def _one_value(value: object) -> object:
    """Hold that it is one, in one sentence: of a union every type says that it is another."""
    match value:
        case None | str() | bool() | int() | float():
            return value
        case list() if all(isinstance(one, str) for one in value):
            return value
    raise ValueError("give one text, number, true or false, or a list of texts")


Value = Annotated[
    str | int | float | bool | list[str] | None,
    BeforeValidator(_one_value),
]
Attributes = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=100)], Value],
    Field(
        max_length=ATTRIBUTES_MAX,
        description="Only those that are to change; null empties one.",
        examples=[{"region": "Utrecht", "skills": ["welding", "VCA"]}],
    ),
]


class AttributesIn(Body):
    """What is known of a person."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"attributes": {"region": "Utrecht"}}]}
    )
    attributes: Attributes = Field(default={})
    at: Moment | None = Field(
        default=None,
        description="Since when it is so; left out: now. What was told of a later moment stays, "
        "and the same of the same moment changes nothing.",
    )


class PersonIn(AttributesIn):
    """A person of another system."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "attributes": {"region": "Utrecht"},
                    "identities": [{"namespace": "email", "value": "anna@example.org"}],
                    "consent": {
                        "purposes": {"measure": True, "profile": True},
                        "given_at": "2026-03-01T10:00:00Z",
                        "text_version": "application form 2",
                    },
                }
            ]
        }
    )
    identities: list[IdentityIn] = Field(
        default=[],
        max_length=IDENTITIES_MAX,
        description="By what else the person is known there. They become one person's. One by "
        "which nobody can be known is left out alone, and the answer says so.",
    )
    consent: ConsentIn | None = Field(
        default=None, description="Needed for whoever has not agreed to be measured yet."
    )


class PersonTaken(Out):
    """It is on disk."""

    position: str = Field(description="For `after` of reads.")


class UnusableOut(IdentityOut):
    """An identity by which nobody can be known."""

    reason: Literal["empty", "not_an_address"]
    detail: str


class PersonPutOut(PersonTaken):
    """It is on disk, but for what nobody can be known by."""

    left_out: list[UnusableOut] = Field(description="Of `identities`; all else was taken.")


_UNUSABLE = {
    "empty": "There is nothing in it that could be kept.",
    "not_an_address": "This is no mail address: write it as anna@example.org.",
}


@router.put(
    "/{namespace}/{value:path}",  # ids of other systems may have a slash in them
    status_code=202,
    summary="Tell what another system knows of a person",
    responses=described(400, 401, 403, 409, 413, 503),
)
def put_person(
    here: Here,
    credential: PersonsWriter,
    namespace: Annotated[str, Path(pattern=NAMESPACE_PATTERN, examples=["carerix"])],
    value: Annotated[str, Path(min_length=1, max_length=254, examples=["C-4711"])],
    body: PersonIn,
) -> PersonPutOut:
    """Known or not: a new person begins with it. It may be sent again as often as you like.

    Without consent, given here or before, nothing is kept: 409.
    """
    own = spelled(namespace, value)
    if _unusable(own) is not None:
        raise _nobodys()
    others = [spelled(one.namespace, one.value) for one in body.identities]
    named = tuple(dict.fromkeys([own, *(one for one in others if _unusable(one) is None)]))
    if body.consent is None:
        consent = _known_consent(here, credential.workspace_id, named)
    else:
        consent = _given_consent(here, body.consent)
    position = _tell(here, credential.workspace_id, named, body, consent)
    return PersonPutOut(position=position, left_out=_left_out(body.identities))


@router.patch(
    "/{person_id}",
    status_code=202,
    summary="Change attributes of a person",
    responses=described(307, 400, 401, 403, 404, 409, 413, 503),
)
def patch_person(
    here: Here, credential: PersonsWriter, person_id: PersonPath, body: AttributesIn
) -> PersonTaken:
    """Those that are named; all others stay."""
    workspace_id = credential.workspace_id
    with here.engine.connect() as connection:
        row = find_person(connection, workspace_id, person_id)
        known = identities_of(connection, workspace_id, [row.id])[row.id]
        state = states_of(connection, workspace_id, [row.id]).get(row.id)
    if state is None or not state.measure or not known:
        raise _nobody()
    said = {"measure": True, **({"profile": True} if state.profile else {})}
    consent = {"categoryPreferences": said}
    who = (primary(tuple(known)),)
    return PersonTaken(position=_tell(here, workspace_id, who, body, consent))


def _unusable(one: Identity) -> Literal["empty", "not_an_address"] | None:
    """Why nobody can be known by an identity, which the tracker would leave out unsaid."""
    if not any(letter.isprintable() and letter != " " for letter in one.value):
        return "empty"
    if one.namespace == "email" and not is_address(one.value):
        return "not_an_address"
    return None


def _left_out(named: list[IdentityIn]) -> list[UnusableOut]:
    found = ((one, _unusable(spelled(one.namespace, one.value))) for one in named)
    return [
        UnusableOut(
            namespace=one.namespace, value=one.value, reason=reason, detail=_UNUSABLE[reason]
        )
        for one, reason in found
        if reason is not None
    ]


def _known_consent(here: Context, workspace_id: int, who: tuple[Identity, ...]) -> dict[str, Any]:
    with here.engine.connect() as connection:
        known = agreed_of(connection, workspace_id, who)
    agreed = next((known[one] for one in who if one in known), None)
    if agreed is None or agreed.measure_ms is None:
        raise _nobody()
    said = {"measure": True, **({"profile": True} if agreed.profile_ms is not None else {})}
    return {"categoryPreferences": said}


def _given_consent(here: Context, given: ConsentIn) -> dict[str, Any]:
    if given.given_at > here.clock() + 60_000:
        raise Problem(400, "in_the_future", "Nobody can have said so after now.")
    if not given.purposes.get("measure"):
        raise _nobody()
    return {
        "categoryPreferences": dict(sorted(given.purposes.items())),
        "givenAt": rfc3339(given.given_at),
        "textVersion": given.text_version,
        **({"askedWhere": given.asked_where} if given.asked_where else {}),
    }


def _nobody() -> Problem:
    text = (
        "Nothing is kept of somebody who has not agreed to be measured: say in `consent` what "
        "they agreed to. A withdrawal is told to /v1/consent."
    )
    return Problem(409, "no_consent", text)


def _tell(
    here: Context,
    workspace_id: int,
    who: tuple[Identity, ...],
    body: AttributesIn,
    consent: dict[str, Any],
) -> str:
    """The position of what was told."""
    must_be_lawful(body.attributes)
    listed = [{"type": one.namespace, "id": one.value, "collection": "users"} for one in who]
    call: dict[str, Any] = {
        "type": "identify",
        "traits": body.attributes,
        "context": {"externalIds": listed, "consent": consent},
    }
    message_id = uuid4().hex
    if body.at is not None:
        if body.at > here.clock() + 60_000:
            raise Problem(400, "in_the_future", "`at` lies ahead.")
        call["timestamp"] = rfc3339(body.at)
        message_id = hashlib.sha256(msgspec.json.encode(call, order="deterministic")).hexdigest()
    call["messageId"] = f"upsert:{message_id}"
    told = here.door.tell(workspace_id, [call])
    result = told.results[call["messageId"]]
    if result["status"] == "refused":
        raise Problem(413, "too_large", "What is told of a person has at most 32,768 bytes.")
    if result.get("reason") == "no_identity":
        raise _nobodys()
    if result.get("reason") == "withdrawn":
        text = "They took consent back, or were erased, after `given_at`: only a later yes counts."
        raise Problem(409, "no_consent", text)
    if told.position is None:
        raise _nobody()
    return told.position


def _nobodys() -> Problem:
    return Problem(400, "unusable_identity", "Nobody can be known by this identity.")
