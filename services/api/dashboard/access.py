"""The page about who may come in: people, keys, and who changed what."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from services.api.account_store import (
    accounts_of,
    add_account,
    change_role,
    end_account,
    find_account,
    invite_again,
)
from services.api.accounts import EMAIL, AccountPath, may_give
from services.api.audit import audit_page
from services.api.context import Context, Here
from services.api.dashboard.pages import (
    ChangesAccounts,
    ChangesKeys,
    Form,
    SeesAccess,
    field,
    must_be_own,
    page,
    words_of,
)
from services.api.dashboard.session import Visitor
from services.api.key_store import add_key, end_key, find_key, keys_of, rotate_key
from services.api.keys import KeyPath, may_give_scopes
from services.api.problem import Problem
from services.api.wire import INT64_MAX, Cursor, pack_cursor, unpack_cursor
from services.contract.keys import KeyKind
from services.contract.roles import ROLES, SCOPES, SCOPES_OF, Role
from services.runtime.database import writing

router = APIRouter(prefix="/access", include_in_schema=False)

PAGE = 30
_NAME_LENGTH_MAX = 200
_KINDS: tuple[KeyKind, ...] = ("api", "server", "write")


class _Below(msgspec.Struct, array_like=True):
    id: Annotated[int, msgspec.Meta(ge=1, le=INT64_MAX)]


@router.get("")
def access(here: Here, request: Request, visitor: SeesAccess, cursor: Cursor = None) -> Response:
    """All three."""
    below = INT64_MAX if cursor is None else unpack_cursor(cursor, _Below).id
    with here.engine.connect() as connection:
        return _page(connection, request, visitor, below)


@router.post("/accounts")
def invite(here: Here, request: Request, visitor: ChangesAccounts, form: Form) -> Response:
    """Invite somebody, and show the link once."""
    must_be_own(visitor, form)

    def change(connection: Connection) -> dict[str, Any]:
        email, role = field(form, "email").strip(), _role(form)
        if not EMAIL.fullmatch(email):
            raise Problem(400, "invalid", "That is no mail address.")
        may_give(visitor.scopes, role)
        _, token = add_account(
            connection, visitor.workspace_id, email, role, visitor.who, here.clock()
        )
        return _invitation(request, email, token)

    return _changed(here, request, visitor, change)


@router.post("/accounts/{account_id}/role")
def give_role(
    here: Here, request: Request, visitor: ChangesAccounts, account_id: AccountPath, form: Form
) -> Response:
    """Give somebody another role."""
    must_be_own(visitor, form)

    def change(connection: Connection) -> dict[str, Any]:
        row = find_account(connection, visitor.workspace_id, account_id)
        role = _role(form)
        may_give(visitor.scopes, role)
        may_give(visitor.scopes, row.role)
        if role != row.role:
            change_role(connection, row, role, visitor.who, here.clock())
        return {}

    return _changed(here, request, visitor, change)


@router.post("/accounts/{account_id}/invitation")
def invite_anew(
    here: Here, request: Request, visitor: ChangesAccounts, account_id: AccountPath, form: Form
) -> Response:
    """Invite somebody again."""
    must_be_own(visitor, form)

    def change(connection: Connection) -> dict[str, Any]:
        row = find_account(connection, visitor.workspace_id, account_id)
        may_give(visitor.scopes, row.role)
        token = invite_again(connection, row, visitor.who, here.clock())
        return _invitation(request, row.email, token)

    return _changed(here, request, visitor, change)


@router.post("/accounts/{account_id}/end")
def end_somebody(
    here: Here, request: Request, visitor: ChangesAccounts, account_id: AccountPath, form: Form
) -> Response:
    """Let somebody in no more."""
    must_be_own(visitor, form)

    def change(connection: Connection) -> dict[str, Any]:
        row = find_account(connection, visitor.workspace_id, account_id)
        may_give(visitor.scopes, row.role)
        end_account(connection, row, visitor.who, here.clock())
        return {}

    return _changed(here, request, visitor, change)


@router.post("/keys")
def make_key(here: Here, request: Request, visitor: ChangesKeys, form: Form) -> Response:
    """Make a key, and show it once."""
    must_be_own(visitor, form)

    def change(connection: Connection) -> dict[str, Any]:
        name, kind = field(form, "name").strip()[:_NAME_LENGTH_MAX], field(form, "kind")
        scopes = frozenset(form.get("scope", ())) if kind == "api" else frozenset[str]()
        if not name or "\x00" in name or kind not in _KINDS or not scopes <= SCOPES.keys():
            raise Problem(400, "invalid", "A key has a name and a kind.")
        if kind == "api" and not scopes:
            raise Problem(400, "invalid", "An api key has scopes.")
        may_give_scopes(visitor.scopes, scopes)
        _, key = add_key(
            connection,
            visitor.workspace_id,
            _KINDS[_KINDS.index(kind)],
            name,
            scopes,
            visitor.who,
            here.clock(),
        )
        return {"key": key, "key_name": name}

    return _changed(here, request, visitor, change)


@router.post("/keys/{key_id}/rotate")
def rotate(
    here: Here, request: Request, visitor: ChangesKeys, key_id: KeyPath, form: Form
) -> Response:
    """Make a second key like one, and show it once."""
    must_be_own(visitor, form)

    def change(connection: Connection) -> dict[str, Any]:
        row = find_key(connection, visitor.workspace_id, key_id)
        may_give_scopes(visitor.scopes, row.scopes)
        _, key = rotate_key(connection, visitor.workspace_id, key_id, visitor.who, here.clock())
        return {"key": key, "key_name": row.name}

    return _changed(here, request, visitor, change)


@router.post("/keys/{key_id}/end")
def end_one(
    here: Here, request: Request, visitor: ChangesKeys, key_id: KeyPath, form: Form
) -> Response:
    """End a key."""
    must_be_own(visitor, form)

    def change(connection: Connection) -> dict[str, Any]:
        row = find_key(connection, visitor.workspace_id, key_id)
        may_give_scopes(visitor.scopes, row.scopes)
        end_key(connection, visitor.workspace_id, key_id, visitor.who, here.clock())
        here.keys.forget()
        return {}

    return _changed(here, request, visitor, change)


def _changed(here: Context, request: Request, visitor: Visitor, change: Any) -> Response:
    """The page after a change, with what is shown once; or with why nothing was done."""
    try:
        with writing(here.engine).begin() as connection:
            shown = change(connection)
    except Problem as problem:
        with here.engine.connect() as connection:
            return _page(
                connection, request, visitor, INT64_MAX, problem.status, why=problem.detail
            )
    with here.engine.connect() as connection:
        return _page(connection, request, visitor, INT64_MAX, **shown)


def _page(
    connection: Connection,
    request: Request,
    visitor: Visitor,
    below: int,
    status: int = 200,
    *,
    why: str = "",
    key: str = "",
    key_name: str = "",
    link: str = "",
    invited: str = "",
) -> Response:
    words, name = words_of(connection, visitor, request)
    changes = audit_page(connection, visitor.workspace_id, below, PAGE + 1)
    older = pack_cursor(_Below(changes[PAGE - 1].id)) if len(changes) > PAGE else None
    return page(
        "access.html",
        words,
        visitor,
        status,
        workspace=name,
        accounts=accounts_of(connection, visitor.workspace_id)
        if visitor.may("accounts:read")
        else [],
        keys=keys_of(connection, visitor.workspace_id) if visitor.may("keys:read") else [],
        changes=changes[:PAGE],
        older=older,
        roles=[role for role in ROLES if visitor.scopes >= SCOPES_OF[role]],
        kinds=_KINDS,
        scopes={name: text for name, text in SCOPES.items() if name in visitor.scopes},
        why=why,
        key=key,
        key_name=key_name,
        link=link,
        invited=invited,
    )


def _invitation(request: Request, email: str, token: str) -> dict[str, Any]:
    return {"link": f"{request.base_url}invitation#{token}", "invited": email}


def _role(form: dict[str, list[str]]) -> Role:
    asked = field(form, "role")
    for role in ROLES:
        if role == asked:
            return role
    raise Problem(400, "invalid", "There is no such role.")
