"""A mail's HTML in; the same HTML with tracked links and a pixel out."""

from typing import Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field, model_validator

from services.api.context import Here
from services.api.link_secrets import signer_of
from services.api.link_store import keep_links
from services.api.links import About, LinkOut, show_link
from services.api.mailers import MERGE_FIELDS, Mailer, MergeFields
from services.api.messages import ONE_CLICK
from services.api.needs import LinksWriter
from services.api.problem import Problem, described
from services.api.rewriting import (
    LINKS_MAX,
    Left,
    LeftReason,
    Place,
    Reading,
    put_in,
    read_mail,
    with_utm,
)
from services.api.wire import Body, Out
from services.contract.token import Link
from services.contract.token_wire import TOKEN_LENGTH_MAX
from services.runtime.database import writing

router = APIRouter(prefix="/v1", tags=["links"])

HTML_LENGTH_MAX = 500_000

WarningCode = Literal[
    "merge_field_link",
    "relative_link",
    "unsafe_link",
    "smart_link_content",
    "pixel_for_all",
    "pixel_present",
    "no_links",
]
_WORDS: dict[LeftReason, tuple[WarningCode, str]] = {
    "merge_field": ("merge_field_link", "Only your mailer knows where this goes, so it is left"),
    "relative": ("relative_link", "This has no host, so nobody can follow it out of a mail"),
    "unsafe": ("unsafe_link", "A browser may read this otherwise than it looks, so it is left"),
}


class Merge(Body):
    """The merge fields of any other mailer."""

    token: str = Field(
        min_length=1,
        max_length=100,
        pattern=r"^[^\"'\r\n]+$",
        examples=["[[ktoken]]"],
        description="Is replaced by a recipient's token, or by nothing.",
    )
    pixel_if: str = Field(default="", max_length=200, description="Before what needs a token.")
    pixel_end: str = Field(default="", max_length=200, description="After it.")
    unsubscribe: str | None = Field(
        default=None,
        max_length=100,
        pattern=r"^[^\"'\r\n]+$",
        description="Is replaced by a recipient's token to unsubscribe.",
    )


