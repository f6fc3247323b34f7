"""The page about who may come in: people and keys."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection, Row

from services.api.account_store import (
    accounts_of,
    add_account,
    change_role,
    end_account,
    find_account,
    invite_again,
)
from services.api.accounts import EMAIL, may_give
from services.api.context import Here
from services.api.dashboard.error_texts import what_to_do
from services.api.dashboard.forms import Changed, Sent, changed, on_form
from services.api.dashboard.pages import May, SeesAccess, page, words_of
from services.api.dashboard.session import Visitor
from services.api.key_store import add_key, end_key, find_key, keys_of, rotate_key
from services.api.keys import may_give_scopes
from services.api.problem import Problem
from services.contract.keys import KeyKind
from services.contract.roles import ROLES, SCOPES, SCOPES_OF, Role

router = APIRouter(prefix="/access", include_in_schema=False)

_NAME_LENGTH_MAX = 200
_KINDS: tuple[KeyKind, ...] = ("api", "server", "write")
_ACCOUNTS = May("audit:read", "accounts:read", "accounts:write")
_KEYS = May("audit:read", "keys:read", "keys:write")


@router.get("")
def access(here: Here, request: Request, visitor: SeesAccess) -> Response:
    """Both."""
    with here.engine.connect() as connection:
        return _page(connection, request, visitor)


_Change = Callable[[Connection, Sent], Changed]


def _change(path: str, may: May) -> Callable[[_Change], _Change]:
    """Let a function make the change that the form at ``path`` asks for; the page shows it."""

    def register(change: _Change) -> _Change:
        on_form(router, path, may)(lambda sent: changed(sent, change, _after))
        return change

    return register


@_change("/accounts", _ACCOUNTS)
def _invite(connection: Connection, sent: Sent) -> Changed:
    email, role = sent.field("email"), _role(sent)
    if not EMAIL.fullmatch(email):
        raise Problem(400, "invalid", "That is no mail address.")
    may_give(sent.visitor.scopes, role)
    who, now_ms = sent.visitor.who, sent.here.clock()
    _, token = add_account(connection, sent.visitor.workspace_id, email, role, who, now_ms)
    return _invitation(sent, email, token)


@_change("/accounts/{account_id}/role", _ACCOUNTS)
def _give_role(connection: Connection, sent: Sent) -> Changed:
    row, role = _account(connection, sent), _role(sent)
    may_give(sent.visitor.scopes, role)
    if role != row.role:
        change_role(connection, row, role, sent.visitor.who, sent.here.clock())
    return {}


@_change("/accounts/{account_id}/invitation", _ACCOUNTS)
def _invite_anew(connection: Connection, sent: Sent) -> Changed:
    row = _account(connection, sent)
    token = invite_again(connection, row, sent.visitor.who, sent.here.clock())
    return _invitation(sent, row.email, token)


@_change("/accounts/{account_id}/end", _ACCOUNTS)
def _end_somebody(connection: Connection, sent: Sent) -> Changed:
    end_account(connection, _account(connection, sent), sent.visitor.who, sent.here.clock())
    return {}


@_change("/keys", _KEYS)
def _make_key(connection: Connection, sent: Sent) -> Changed:
    name, asked = sent.field("name")[:_NAME_LENGTH_MAX], sent.field("kind")
    kind = next((kind for kind in _KINDS if kind == asked), None)
    scopes = frozenset(sent.fields.get("scope", ())) if kind == "api" else frozenset[str]()
    if not name or kind is None or not scopes <= SCOPES.keys() or bool(scopes) != (kind == "api"):
        raise Problem(400, "invalid", "A key has a name and a kind, and an api key scopes.")
    may_give_scopes(sent.visitor.scopes, scopes)
    who, now_ms = sent.visitor.who, sent.here.clock()
    _, key = add_key(connection, sent.visitor.workspace_id, kind, name, scopes, who, now_ms)
    return {"key": key, "key_name": name}


@_change("/keys/{key_id}/rotate", _KEYS)
def _rotate(connection: Connection, sent: Sent) -> Changed:
    row, now_ms = _key(connection, sent), sent.here.clock()
    workspace_id, who = sent.visitor.workspace_id, sent.visitor.who
    _, key = rotate_key(connection, workspace_id, row.public_id, who, now_ms)
    return {"key": key, "key_name": row.name}


@_change("/keys/{key_id}/end", _KEYS)
def _end_one(connection: Connection, sent: Sent) -> Changed:
    row, now_ms = _key(connection, sent), sent.here.clock()
    end_key(connection, sent.visitor.workspace_id, row.public_id, sent.visitor.who, now_ms)
    sent.here.keys.forget()
    return {}


def _account(connection: Connection, sent: Sent) -> Row[Any]:
    """The account that the address names, of somebody who may do no more than the visitor."""
    row = find_account(connection, sent.visitor.workspace_id, sent.named("account_id"))
    may_give(sent.visitor.scopes, row.role)
    return row


def _key(connection: Connection, sent: Sent) -> Row[Any]:
    """The key that the address names, which may do no more than the visitor."""
    row = find_key(connection, sent.visitor.workspace_id, sent.named("key_id"))
    may_give_scopes(sent.visitor.scopes, row.scopes)
    return row


def _after(sent: Sent, done: Changed, problem: Problem | None) -> Response:
    with sent.here.engine.connect() as connection:
        return _page(connection, sent.request, sent.visitor, problem, **done)


def _page(
    connection: Connection,
    request: Request,
    visitor: Visitor,
    problem: Problem | None = None,
    **once: str,
) -> Response:
    words, name = words_of(connection, visitor, request)
    accounts = accounts_of(connection, visitor.workspace_id)
    keys = keys_of(connection, visitor.workspace_id)
    return page(
        "access.html",
        words,
        visitor,
        200 if problem is None else problem.status,
        workspace=name,
        path="/access",
        accounts=accounts if visitor.may("accounts:read") else [],
        keys=keys if visitor.may("keys:read") else [],
        roles=[role for role in ROLES if visitor.scopes >= SCOPES_OF[role]],
        kinds=_KINDS,
        scopes=[scope for scope in SCOPES if scope in visitor.scopes],
        why="" if problem is None else what_to_do(problem, words.language),
        once={"key": "", "link": "", **once},
    )


def _invitation(sent: Sent, email: str, token: str) -> Changed:
    return {"link": f"{sent.request.base_url}invitation#{token}", "invited": email}


def _role(sent: Sent) -> Role:
    asked = sent.field("role")
    for role in ROLES:
        if role == asked:
            return role
    raise Problem(400, "invalid", "There is no such role.")
