"""Links and places on a website that show each person their own next item."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field
from sqlalchemy import Connection, Row, select

from services.api.content import ContentPath, show_content
from services.api.content_store import find_content
from services.api.context import Context, Here
from services.api.edge import FROM_ANYWHERE, only_known_parameters
from services.api.limits import count
from services.api.link_secrets import NUMBER_MAX
from services.api.next_content import known_of
from services.api.people import identities_of, person_of_identity, state_at
from services.api.problem import Problem, described
from services.api.visitors import count_visit
from services.api.wire import Out
from services.contract.tables import link_secret, workspace
from services.contract.token import read_recipient
from services.model.next_content import ranked

router = APIRouter(tags=["for visitors"])

_NO_STORE = {"Cache-Control": "no-store"}
_NEVER_KEPT = _NO_STORE | {"Referrer-Policy": "no-referrer"}
_PARAMETERS_MAX = 10
_PersonHalf = Annotated[
    str | None, Query(max_length=200, description="The person's token, as links carry it.")
]


class OfferedOut(Out):
    """What a page may show of an item."""

    content_id: str
    content_type: str
    title: str
    url: str


class OfferOut(Out):
    """The item for whoever asks."""

    next: OfferedOut | None = Field(description="Null: nobody who may be followed, or nothing new.")


@router.get(
    "/n/{workspace_id}/{content_id}",
    status_code=302,
    summary="A smart link: to the person's next item",
    response_class=Response,
    responses={302: {"description": "To the item."}, **described(400, 404, 429, 503)},
)
def get_smart_link(
    here: Here,
    request: Request,
    workspace_id: Annotated[str, Path(max_length=64, examples=["ws_5f0c1b9a2d3e4f50"])],
    content_id: ContentPath,
    kt_person: _PersonHalf = None,
) -> Response:
    """The target for a tracked link: whoever followed it is led on to what they should see next.

    Only to the catalogue's own addresses. Whoever is not known, or may not be followed, comes to
    the item in the address.
    """
    count_visit(here, request)
    now_ms = here.clock()
    with here.engine.connect() as connection:
        inside = _workspace(connection, workspace_id)
        fallback = find_content(connection, inside, content_id)
        offered = None
        if kt_person is not None:
            namespace, value = "person_token", _person_token(connection, inside, kt_person)
            if value is not None:
                offered = _next(connection, here, inside, namespace, value, now_ms)
    row = offered if offered is not None else fallback
    if row.address is None:
        raise Problem(404, "not_found", "This item has no address.")
    return Response(
        status_code=302,
        headers={"Location": _with(row.address, request.query_params.multi_items())} | _NEVER_KEPT,
    )


@router.get(
    FROM_ANYWHERE,
    summary="The next item of who looks at a page",
    responses=described(400, 401, 429, 503),
    dependencies=[Depends(only_known_parameters)],
    openapi_extra={"security": [{"writeKey": []}]},
)
def get_offer(
    here: Here,
    request: Request,
    response: Response,
    write_key: Annotated[str, Query(alias="writeKey", max_length=100)],
    anonymous_id: Annotated[
        str | None, Query(alias="anonymousId", max_length=500, description="The cookie's id.")
    ] = None,
    kt_person: _PersonHalf = None,
) -> OfferOut:
    """For a place on a website, from any origin: by the script's own id, or a mail link's token.

    Others know a mail address or a user id, and any page can tie a cookie to them. So a cookie gets
    an item only by what was done under it alone; whoever came by a mail's link is known by that.
    """
    response.headers.update(_NO_STORE)
    count_visit(here, request)
    credential = here.keys.by_key(write_key)
    if credential is None or credential.kind != "write":
        headers = {"WWW-Authenticate": 'Bearer realm="kentering"'} | _NO_STORE
        raise Problem(401, "unauthorized", "Give the write key of the website.", headers)
    count(here.limits, credential.key_id, request)
    inside, row = credential.workspace_id, None
    with here.engine.connect() as connection:
        token = None if kt_person is None else _person_token(connection, inside, kt_person)
        if token is not None:
            row = _next(connection, here, inside, "person_token", token, here.clock())
        elif anonymous_id is not None:
            row = _next_of_cookie(connection, here, inside, anonymous_id)
    if row is None:
        return OfferOut(next=None)
    shown = show_content(row).model_dump(include=set(OfferedOut.model_fields))
    return OfferOut(next=OfferedOut(**shown))


def _next_of_cookie(
    connection: Connection, here: Context, workspace_id: int, cookie: str
) -> Row[Any] | None:
    """The row of the next item of a person who is known by this cookie and nothing else."""
    try:
        row = person_of_identity(connection, workspace_id, "anonymous_id", cookie)
    except Problem:
        return None
    if len(identities_of(connection, workspace_id, [row.id])[row.id]) != 1:
        return None
    return _next(connection, here, workspace_id, "anonymous_id", cookie, here.clock())


def _workspace(connection: Connection, public_id: str) -> int:
    query = select(workspace.c.id).where(workspace.c.public_id == public_id)
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise Problem(404, "not_found", "There is no content with this id in this workspace.")
    return int(found)


def _person_token(connection: Connection, workspace_id: int, half: str) -> str | None:
    """Whom a token names, if this very workspace signed it."""

    def secret_of(of: int, number: int) -> bytes | None:
        if of != workspace_id or number > NUMBER_MAX:  # or somebody made it up
            return None
        query = select(link_secret.c.secret).where(
            link_secret.c.workspace_id == workspace_id, link_secret.c.number == number
        )
        found = connection.execute(query).scalar_one_or_none()
        return None if found is None else bytes(found)

    read = read_recipient(half, secret_of)
    return None if read is None else read[1].person_token


def _next(
    connection: Connection,
    here: Context,
    workspace_id: int,
    namespace: str,
    value: str,
    now_ms: int,
) -> Row[Any] | None:
    """The row of somebody's next item; None: they are not followed, or there is nothing new."""
    try:
        row = person_of_identity(connection, workspace_id, namespace, value)
    except Problem:
        return None
    state = state_at(connection, row, now_ms, None, here.model)
    known = known_of(connection, row, state, now_ms, here.model)
    if known is None:
        return None
    best = ranked(known.items(), known.reader, now_ms)
    return known.rows[best[0].item.content_id] if best else None


def _with(url: str, brought: list[tuple[str, str]]) -> str:
    """The address with what the link brought: which click it was, who came, the mailing's UTM."""
    kept = [one for one in brought if one[0].startswith(("kt_", "utm_"))][:_PARAMETERS_MAX]
    if not kept:
        return url
    base, mark, fragment = url.partition("#")
    joint = "&" if "?" in base else "?"
    return f"{base}{joint}{urlencode(kept)}{mark}{fragment}"