class RewriteIn(About):
    """A mail before it goes to the mailer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "html": '<body><a href="https://werkenbij.example.org/nacht" '
                    'data-content-id="nacht" data-content-type="story">Nights</a></body>',
                    "mailer": "sendgrid",
                    "campaign_id": "2026-11-verhalen",
                }
            ]
        }
    )
    html: str = Field(max_length=HTML_LENGTH_MAX)
    mailer: Mailer | None = Field(default=None, description="Whose merge fields are used.")
    merge: Merge | None = Field(default=None, description="Instead: those of another mailer.")
    pixel: bool = Field(default=True, description="Whether to measure opens.")

    @model_validator(mode="after")
    def _one_syntax(self) -> "RewriteIn":
        if (self.mailer is None) == (self.merge is None):
            raise ValueError("give either mailer or merge")
        return self

    def fields(self) -> MergeFields:
        """The merge fields."""
        if self.mailer is not None:
            return MERGE_FIELDS[self.mailer]
        assert self.merge is not None  # noqa: S101  validated
        merge = self.merge
        return MergeFields(merge.token, merge.pixel_if, merge.pixel_end, merge.unsubscribe or "")


class LeftOut(Out):
    """A link that was left alone."""

    url: str
    reason: LeftReason


class WarningOut(Out):
    """Something to look at."""

    code: WarningCode
    detail: str


class RewriteOut(Out):
    """The mail for the mailer."""

    html: str
    links: list[LinkOut] = Field(description="All links in it, each once.")
    pixel: str | None = Field(description="What was put in before the end of the body.")
    left: list[LeftOut]
    warnings: list[WarningOut]
    headers: dict[str, str] = Field(
        description="For unsubscribing by one click, with the merge field in them; empty where "
        "`merge` names none."
    )


@router.post(
    "/rewrite",
    summary="Put tracked links and a pixel into a mail",
    responses=described(400, 401, 403, 404, 413, 503),
)
def post_rewrite(here: Here, credential: LinksWriter, body: RewriteIn) -> RewriteOut:
    """Every http and https link becomes a tracked one, with one merge field for the recipient.

    Left alone: what is no web address, links to unsubscribe, links with
    `data-kentering="off"`, links that are tracked already, and those that hold a merge field.
    `data-content-id` and `data-content-type` of a link say what it is about; a smart link is about
    other content for each person, so its `data-content-id` does not count. Nothing else of the mail
    changes, to the byte.
    """
    reading = read_mail(body.html, here.public_url)
    if len(reading.places) > LINKS_MAX:
        raise Problem(400, "too_many_links", f"A mail has at most {LINKS_MAX} links.")
    fields, utm = body.fields(), body.utm.parameters() if body.utm else {}
    with writing(here.engine).begin() as connection:
        workspace_id = credential.workspace_id
        signer = signer_of(connection, workspace_id, here.clock())
        mailing = body.mailing(connection, workspace_id)
        links = {
            place: Link(
                with_utm(place.target, utm),
                mailing,
                None if place.is_smart else place.content_id,
                place.content_type,
                body.channel,
                body.expires_at,
            )
            for place in reading.places
        }
        tokens = {link: signer.link(link) for link in links.values()}
        if any(len(token) > TOKEN_LENGTH_MAX - 100 for token in tokens.values()):
            raise Problem(400, "link_too_long", "A link of the mail is too long.")
        made = {token: link for link, token in tokens.items()}
        rows = keep_links(connection, workspace_id, made, here.clock())
    pixel = None
    if body.pixel and not reading.has_pixel:
        token = signer.link(Link("", mailing, channel=body.channel))
        pixel = _pixel(f"{here.public_url}/o/{token}.{fields.token}.gif", fields)

    def url_of(place: Place) -> str:
        return f"{here.public_url}/c/{tokens[links[place]]}.{fields.token}"

    return RewriteOut(
        html=put_in(body.html, reading, url_of, pixel),
        links=[show_link(here.public_url, rows[token]) for token in made],
        pixel=pixel,
        left=[LeftOut(url=one.url, reason=one.reason) for one in reading.left],
        warnings=_warnings(reading, body.pixel, fields),
        headers=_headers(here.public_url, fields),
    )


def _pixel(url: str, fields: MergeFields) -> str:
    image = f'<img src="{url}" width="1" height="1" alt="" style="display:block;border:0">'
    return f"{fields.pixel_if}{image}{fields.pixel_end}"


def _headers(public_url: str, fields: MergeFields) -> dict[str, str]:
    if not fields.unsubscribe:
        return {}
    url = f"{public_url}/u/{fields.unsubscribe}"
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": ONE_CLICK}


def _warnings(reading: Reading, wanted: bool, fields: MergeFields) -> list[WarningOut]:  # noqa: FBT001
    found = [_warning(left) for left in reading.left if left.reason in _WORDS]
    smart = (place for place in reading.places if place.is_smart and place.content_id)
    found += [_of_smart(place) for place in smart]
    if not reading.places:
        found.append(WarningOut(code="no_links", detail="There was no link to track."))
    if wanted and reading.has_pixel:
        text = "The mail has our pixel already, so no other was put in."
        found.append(WarningOut(code="pixel_present", detail=text))
    elif wanted and not fields.pixel_if:
        text = (
            "Without pixel_if all get the pixel, those without a token too: send them the mail "
            "rewritten with pixel=false."
        )
        found.append(WarningOut(code="pixel_for_all", detail=text))
    return found


def _warning(left: Left) -> WarningOut:
    code, words = _WORDS[left.reason]
    return WarningOut(code=code, detail=f"{words}: {left.url[:200]}")


def _of_smart(place: Place) -> WarningOut:
    text = (
        "A smart link leads each person to their own next item, so its data-content-id does not "
        f"count: {place.target[:200]}"
    )
    return WarningOut(code="smart_link_content", detail=text)
