"""Tracked links: a target becomes a signed link, the same for all or one per recipient."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import ConfigDict, Field, field_validator, model_validator
from sqlalchemy import Connection, Row

from services.api.context import Here
from services.api.cursors import next_rows, row_place
from services.api.link_secrets import Signer
from services.api.link_store import find_link, keep_links, links_page
from services.api.messages import find_message
from services.api.needs import LinksWriter
from services.api.problem import Problem, described
from services.api.qr import qr_svg
from services.api.recipients import RECIPIENTS_MAX, Addressed, NoToken, RecipientIn, address
from services.api.rewriting import is_smart, with_utm
from services.api.wire import Body, Cursor, Limit, Moment, Out, rfc3339, rfc3339_or_none
from services.contract.event import Channel, content_type_of
from services.contract.token import Link, is_safe_target
from services.contract.token_wire import TOKEN_LENGTH_MAX
from services.runtime.database import writing

router = APIRouter(prefix="/v1", tags=["links"])

LinkPath = Annotated[str, Path(min_length=1, max_length=64, examples=["l_5f0c1b9a2d3e4f50"])]
_UTM = Field(default=None, min_length=1, max_length=100)


class Utm(Body):
    """Parameters that are added to a target, unless it has them."""

    source: str | None = _UTM
    medium: str | None = _UTM
    campaign: str | None = _UTM
    content: str | None = _UTM
    term: str | None = _UTM

    def parameters(self) -> dict[str, str]:
        """By their names in the address."""
        return {f"utm_{name}": value for name, value in self.model_dump(exclude_none=True).items()}


class About(Body):
    """What links and pixel are about."""

    message_id: str | None = Field(default=None, max_length=64, description="From `/v1/messages`.")
    campaign_id: str | None = Field(
        default=None, max_length=200, description="Instead: your own name for the mailing."
    )
    channel: Channel = "email"
    utm: Utm | None = None
    expires_at: Moment | None = Field(
        default=None, description="From then on a page says that it ended. Left out: never."
    )

    @model_validator(mode="after")
    def _one_mailing(self) -> "About":
        if self.message_id is not None and self.campaign_id is not None:
            raise ValueError("give message_id or campaign_id, not both")
        return self

    def mailing(self, connection: Connection, workspace_id: int) -> str | None:
        """What links carry of it.

        Raises:
            Problem: 404, there is no such message.
        """
        if self.message_id is not None:
            find_message(connection, workspace_id, self.message_id)
        return self.message_id or self.campaign_id


class LinkCreate(About):
    """Where a click goes and what it is about."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "target": "https://werkenbij.example.org/verhalen/nachtdienst",
                    "campaign_id": "2026-11-verhalen",
                    "content_id": "nachtdienst",
                    "content_type": "story",
                    "utm": {"source": "newsletter", "medium": "email"},
                    "recipients": [{"namespace": "user_id", "value": "4711"}],
                }
            ]
        }
    )
    target: str = Field(min_length=1, max_length=2000, description="An http or https address.")
    content_id: str | None = Field(
        default=None,
        max_length=200,
        description="What the target is about. Not of a smart link: it leads to an item of each "
        "person's own, and a click counts as having seen this one.",
    )
    content_type: str | None = Field(default=None, max_length=100)
    qr: bool = Field(default=False, description="Whether the answer has the QR code as well.")
    recipients: list[RecipientIn] = Field(default=[], max_length=RECIPIENTS_MAX)

    @field_validator("content_type")
    @classmethod
    def _plain(cls, told: str | None) -> str | None:
        return None if told is None else content_type_of(told) or None

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
    reason: NoToken | None


class LinkOut(Out):
    """A signed link."""

    id: str
    token: str
    url: str = Field(description="The same for everybody; `{url}.{token}` for a recipient.")
    target: str
    mailing: str | None = Field(description="Its `message_id`, or your own name for it.")
    content_id: str | None
    content_type: str | None
    channel: Channel
    expires_at: str | None
    created_at: str


class LinkMadeOut(LinkOut):
    """A new link, or the same as before: asked for twice it is made once."""

    qr: str | None = Field(description="SVG, where it was asked for.")
    recipients: list[RecipientOut]
    position: str | None = Field(description="For `after` of reads; null where nothing was said.")


class LinksOut(Out):
    """A page of links, the newest first."""

    links: list[LinkOut]
    next: str | None


