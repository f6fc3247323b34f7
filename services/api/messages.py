"""Messages: a mailing, who gets it, and what stands in each recipient's merge fields."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import ConfigDict, Field
from sqlalchemy import Connection, Row, insert, select

from services.api.audit import note
from services.api.auth import Credential
from services.api.campaigns import find_campaign
from services.api.context import Context, Here
from services.api.cursors import next_rows, row_place
from services.api.idempotency import Once, OnceOnly
from services.api.needs import LinksWriter
from services.api.problem import Problem, described
from services.api.recipients import RECIPIENTS_MAX, Addressed, NoToken, RecipientIn, address
from services.api.said import Sending
from services.api.wire import Body, Cursor, Limit, Moment, Out, rfc3339, rfc3339_or_none
from services.contract.event import Channel
from services.contract.tables import campaign, message
from services.contract.token import Unsubscribe
from services.runtime.database import writing

router = APIRouter(prefix="/v1/messages", tags=["links"])

ONE_CLICK = "List-Unsubscribe=One-Click"
MessagePath = Annotated[str, Path(min_length=1, max_length=64, examples=["m_Zk3x-0Qa"])]
_RECIPIENT: dict[str, Any] = {"namespace": "user_id", "value": "4711"}


class RecipientsAdd(Body):
    """Who gets a mailing."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"recipients": [_RECIPIENT], "sent_at": "2026-11-02T09:00:00+01:00"}]
        }
    )
    recipients: list[RecipientIn] = Field(default=[], max_length=RECIPIENTS_MAX)
    sent_at: Moment | None = Field(
        default=None,
        description="Tells that they were sent it then. Left out: tell it yourself as `Email "
        "Sent`, or let your mailer's webhook do so.",
    )


class MessageCreate(RecipientsAdd):
    """A mailing, which may be one of a campaign's."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "November: the night shift",
                    "recipients": [
                        _RECIPIENT,
                        {
                            "namespace": "email",
                            "value": "noah@example.org",
                            "consent": {"measure": False},
                        },
                    ],
                }
            ]
        }
    )
    name: str = Field(min_length=1, max_length=200)
    campaign_id: str | None = Field(default=None, max_length=64, examples=[None])
    channel: Channel = "email"


class MessageRecipientOut(Out):
    """What goes into a recipient's merge fields."""

    namespace: str
    value: str
    token: str = Field(
        description="For links and pixel. Empty where they may not be followed: then their links "
        "carry nobody, and their mail has no pixel."
    )
    unsubscribe: str = Field(description="For the header, and for a visible link to unsubscribe.")
    unsubscribe_url: str
    list_unsubscribe: str = Field(description="The value of the header `List-Unsubscribe`.")
    reason: NoToken | None = Field(description="Why there is no token.")
    unsubscribed_at: str | None = Field(
        description="When they unsubscribed, where that is the last that we know. Mail them only "
        "if they agreed anew since."
    )


class MessageOut(Out):
    """A mailing."""

    id: str = Field(description="The `message_id` of links, and of whatever is told of it.")
    name: str
    campaign_id: str | None
    channel: Channel
    created_at: str


class AddressedOut(Out):
    """Recipients with their tokens."""

    recipients: list[MessageRecipientOut]
    list_unsubscribe_post: str = Field(
        default=ONE_CLICK, description="The value of the header `List-Unsubscribe-Post`."
    )
    position: str | None = Field(description="For `after` of reads; null where nothing was said.")


class MessageMadeOut(MessageOut, AddressedOut):
    """A mailing, with its first recipients."""


class MessagesOut(Out):
    """A page of mailings, the newest first."""

    messages: list[MessageOut]
    next: str | None


@router.post(
    "",
    status_code=201,
    summary="Register a mailing",
    responses=described(400, 401, 403, 404, 409, 413, 503),
)
def post_message(
    here: Here, credential: LinksWriter, body: MessageCreate, once: OnceOnly
) -> MessageMadeOut:
    """With recipients: a token each, but only for those who agreed to be measured.

    Who gets it is not kept here: what you tell to have sent becomes events, and follows only
    those who agreed.
    """
    with writing(here.engine).begin() as connection:
        made = once.made(connection, credential.workspace_id)
        row = (
            _create(connection, credential, body, here.clock(), once)
            if made is None
            else find_message(connection, credential.workspace_id, made)
        )
        shown = _show(row, _campaign_of(connection, row))
    added = _address(here, row, body)
    return MessageMadeOut(**shown.model_dump(), **added.model_dump())


@router.post(
    "/{message_id}/recipients",
    summary="Add recipients to a mailing",
    responses=described(400, 401, 403, 404, 413, 503),
)
def post_recipients(
    here: Here, credential: LinksWriter, message_id: MessagePath, body: RecipientsAdd
) -> AddressedOut:
    """The same recipient twice gets the same token, and is sent to once."""
    with here.engine.connect() as connection:
        row = find_message(connection, credential.workspace_id, message_id)
    return _address(here, row, body)


