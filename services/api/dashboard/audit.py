"""The page that tells who changed what: all of it, or of one kind, or by one person or key."""

from typing import Annotated
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection, select

from services.api.account_store import accounts_of
from services.api.audit import COMMAND_LINE, audit_page
from services.api.context import Here
from services.api.dashboard.audit_words import Teller
from services.api.dashboard.pages import SeesAccess, page, words_of
from services.api.dashboard.texts import Words
from services.api.wire import INT64_MAX, Cursor, pack_cursor, unpack_cursor
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
    "keeping": ("retention", "asserted_consent"),
}
"""Kinds of changes to choose from, with how the names of their changes begin."""


class _Below(msgspec.Struct, array_like=True):
    id: Annotated[int, msgspec.Meta(ge=1, le=INT64_MAX)]


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
    below = INT64_MAX if cursor is None else unpack_cursor(cursor, _Below).id
    with here.engine.connect() as connection:
        words, name = words_of(connection, visitor, request)
        found = audit_page(
            connection, visitor.workspace_id, below, PAGE + 1,
            who=who or None, nouns=NOUNS.get(kind, ()),
        )  # fmt: skip
        teller = Teller(connection, visitor.workspace_id, words)
        told = [teller.tell(row) for row in found[:PAGE]]
        doers = _doers(connection, visitor.workspace_id, words)
    chosen = {"kind": kind if kind in NOUNS else "", "who": who}
    asked = {name: value for name, value in chosen.items() if value}
    return page(
        "audit.html",
        words,
        visitor,
        workspace=name,
        path=f"/audit?{urlencode(asked)}" if asked else "/audit",
        changes=told,
        kinds=list(NOUNS),
        doers=doers,
        chosen=chosen,
        older=pack_cursor(_Below(found[PAGE - 1].id)) if len(found) > PAGE else None,
    )


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
