"""The catalogue: what an employer publishes, and what each item is for."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Response
from pydantic import ConfigDict, Field, field_validator
from sqlalchemy import Connection, Row, delete, func, select

from services.api.audit import note
from services.api.auth import Credential
from services.api.conditional import TAGGED, IfMatch, must_match, tag_of, tell_tag
from services.api.content_store import find_content, hold_item, store_item
from services.api.context import Context, Here
from services.api.cursors import next_rows, row_place
from services.api.lawful import must_be_lawful
from services.api.needs import ContentReader, ContentWriter
from services.api.problem import described
from services.api.wire import Body, Cursor, Limit, Moment, Out, rfc3339_or_none
from services.contract.event import content_type_of
from services.contract.phases import Phase
from services.contract.tables import content, workspace
from services.contract.token import is_safe_target
from services.runtime.database import writing

router = APIRouter(prefix="/v1/content", tags=["content"])

ContentPath = Annotated[
    str,
    Path(min_length=1, max_length=200, pattern="^[^/\\x00]+$", examples=["nachtdienst"]),
]
_Topic = Annotated[str, Field(min_length=1, max_length=200)]
_Word = Field(default=None, min_length=1, max_length=100)


class ContentEdit(Body):
    """What an item is and what it is for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "content_type": "story",
                    "title": "A night at the switching station",
                    "url": "https://werkenbij.example.org/verhalen/nachtdienst",
                    "topics": ["energy", "night work"],
                    "phase": "see",
                    "format": "video",
                    "serves": "behind the scenes",
                    "cell": "operator-technician/energy transition",
                }
            ]
        }
    )
    content_type: str = Field(
        min_length=1,
        max_length=100,
        description="`vacancy`, `story`, `podcast`, `meeting`, …; `Vacancy` is `vacancy`.",
    )
    title: str = Field(min_length=1, max_length=500)
    url: str | None = Field(
        default=None, max_length=2000, description="Where it stands; without, nobody is led to it."
    )
    topics: list[_Topic] = Field(default=[], max_length=20)
    phase: Phase | None = Field(default=None, description="The phase it is for. Null: all of them.")
    format: str | None = _Word
    serves: str | None = Field(
        default=None, min_length=1, max_length=100, description="The question that it answers."
    )
    cell: str | None = Field(
        default=None, min_length=1, max_length=200, description="Of your conversations matrix."
    )
    published_at: Moment | None = Field(
        default=None, description="Not offered before. Left out: at once."
    )
    closes_at: Moment | None = Field(default=None, description="Not offered from then on.")

    @field_validator("content_type")
    @classmethod
    def _plain(cls, told: str) -> str:
        plain = content_type_of(told)
        if not plain:
            raise ValueError("it has nothing but blanks")
        return plain

    @field_validator("url")
    @classmethod
    def _safe(cls, url: str | None) -> str | None:
        if url is not None and not is_safe_target(url):
            raise ValueError("not an http or https address that a browser follows as it reads")
        return url


class ContentOut(Out):
    """An item."""

    content_id: str
    content_type: str
    title: str
    url: str | None
    topics: list[str]
    phase: Phase | None
    format: str | None
    serves: str | None
    cell: str | None
    published_at: str | None
    closes_at: str | None


class CatalogueOut(ContentOut):
    """An item of the catalogue."""

    smart_url: str = Field(
        description="As the target of a tracked link it leads each person to their own next item, "
        "and whoever is not known to this one."
    )


class ContentsOut(Out):
    """A page of the catalogue, the newest first."""

    content: list[CatalogueOut]
    next: str | None