@router.get("", summary="Mailings", responses=described(400, 401, 403, 404, 503))
def list_messages(
    here: Here,
    credential: LinksWriter,
    campaign_id: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> MessagesOut:
    """The newest first, of one campaign or of all."""
    below = row_place(cursor, "messages", campaign_id)
    query = (
        select(message, campaign.c.public_id.label("campaign_public_id"))
        .outerjoin(campaign, campaign.c.id == message.c.campaign_id)
        .where(message.c.workspace_id == credential.workspace_id, message.c.id < below)
        .order_by(message.c.id.desc())
        .limit(limit + 1)
    )
    with here.engine.connect() as connection:
        if campaign_id is not None:
            found = find_campaign(connection, credential.workspace_id, campaign_id)
            query = query.where(message.c.campaign_id == found.id)
        rows = connection.execute(query).all()
    shown = [_show(row, row.campaign_public_id) for row in rows[:limit]]
    return MessagesOut(messages=shown, next=next_rows(rows, limit, "messages", campaign_id))


@router.get("/{message_id}", summary="A mailing", responses=described(400, 401, 403, 404, 503))
def get_message(here: Here, credential: LinksWriter, message_id: MessagePath) -> MessageOut:
    """What it is called and where it belongs. Its links: `/v1/links?message_id=`."""
    with here.engine.connect() as connection:
        row = find_message(connection, credential.workspace_id, message_id)
        return _show(row, _campaign_of(connection, row))


def find_message(connection: Connection, workspace_id: int, public_id: str) -> Row[Any]:
    """The row of a mailing.

    Raises:
        Problem: 404, there is none in this workspace.
    """
    query = select(message).where(
        message.c.workspace_id == workspace_id, message.c.public_id == public_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Problem(404, "not_found", "There is no mailing with this id in this workspace.")
    return row


def _create(
    connection: Connection,
    credential: Credential,
    body: MessageCreate,
    now_ms: int,
    once: Once,
) -> Row[Any]:
    workspace_id, belongs = credential.workspace_id, None
    if body.campaign_id is not None:
        belongs = find_campaign(connection, workspace_id, body.campaign_id).id
    # Short, for it stands in every link of the mail.
    public_id = f"m_{secrets.token_urlsafe(6)}"
    values = {
        "workspace_id": workspace_id,
        "public_id": public_id,
        "campaign_id": belongs,
        "name": body.name,
        "channel": body.channel,
        "created_ms": now_ms,
    }
    connection.execute(insert(message).values(values))
    once.remember(connection, workspace_id, public_id, now_ms)
    after = {"name": body.name, "channel": body.channel, "campaign": body.campaign_id}
    note(connection, workspace_id, credential.who, "mailing.made", public_id, now_ms, after=after)
    return find_message(connection, workspace_id, public_id)


def _campaign_of(connection: Connection, row: Row[Any]) -> str | None:
    query = select(campaign.c.public_id).where(
        campaign.c.workspace_id == row.workspace_id, campaign.c.id == row.campaign_id
    )
    return connection.execute(query).scalar_one_or_none()


def _show(row: Row[Any], campaign_id: str | None) -> MessageOut:
    return MessageOut(
        id=row.public_id,
        name=row.name,
        campaign_id=campaign_id,
        channel=row.channel,
        created_at=rfc3339(row.created_ms),
    )


def _address(here: Context, row: Row[Any], body: RecipientsAdd) -> AddressedOut:
    """Give recipients their tokens, and tell that they were sent the mailing if they were."""
    if not body.recipients:
        return AddressedOut(recipients=[], position=None)
    found = address(here, row.workspace_id, body.recipients)
    position = found.position
    if body.sent_at is not None:
        sending = Sending(row.public_id, row.channel, rfc3339(body.sent_at))
        people = [(one.person_token, one.recipient) for one in found.addressed]
        position = here.door.sent(row.workspace_id, sending, people) or position
    shown = []
    for one in found.addressed:
        wish = Unsubscribe(one.person_token, one.recipient is not None, row.public_id)
        token = "" if one.recipient is None else found.signer.recipient(one.recipient)
        shown.append(_recipient(here.public_url, one, token, found.signer.unsubscribe(wish)))
    return AddressedOut(recipients=shown, position=position)


def _recipient(
    public_url: str, one: Addressed, token: str, unsubscribe: str
) -> MessageRecipientOut:
    url = f"{public_url}/u/{unsubscribe}"
    return MessageRecipientOut(
        namespace=one.who.namespace,
        value=one.who.value,
        token=token,
        unsubscribe=unsubscribe,
        unsubscribe_url=url,
        list_unsubscribe=f"<{url}>",
        reason=one.reason,
        unsubscribed_at=rfc3339_or_none(one.unsubscribed_ms),
    )
