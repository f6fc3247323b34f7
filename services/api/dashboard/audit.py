"""The page that tells who changed what: all of it, or of one kind, or by one person or key."""

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection, Row, select

from services.api.account_store import accounts_of
from services.api.audit import COMMAND_LINE, audit_page
from services.api.context import Here
from services.api.cursors import next_rows, row_place
from services.api.dashboard.audit_words import Teller
from services.api.dashboard.names import known_people
from services.api.dashboard.pages import SeesAccess, page, words_of
from services.api.dashboard.session import Visitor
from services.api.dashboard.texts import Words
from services.api.wire import Cursor
from services.contract.tables import api_key

router = APIRouter(prefix="/audit", include_in_schema=False)

PAGE = 30
KEYS_MAX = 200
NOUNS: dict[str, tuple[str, ...]] = {
    "people": ("person", "erasure", "consent", "identity"),
    "segments": ("segment",),
    "files": ("import", "job"),
    "content": ("content", "campaign", "mailing"),
    "tools": ("webhook", "trigger", "hook", "link_secret"),
    "access": ("account", "key"),
    "keeping": ("retention", "asserted_consent", "model"),
    "looks": ("look",),
}
"""Kinds to choose from, with how the names of what is noted begin."""
UNASKED = NOUNS["looks"]
"""Shown when they are asked for: there are many, and no change may go under in them."""


@router.get("")
def changes(
    here: Here,
    request: Request,
    visitor: SeesAccess,
    cursor: Cursor = None,
    kind: Annotated[str, Query(max_length=20)] = "",
    who: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """The newest first."""
    kind = kind if kind in NOUNS else ""
    below = row_place(cursor, "audit", kind, who)
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
        found = audit_page(
            connection, visitor.workspace_id, below, PAGE + 1,
            who=who or None, nouns=NOUNS.get(kind, ()), but=() if kind else UNASKED,
        )  # fmt: skip
        teller = Teller(connection, visitor.workspace_id, words)
        told = [teller.tell(row) for row in found[:PAGE]]
        people = _people(connection, visitor, found[:PAGE], words)
        doers = _doers(connection, visitor.workspace_id, words)
    chosen = {"kind": kind, "who": who}
    asked = {name: value for name, value in chosen.items() if value}
    return page(
        "audit.html",
        words,
        visitor,
        workspace=name,
        path=f"/audit?{urlencode(asked)}" if asked else "/audit",
        changes=told,
        people=people,
        kinds=list(NOUNS),
        doers=doers,
        chosen=chosen,
        older=next_rows(found, PAGE, "audit", kind, who),
    )


def _people(
    connection: Connection, visitor: Visitor, rows: Sequence[Row[Any]], words: Words
) -> dict[str, str]:
    """What those are called whom it is about, by public id; who was erased is not among them."""
    ids = {str(row.about) for row in rows if row.about.startswith("p_")}
    if not ids or not visitor.may("persons:read"):
        return {}
    known = known_people(connection, visitor.workspace_id, ids, words)
    return {person: one.name for person, one in known.items()}


def _doers(connection: Connection, workspace_id: int, words: Words) -> dict[str, str]:
    """Who may have changed something, by what the audit calls them."""
    people = {
        f"account {one.public_id}": one.email for one in accounts_of(connection, workspace_id)
    }
    query = (
        select(api_key.c.public_id, api_key.c.name)
        .where(api_key.c.workspace_id == workspace_id, api_key.c.kind == "api")
        .order_by(api_key.c.id.desc())
        .limit(KEYS_MAX)
    )
    keys = {
        f"key {row.public_id}": f"{words['by_key']} {row.name}" for row in connection.execute(query)
    }
    return people | keys | {COMMAND_LINE: words["by_command_line"]}