@router.get("", summary="The catalogue", responses=described(400, 401, 403, 503))
def list_content(
    here: Here,
    credential: ContentReader,
    content_type: Annotated[str | None, Query(max_length=100)] = None,
    phase: Phase | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> ContentsOut:
    """The newest first, of one type or phase or of all."""
    below = row_place(cursor, "content", content_type, phase)
    query = (
        select(content)
        .where(content.c.workspace_id == credential.workspace_id, content.c.id < below)
        .order_by(content.c.id.desc())
        .limit(limit + 1)
    )
    if content_type is not None:
        query = query.where(func.lower(content.c.kind) == content_type_of(content_type))
    if phase is not None:
        query = query.where(content.c.phase == phase)
    with here.engine.connect() as connection:
        rows = connection.execute(query).all()
        smart = _smart(connection, here, credential.workspace_id)
    following = next_rows(rows, limit, "content", content_type, phase)
    return ContentsOut(content=[_show(row, smart) for row in rows[:limit]], next=following)


@router.get(
    "/{content_id}",
    summary="An item",
    responses={200: TAGGED, **described(400, 401, 403, 404, 503)},
)
def get_content(
    here: Here, credential: ContentReader, content_id: ContentPath, response: Response
) -> CatalogueOut:
    """What it is for."""
    with here.engine.connect() as connection:
        row = find_content(connection, credential.workspace_id, content_id)
        smart = _smart(connection, here, credential.workspace_id)
    tell_tag(response, _tag(row))
    return _show(row, smart)


@router.put(
    "/{content_id}",
    summary="Put an item in the catalogue",
    responses={
        200: TAGGED,
        201: {"description": "It was not there before.", "model": CatalogueOut, **TAGGED},
        **described(400, 401, 403, 409, 412, 413, 503),
    },
)
def put_content(
    here: Here,
    credential: ContentWriter,
    content_id: ContentPath,
    body: ContentEdit,
    response: Response,
    if_match: IfMatch = None,
) -> CatalogueOut:
    """The same id is what events carry as their `content_id`. Sent again it changes nothing."""
    workspace_id = credential.workspace_id
    must_be_lawful(topics=body.topics)
    with writing(here.engine).begin() as connection:
        there = hold_item(connection, workspace_id, content_id)
        must_match(if_match, None if there is None else _tag(there))
        if there is None:
            response.status_code = 201
        store_item(connection, workspace_id, content_id, there, _values(body), here.clock())
        row = find_content(connection, workspace_id, content_id)
        _note(connection, credential, content_id, here.clock(), there, row)
        smart = _smart(connection, here, workspace_id)
    tell_tag(response, _tag(row))
    return _show(row, smart)


@router.delete(
    "/{content_id}",
    status_code=204,
    summary="Take an item out of the catalogue",
    responses=described(400, 401, 403, 404, 412, 503),
)
def remove_content(
    here: Here, credential: ContentWriter, content_id: ContentPath, if_match: IfMatch = None
) -> None:
    """It is offered no more; what people did with it stays."""
    workspace_id = credential.workspace_id
    with writing(here.engine).begin() as connection:
        hold_item(connection, workspace_id, content_id)
        row = find_content(connection, workspace_id, content_id)
        must_match(if_match, _tag(row))
        _note(connection, credential, content_id, here.clock(), row, None)
        connection.execute(
            delete(content).where(content.c.workspace_id == workspace_id, content.c.id == row.id)
        )


def show_content(row: Row[Any]) -> ContentOut:
    """A stored item."""
    return ContentOut(
        content_id=row.content_id,
        content_type=content_type_of(row.kind),
        title=row.title,
        url=row.address,
        topics=row.topics,
        phase=row.phase,
        format=row.format,
        serves=row.serves,
        cell=row.cell,
        published_at=rfc3339_or_none(row.published_ms),
        closes_at=rfc3339_or_none(row.closes_ms),
    )


def _note(
    connection: Connection,
    credential: Credential,
    content_id: str,
    now_ms: int,
    before: Row[Any] | None,
    after: Row[Any] | None,
) -> None:
    """Let the audit tell of what became different; nothing where nothing did."""
    was, now = (
        None if row is None else show_content(row).model_dump(exclude={"content_id"})
        for row in (before, after)
    )
    if was == now:
        return
    what = "content.put" if was is None else "content.edited" if now else "content.removed"
    who, workspace_id = credential.who, credential.workspace_id
    note(connection, workspace_id, who, what, content_id, now_ms, before=was, after=now)


def _show(row: Row[Any], smart: str) -> CatalogueOut:
    return CatalogueOut(
        **show_content(row).model_dump(), smart_url=f"{smart}/{quote(row.content_id, safe='')}"
    )


def _smart(connection: Connection, here: Context, workspace_id: int) -> str:
    """What every smart address of a workspace begins with."""
    query = select(workspace.c.public_id).where(workspace.c.id == workspace_id)
    return f"{here.public_url}/n/{connection.execute(query).scalar_one()}"


def _values(item: ContentEdit) -> dict[str, Any]:
    values = item.model_dump(exclude={"content_type", "url", "published_at", "closes_at"})
    return values | {
        "kind": item.content_type,
        "address": item.url,
        "published_ms": item.published_at,
        "closes_ms": item.closes_at,
        "feed": None,  # whose it was would else take it back at its next run
    }


def _tag(row: Row[Any]) -> str:
    return tag_of(*show_content(row).model_dump().values())
