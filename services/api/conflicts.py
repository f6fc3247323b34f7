"""The quarantine: two who may be one person and are kept apart until somebody decides."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import Row, Select, select

from services.api.context import Here
from services.api.cursors import next_rows, row_place
from services.api.decisions import ONE, OTHER, PAIR, show_pair
from services.api.needs import PersonsReader
from services.api.person_view import IdentityOut
from services.api.problem import described
from services.api.wire import After, Cursor, Limit, Out, rfc3339
from services.contract.decision import COOKIE
from services.contract.tables import identity, identity_conflict, person
from services.contract.vault import shown_value

router = APIRouter(prefix="/v1/identities", tags=["persons"])

_browser = identity.alias("browser")


class PartyOut(IdentityOut):
    """One of two identities, with whose it is."""

    person: str


class ConflictOut(Out):
    """Two identities that may be one person's; decide by `POST /v1/identities/decisions`."""

    kind: Literal["browser", "tie"] = Field(
        description="Both used one `browser`; or events tie them, but that would give one person "
        "two user ids, or join by a page's word alone two who each have an address."
    )
    identities: list[PartyOut]
    browser: IdentityOut | None
    event: str = Field(description="The event that showed it.")
    known_from: str


class ConflictsOut(Out):
    """A page of what waits for a decision, oldest first."""

    conflicts: list[ConflictOut]
    next: str | None


@router.get(
    "/conflicts",
    summary="Who may be one person and is not",
    responses=described(400, 401, 403, 503),
)
def list_conflicts(
    here: Here,
    credential: PersonsReader,
    cursor: Cursor = None,
    limit: Limit = 50,
    after: After = None,
) -> ConflictsOut:
    """Kept apart until somebody decides. Whatever is settled, by whomever, is no longer here."""
    here.waiting.until_folded(credential.workspace_id, after)
    place = row_place(cursor, "conflicts", start=0)
    query = _conflicts(credential.workspace_id).where(identity_conflict.c.id > place)
    with here.engine.connect() as connection:
        rows = connection.execute(query.order_by(identity_conflict.c.id).limit(limit + 1)).all()
    return ConflictsOut(
        conflicts=[_show_conflict(row) for row in rows[:limit]],
        next=next_rows(rows, limit, "conflicts"),
    )


def _conflicts(workspace_id: int) -> Select[Any]:
    row = identity_conflict.c
    one, other = person.alias("ones"), person.alias("others")
    return (
        select(
            identity_conflict,
            *PAIR,
            one.c.public_id.label("a_person"),
            other.c.public_id.label("b_person"),
            _browser.c.value.label("browser"),
        )
        .join(ONE, ONE.c.id == row.a_id)
        .join(OTHER, OTHER.c.id == row.b_id)
        .join(one, one.c.id == ONE.c.person_id)
        .join(other, other.c.id == OTHER.c.person_id)
        .outerjoin(_browser, _browser.c.id == row.cookie_id)
        .where(row.workspace_id == workspace_id)
    )


def _show_conflict(row: Row[Any]) -> ConflictOut:
    parties = zip(show_pair(row), (row.a_person, row.b_person), strict=True)
    cookie = None if row.browser is None else shown_value(row.browser)
    return ConflictOut(
        kind="tie" if cookie is None else "browser",
        identities=[PartyOut(**one.model_dump(), person=whose) for one, whose in parties],
        browser=None if cookie is None else IdentityOut(namespace=COOKIE, value=cookie),
        event=bytes(row.event_id).hex(),
        known_from=rfc3339(row.known_from_ms),
    )
