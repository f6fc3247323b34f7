"""The pages about segments: one, its picture, its export."""

from typing import Any, get_args
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from services.api.context import Here
from services.api.cursors import unpack_cursor
from services.api.dashboard.because import Because
from services.api.dashboard.charts import SEGMENT_COLOUR, draw
from services.api.dashboard.figures import figure
from services.api.dashboard.forms import AS_OFTEN_AS_SENT, Sent, go_to, on_form
from services.api.dashboard.notices import lag
from services.api.dashboard.pages import May, SeesNumbers, page, picture, words_of
from services.api.dashboard.people import Q
from services.api.dashboard.people_page import Lists, Order, Place
from services.api.dashboard.segment_page import passing, rule_in_words
from services.api.dashboard.texts import Words
from services.api.exports.asked import ExportIn, Use
from services.api.exports.formats import Format
from services.api.exports.routes import post_export
from services.api.people_in import Asked
from services.api.problem import Problem
from services.api.segment_shapes import SegmentKey
from services.api.segment_store import Found, find_segment, progress_of
from services.api.wire import Cursor

router = APIRouter(prefix="/segments", include_in_schema=False)

_EXPORTS = May("segments:read", "exports:write", "jobs:write")
_NOBODY = "0"
"""The interval key of a segment whose first version is being filled."""


@router.get("/{key}")
def segment(
    here: Here,
    request: Request,
    key: SegmentKey,
    visitor: SeesNumbers,
    order: Order = "latest",
    q: Q = None,
    cursor: Cursor = None,
) -> Response:
    """A segment, and who is in it for whoever may see people."""
    place = Place(here.clock()) if cursor is None else unpack_cursor(cursor, Place)
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
        found = find_segment(connection, visitor.workspace_id, key)
        live = _NOBODY if found.live is None else str(found.live.id)
        shown = _told(connection, words, found)
        if visitor.may("persons:read"):
            because = Because(
                connection, visitor.workspace_id, key, here.model, words, here.clock()
            )
            asked = Asked("segment", live, place.at_ms, None)
            lists = Lists(connection, visitor.workspace_id, here.model, words, because)
            shown["passing"] = passing(connection, found, because, words, here.clock())
            value = (q or "").strip()
            people = lists.found(asked, value) if value else lists.page(asked, order, place)
            shown |= {"list": people, "order": order, "q": value}
        numbers = figure(connection, visitor.workspace_id, "segment", live, here.clock())
        shown["lag"] = lag(here, connection, visitor.workspace_id)
    return page(
        "segment.html",
        words,
        visitor,
        workspace=name,
        path=f"/segments/{key}?order={order}&q={quote((q or '').strip())}",
        at=f"/segments/{key}",
        figure=numbers,
        live=live,
        uses=get_args(Use),
        formats=get_args(Format),
        **shown,
    )


@router.get("/{key}/trend.svg")
def trend(here: Here, request: Request, key: SegmentKey, visitor: SeesNumbers) -> Response:
    """How many there were, are, and will be if nothing more happens."""
    with here.engine.connect() as connection:
        words, _ = words_of(connection, visitor, request)
        found = find_segment(connection, visitor.workspace_id, key)
        live = _NOBODY if found.live is None else str(found.live.id)
        numbers = figure(connection, visitor.workspace_id, "segment", live, here.clock())
    return picture(draw(numbers, SEGMENT_COLOUR, words))


@on_form(router, "/{key}/exports", _EXPORTS)
def export(sent: Sent) -> Response:
    """Ask for a file of the members."""
    use = next((one for one in get_args(Use) if one == sent.field("use")), None)
    kind = next((one for one in get_args(Format) if one == sent.field("format")), None)
    if use is None or kind is None:
        raise Problem(400, "invalid", "An export has a use and a format.")
    job = post_export(
        sent.here,
        sent.visitor.credential(),
        sent.named("key"),
        ExportIn(use=use, format=kind),
        AS_OFTEN_AS_SENT,
        Response(),
    )
    return go_to(sent, f"/jobs/{job.id}")


def _told(connection: Connection, words: Words, found: Found) -> dict[str, Any]:
    """What stands of a segment beside its numbers and members."""
    newest = found.newest
    return {
        "key": newest.key,
        "title": newest.name,
        "rule": rule_in_words(connection, newest.workspace_id, newest.rule, words),
        "is_first": found.live is None,
        "progress": progress_of(connection, newest.workspace_id, newest),
    }
