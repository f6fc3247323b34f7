"""Dashboard sessions: a random cookie, kept by its digest, of an account or of an api key.

A session ends with its time, at log-out, at the next log-in of the same browser, when the account
gets another role or password, and when the key is ended.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from fastapi import Request, Response
from sqlalchemy import Connection, delete, insert, select

from services.api.account_store import digest_of_token
from services.api.auth import Credential
from services.api.context import Context
from services.api.problem import Problem
from services.contract.roles import SCOPES_OF
from services.contract.tables import account, api_key, session
from services.runtime.database import writing

COOKIE = "kentering_session"
LIFETIME_MS = 12 * 3_600_000
NEEDED_SCOPES = frozenset({"segments:read", "workspace:read"})
"""What whoever enters may do at least: see the numbers of the first page."""
_TOKEN_LENGTH_MAX = 100


@dataclass(frozen=True)
class Visitor:
    """Who looks at the dashboard."""

    workspace_id: int
    scopes: frozenset[str]
    who: str
    """What the audit calls them."""
    name: str
    """Their mail address, or the name of the key."""
    csrf: str
    """What their own forms carry."""
    number: int
    """The key's row id; of an account its own below zero."""

    def credential(self) -> Credential:
        """For what a key may ask too."""
        name = self.name if self.number < 0 else f"key {self.name}"
        return Credential(self.number, self.workspace_id, "api", self.scopes, self.who, name)

    def may(self, *scopes: str) -> bool:
        """Whether they have all of these."""
        return self.scopes.issuperset(scopes)


def open_session(
    here: Context,
    request: Request,
    response: Response,
    workspace_id: int,
    *,
    account_id: int | None = None,
    key_id: int | None = None,
) -> None:
    """Let the browser come back as this account or key; what it was before ends."""
    token, now_ms = secrets.token_urlsafe(32), here.clock()
    values = {
        "digest": digest_of_token(token),
        "workspace_id": workspace_id,
        "account_id": account_id,
        "key_id": key_id,
        "created_ms": now_ms,
        "until_ms": now_ms + LIFETIME_MS,
    }
    with writing(here.engine).begin() as connection:
        _end(connection, request)
        connection.execute(delete(session).where(session.c.until_ms <= now_ms))
        connection.execute(insert(session).values(values))
    response.set_cookie(
        COOKIE,
        token,
        max_age=LIFETIME_MS // 1000,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def close_session(here: Context, request: Request, response: Response) -> None:
    """End it, here and in the browser."""
    with writing(here.engine).begin() as connection:
        _end(connection, request)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")


def session_of(here: Context, request: Request) -> Visitor | None:
    """Who a browser that logged in is."""
    token = request.cookies.get(COOKIE, "")
    if not token or len(token) > _TOKEN_LENGTH_MAX:
        return None
    query = (
        select(
            session.c.workspace_id,
            session.c.account_id,
            session.c.key_id,
            account.c.public_id,
            account.c.email,
            account.c.role,
            api_key.c.public_id.label("key"),
            api_key.c.name,
            api_key.c.scopes,
            api_key.c.revoked_ms,
        )
        .outerjoin(account, account.c.id == session.c.account_id)
        .outerjoin(api_key, api_key.c.id == session.c.key_id)
        .where(session.c.digest == digest_of_token(token), session.c.until_ms > here.clock())
    )
    with here.engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    csrf = _csrf(token)
    if row.role is not None:
        who = f"account {row.public_id}"
        return Visitor(row.workspace_id, SCOPES_OF[row.role], who, row.email, csrf, -row.account_id)
    scopes = frozenset(row.scopes or ())
    if row.key is None or row.revoked_ms is not None or not scopes >= NEEDED_SCOPES:
        return None
    return Visitor(row.workspace_id, scopes, f"key {row.key}", row.name, csrf, row.key_id)


def check_csrf(visitor: Visitor, given: str) -> None:
    """Take a form only from a page of our own.

    Raises:
        Problem: 403.
    """
    if not hmac.compare_digest(visitor.csrf.encode(), given.encode()):
        raise Problem(403, "cross_site", "This form is not of this session. Load the page again.")


def _end(connection: Connection, request: Request) -> None:
    token = request.cookies.get(COOKIE, "")
    connection.execute(delete(session).where(session.c.digest == digest_of_token(token)))


def _csrf(token: str) -> str:
    told = token.encode("utf-8", "replace")
    return hashlib.blake2b(told, digest_size=16, person=b"csrf").hexdigest()
