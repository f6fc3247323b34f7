"""Tracked links: a target becomes a signed link, the same for all or one per recipient."""

from typing import Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field, field_validator
from sqlalchemy import Connection, and_, or_, select

from services.api.context import Here
from services.api.door import Tie
from services.api.needs import LinksWriter
from services.api.people import spelled, states_of
from services.api.problem import Problem, described
from services.api.wire import Body, Out
from services.contract.event import Channel, Identity
from services.contract.tables import identity, link_secret
from services.contract.token import (
    Link,
    Recipient,
    is_safe_target,
    person_token_of,
    sign_link,
    sign_recipient,
)
from services.contract.token_wire import TOKEN_LENGTH_MAX
from services.contract.vault import lookup_value
from services.model.state import PersonState

router = APIRouter(prefix="/v1", tags=["links"])

RECIPIENTS_MAX = 1000
_LOOKED_UP_AT_ONCE = 200


class RecipientIn(Body):
    """Somebody who will get the mail."""

    namespace: str = Field(pattern="^[a-z0-9][a-z0-9_.-]{0,63}$", examples=["user_id"])
    value: str = Field(min_length=1, max_length=254, examples=["4711"])


class LinkCreate(Body):
    """Where a click goes and what it is about."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "target": "https://werkenbij.example.org/verhalen/nachtdienst",
                    "campaign_id": "2026-11-verhalen",
                    "content_id": "nachtdienst",
                    "content_type": "story",
                    "recipients": [{"namespace": "user_id", "value": "4711"}],
                }
            ]
        }
    )
    target: str = Field(min_length=1, max_length=2000, description="An http or https address.")
    campaign_id: str | None = Field(default=None, max_length=200, description="The mailing.")
    content_id: str | None = Field(default=None, max_length=200)
    content_type: str | None = Field(default=None, max_length=100)
    channel: Channel = "email"
    recipients: list[RecipientIn] = Field(default=[], max_length=RECIPIENTS_MAX)

    @field_validator("target")
    @classmethod
    def _safe(cls, target: str) -> str:
        if not is_safe_target(target):
            raise ValueError("not an http or https address that a browser follows as it reads")
        return target


class RecipientOut(Out):
    """A recipient's own token, or why there is none: then use the link without."""

    namespace: str
    value: str
    token: str | None = Field(description="Put it behind the link and a dot, by a merge field.")
    url: str
    pixel: str | None
    reason: Literal["unknown_person", "no_consent"] | None


class LinkOut(Out):
    """A signed link. It never expires."""

    token: str
    url: str = Field(description="The same for everybody; `{url}.{token}` for a recipient.")
    recipients: list[RecipientOut]
    position: str | None = Field(description="For `after` of reads; null where nothing was said.")


@router.post(
    "/links",
    status_code=201,
    summary="Make a tracked link",
    responses=described(400, 401, 403, 413, 503),
)
def post_link(here: Here, credential: LinksWriter, body: LinkCreate) -> LinkOut:
    """With recipients: a token each, but only for whom we know agreed to be measured."""
    workspace_id = credential.workspace_id
    asked = list(dict.fromkeys(spelled(r.namespace, r.value) for r in body.recipients))
    with here.engine.connect() as connection:
        number, secret = _newest_secret(connection, workspace_id)
        states = _states_by_identity(connection, workspace_id, asked)
    ties = [_tie(who, states[who], secret) for who in asked if who in states]
    ties = [tie for tie in ties if tie.measure]
    position = here.door.tie(workspace_id, ties) if ties else None
    about = (body.campaign_id, body.content_id, body.content_type, body.channel)
    link = sign_link(Link(body.target, *about), workspace_id, number, secret)
    pixel = sign_link(Link("", *about), workspace_id, number, secret)
    if len(link) > TOKEN_LENGTH_MAX - 100:
        raise Problem(400, "link_too_long", "The target and what it is about are too long.")
    tokens = {
        tie.known: sign_recipient(
            Recipient(tie.token.value, tie.measure, tie.profile), workspace_id, number, secret
        )
        for tie in ties
    }
    return LinkOut(
        token=link,
        url=f"{here.public_url}/c/{link}",
        recipients=[
            _show(here.public_url, who, link, pixel, tokens.get(who), known=who in states)
            for who in asked
        ],
        position=position,
    )


def _newest_secret(connection: Connection, workspace_id: int) -> tuple[int, bytes]:
    query = (
        select(link_secret.c.number, link_secret.c.secret)
        .where(link_secret.c.workspace_id == workspace_id)
        .order_by(link_secret.c.number.desc())
        .limit(1)
    )
    row = connection.execute(query).one()
    return row.number, row.secret


def _states_by_identity(
    connection: Connection, workspace_id: int, asked: list[Identity]
) -> dict[Identity, PersonState]:
    """The state of the person behind each identity that we know."""
    persons: dict[Identity, int] = {}
    for i in range(0, len(asked), _LOOKED_UP_AT_ONCE):
        by_stored = {(w.namespace, lookup_value(w)): w for w in asked[i : i + _LOOKED_UP_AT_ONCE]}
        query = select(identity.c.namespace, identity.c.value, identity.c.person_id).where(
            identity.c.workspace_id == workspace_id,
            identity.c.person_id.is_not(None),
            or_(
                *(
                    and_(identity.c.namespace == namespace, identity.c.value == value)
                    for namespace, value in by_stored
                )
            ),
        )
        for row in connection.execute(query):
            persons[by_stored[row.namespace, row.value]] = row.person_id
    states = states_of(connection, workspace_id, persons.values())
    return {who: states[person] for who, person in persons.items() if person in states}


def _tie(who: Identity, state: PersonState, secret: bytes) -> Tie:
    token = person_token_of(who.namespace, who.value, secret)
    return Tie(who, Identity("person_token", token), state.measure, state.profile)


def _show(
    public_url: str, who: Identity, link: str, pixel: str, token: str | None, *, known: bool
) -> RecipientOut:
    if token is None:
        return RecipientOut(
            namespace=who.namespace,
            value=who.value,
            token=None,
            url=f"{public_url}/c/{link}",
            pixel=None,
            reason="no_consent" if known else "unknown_person",
        )
    return RecipientOut(
        namespace=who.namespace,
        value=who.value,
        token=token,
        url=f"{public_url}/c/{link}.{token}",
        pixel=f"{public_url}/o/{pixel}.{token}.gif",
        reason=None,
    )
