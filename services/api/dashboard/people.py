"""The pages about people: in a phase, found by an identity, one of them."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.api.context import Context, Here
from services.api.cursors import unpack_cursor
from services.api.dashboard.belonging import memberships_of, next_for
from services.api.dashboard.looking import Looks
from services.api.dashboard.pages import SeesPeople, lang, page, words_of
from services.api.dashboard.people_page import Lists, Order, Place, persons_known_as
from services.api.dashboard.person_page import person_page
from services.api.dashboard.session import Visitor
from services.api.dashboard.texts import language_of
from services.api.known import everything_known
from services.api.opening import Asked as AskedPerson
from services.api.people import find_person
from services.api.people_in import Asked
from services.api.problem import MovedError, Problem
from services.api.wire import Cursor
from services.contract.phases import Phase

router = APIRouter(include_in_schema=False)

_looks = Looks()

Q = Annotated[str | None, Query(max_length=500)]


@router.get("/phases/{phase}")
def people_of_phase(
    here: Here,
    request: Request,
    phase: Phase,
    visitor: SeesPeople,
    order: Order = "latest",
    q: Q = None,
    cursor: Cursor = None,
) -> Response:
    """Who is in a phase."""
    place = Place(here.clock()) if cursor is None else unpack_cursor(cursor, Place)
    asked = Asked("phase", phase, place.at_ms, None)
    value = (q or "").strip()
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
        lists = Lists(connection, visitor.workspace_id, here.model, words)
        found = lists.found(asked, value) if value else lists.page(asked, order, place)
    return page(
        "people.html",
        words,
        visitor,
        workspace=name,
        path=f"/phases/{phase}?order={order}&q={quote(value)}",
        title=f"{phase.capitalize()}: {words.phase(phase)}",
        list=found,
        at=f"/phases/{phase}",
        order=order,
        q=value,
    )


@router.get("/people")
def search(here: Here, request: Request, visitor: SeesPeople, q: Q = None) -> Response:
    """Whoever is known by exactly this; their own page where that is one."""
    value = (q or "").strip()
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
        found = persons_known_as(connection, visitor.workspace_id, value) if value else []
    if len(found) == 1:
        return RedirectResponse(f"/people/{found[0]}{lang(request)}", 303)
    path = f"/people?q={quote(value)}"
    return page("search.html", words, visitor, workspace=name, path=path, found=found, q=value)


@router.get("/people/{person_id}")
def person(here: Here, request: Request, person_id: str, visitor: SeesPeople) -> Response:
    """One person."""
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
        try:
            row = find_person(connection, visitor.workspace_id, person_id)
        except MovedError as moved:
            return RedirectResponse(f"/people/{moved.survivor}{lang(request)}", 303)
        except Problem as problem:
            return page("unknown.html", words, visitor, problem.status, workspace=name)
    _looks.note(here, visitor, "look.person", row.public_id)
    with here.engine.connect() as connection:
        shown = person_page(connection, here, row, words)
    asked = _asked(here, visitor, row.public_id)
    return page(
        "person.html",
        words,
        visitor,
        workspace=name,
        path=f"/people/{row.public_id}",
        id=row.public_id,
        memberships=memberships_of(asked, words),
        **shown,
        **next_for(asked, words),
    )


@router.get("/people/{person_id}/known.json")
def known(here: Here, request: Request, person_id: str, visitor: SeesPeople) -> Response:
    """All that is known of one person, as a file."""
    try:
        told = everything_known(_asked(here, visitor, person_id), language_of(request))
    except MovedError as moved:
        address = f"/people/{moved.survivor}/known.json{lang(request)}"
        return RedirectResponse(address, 303)
    _looks.note(here, visitor, "look.known", person_id)
    return Response(
        told.model_dump_json(indent=2),
        media_type="application/json",
        headers={
            "Content-Disposition": 'attachment; filename="known.json"',
            "Cache-Control": "no-store",
        },
    )


def _asked(here: Context, visitor: Visitor, person_id: str) -> AskedPerson:
    return AskedPerson(here, visitor.workspace_id, person_id, here.clock(), None, None, None)