@router.post(
    "/links",
    status_code=201,
    summary="Make a tracked link",
    responses=described(400, 401, 403, 404, 413, 503),
)
def post_link(here: Here, credential: LinksWriter, body: LinkCreate) -> LinkMadeOut:
    """With recipients: a token each, but only for whom we know agreed to be measured.

    With the channel `meeting`, following it is attending: print it as a QR code at the door.
    """
    if body.content_id and is_smart(body.target, here.public_url):
        text = (
            "content_id: leave it out of a smart link. It leads each person to their own next "
            "item, and whoever clicked would count as having seen this one, and never be led to it."
        )
        raise Problem(400, "invalid", text)
    workspace_id = credential.workspace_id
    found = address(here, workspace_id, body.recipients)
    target = with_utm(body.target, body.utm.parameters() if body.utm else {})
    with writing(here.engine).begin() as connection:
        mailing = body.mailing(connection, workspace_id)
        about = (mailing, body.content_id, body.content_type, body.channel)
        link, pixel = Link(target, *about, body.expires_at), Link("", *about)
        token = found.signer.link(link)
        if len(token) > TOKEN_LENGTH_MAX - 100:
            raise Problem(400, "link_too_long", "The target and what it is about are too long.")
        row = keep_links(connection, workspace_id, {token: link}, here.clock())[token]
    shown = show_link(here.public_url, row)
    pixel_url = f"{here.public_url}/o/{found.signer.link(pixel)}"
    return LinkMadeOut(
        **shown.model_dump(),
        qr=qr_svg(shown.url) if body.qr else None,
        recipients=[_recipient(one, found.signer, shown.url, pixel_url) for one in found.addressed],
        position=found.position,
    )


@router.get("/links", summary="Links", responses=described(400, 401, 403, 503))
def list_links(
    here: Here,
    credential: LinksWriter,
    message_id: Annotated[
        str | None, Query(max_length=200, description="Or the `campaign_id` they were made with.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> LinksOut:
    """The newest first, of one mailing or of all."""
    below = row_place(cursor, "links", message_id)
    with here.engine.connect() as connection:
        rows = links_page(connection, credential.workspace_id, message_id, below, limit + 1)
    shown = [show_link(here.public_url, row) for row in rows[:limit]]
    return LinksOut(links=shown, next=next_rows(rows, limit, "links", message_id))


@router.get("/links/{link_id}", summary="A link", responses=described(400, 401, 403, 404, 503))
def get_link(here: Here, credential: LinksWriter, link_id: LinkPath) -> LinkOut:
    """Where it goes and what it is about."""
    with here.engine.connect() as connection:
        return show_link(here.public_url, find_link(connection, credential.workspace_id, link_id))


@router.get(
    "/links/{link_id}/qr",
    summary="A link's QR code",
    response_class=Response,
    responses={
        200: {
            "description": "The picture.",
            "content": {"image/svg+xml": {"schema": {"type": "string"}}},
        },
        **described(400, 401, 403, 404, 503),
    },
)
def get_qr(
    here: Here,
    credential: LinksWriter,
    link_id: LinkPath,
    token: Annotated[
        str | None,
        Query(
            pattern="^[A-Za-z0-9_-]{20,60}$",
            description="A recipient's token: the code is theirs alone.",
        ),
    ] = None,
    scale: Annotated[int, Query(ge=1, le=50, description="Pixels of a module's side.")] = 8,
) -> Response:
    """As SVG, to print at any size."""
    with here.engine.connect() as connection:
        row = find_link(connection, credential.workspace_id, link_id)
    url = f"{here.public_url}/c/{row.token}" + (f".{token}" if token else "")
    return Response(qr_svg(url, scale), media_type="image/svg+xml")


def show_link(public_url: str, row: Row[Any]) -> LinkOut:
    """A stored link."""
    return LinkOut(
        id=row.public_id,
        token=row.token,
        url=f"{public_url}/c/{row.token}",
        target=row.target,
        mailing=row.mailing,
        content_id=row.content_id,
        content_type=row.content_type,
        channel=row.channel,
        expires_at=rfc3339_or_none(row.expires_ms),
        created_at=rfc3339(row.created_ms),
    )


def _recipient(one: Addressed, signer: Signer, url: str, pixel_url: str) -> RecipientOut:
    token = None if one.recipient is None else signer.recipient(one.recipient)
    return RecipientOut(
        namespace=one.who.namespace,
        value=one.who.value,
        token=token,
        url=f"{url}.{token}" if token else url,
        pixel=f"{pixel_url}.{token}.gif" if token else None,
        reason=one.reason,
    )
