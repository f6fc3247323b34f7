"""Accounts in the database: people invited, given roles, ended."""

import hashlib
import secrets
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from services.api.audit import note
from services.api.one_at_a_time import one_at_a_time
from services.api.problem import Problem
from services.contract.phases import DAY_MS
from services.contract.roles import Role
from services.contract.tables import account, session

ACCOUNTS_MAX = 200
"""Of one workspace."""
INVITED_MS = 7 * DAY_MS
"""How long an invitation may be followed."""


def add_account(
    connection: Connection, workspace_id: int, email: str, role: Role, who: str, now_ms: int
) -> tuple[str, str]:
    """Invite somebody; the account's public id, and what the invitation's link carries.

    Args:
        connection: a transaction.
        workspace_id: where they may come in.
        email: their mail address.
        role: what they may see and do.
        who: invites, as the audit says.
        now_ms: the time.

    Raises:
        Problem: 409, they have an account here, or there are too many.
    """
    one_at_a_time(connection, workspace_id)
    rows = accounts_of(connection, workspace_id)
    if len(rows) >= ACCOUNTS_MAX:
        text = f"A workspace has at most {ACCOUNTS_MAX} accounts."
        raise Problem(409, "too_many_accounts", text)
    email = email.strip().lower()
    if any(row.email == email for row in rows):
        raise Problem(409, "account_exists", "There is an account with this address already.")
    public_id, token = f"acc_{secrets.token_hex(8)}", secrets.token_urlsafe(32)
    values = {
        "workspace_id": workspace_id,
        "public_id": public_id,
        "email": email,
        "role": role,
        "invitation": digest_of_token(token),
        "invited_until_ms": now_ms + INVITED_MS,
        "created_ms": now_ms,
    }
    connection.execute(insert(account).values(values))
    after = {"email": email, "role": role}
    note(connection, workspace_id, who, "account.invited", public_id, now_ms, after=after)
    return public_id, token


def invite_again(connection: Connection, row: Row[Any], who: str, now_ms: int) -> str:
    """A new invitation, for who lost the first or their password; what its link carries.

    Until it is followed the present password stays good.
    """
    token = secrets.token_urlsafe(32)
    values = {"invitation": digest_of_token(token), "invited_until_ms": now_ms + INVITED_MS}
    connection.execute(update(account).where(account.c.id == row.id).values(values))
    note(connection, row.workspace_id, who, "account.invited_again", row.public_id, now_ms)
    return token


def accept_invitation(connection: Connection, token: str, password: str, now_ms: int) -> int | None:
    """Set the password of whom the invitation is for, who so logs in; end their other sessions.

    Args:
        connection: a transaction.
        token: what the invitation's link carries.
        password: its hash.
        now_ms: the time.

    Returns:
        The account's row id; None: there is no such invitation, or it is too old.
    """
    row = invited(connection, token, now_ms)
    if row is None:
        return None
    values = {
        "password": password,
        "invitation": None,
        "invited_until_ms": None,
        "used_ms": now_ms,
    }
    still = account.c.id == row.id, account.c.invitation == row.invitation
    if not connection.execute(update(account).where(*still).values(values)).rowcount:
        return None  # somebody followed it in this very moment
    end_sessions(connection, row.id)
    who = f"account {row.public_id}"
    note(connection, row.workspace_id, who, "account.password_set", row.public_id, now_ms)
    return int(row.id)


def change_password(connection: Connection, row: Row[Any], password: str, now_ms: int) -> None:
    """Set the password (its hash) of somebody who proved to be it, and end their sessions."""
    connection.execute(update(account).where(account.c.id == row.id).values(password=password))
    end_sessions(connection, row.id)
    who = f"account {row.public_id}"
    note(connection, row.workspace_id, who, "account.password_set", row.public_id, now_ms)


def invited(connection: Connection, token: str, now_ms: int) -> Row[Any] | None:
    """Whom an invitation is for."""
    query = select(account).where(
        account.c.invitation == digest_of_token(token), account.c.invited_until_ms > now_ms
    )
    return connection.execute(query).one_or_none()


def change_role(connection: Connection, row: Row[Any], role: Role, who: str, now_ms: int) -> None:
    """Give somebody another role; their sessions end, so that none goes on with the old one.

    Raises:
        Problem: 409, they are the last owner.
    """
    if role != "owner":
        _keep_an_owner(connection, row)
    connection.execute(update(account).where(account.c.id == row.id).values(role=role))
    end_sessions(connection, row.id)
    note(
        connection,
        row.workspace_id,
        who,
        "account.changed",
        row.public_id,
        now_ms,
        before={"role": row.role},
        after={"role": role},
    )


def end_account(connection: Connection, row: Row[Any], who: str, now_ms: int) -> None:
    """Let somebody in no more.

    Raises:
        Problem: 409, they are the last owner.
    """
    _keep_an_owner(connection, row)
    end_sessions(connection, row.id)
    connection.execute(delete(account).where(account.c.id == row.id))
    before = {"email": row.email, "role": row.role}
    note(connection, row.workspace_id, who, "account.ended", row.public_id, now_ms, before=before)


def end_sessions(connection: Connection, account_id: int) -> None:
    """Let every browser of somebody log in anew."""
    connection.execute(delete(session).where(session.c.account_id == account_id))


def accounts_of(connection: Connection, workspace_id: int) -> list[Row[Any]]:
    """Who may log in, the oldest first."""
    query = select(account).where(account.c.workspace_id == workspace_id)
    return list(connection.execute(query.order_by(account.c.id)).all())


def find_account(connection: Connection, workspace_id: int, public_id: str) -> Row[Any]:
    """An account.

    Raises:
        Problem: 404, there is none with this id.
    """
    query = select(account).where(
        account.c.workspace_id == workspace_id, account.c.public_id == public_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Problem(404, "not_found", "There is no account with this id in this workspace.")
    return row


def digest_of_token(token: str) -> bytes:
    """What is stored of what a link or cookie carries: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _keep_an_owner(connection: Connection, row: Row[Any]) -> None:
    one_at_a_time(connection, row.workspace_id)
    others = select(func.count()).where(
        account.c.workspace_id == row.workspace_id,
        account.c.role == "owner",
        account.c.id != row.id,
    )
    if row.role == "owner" and not connection.execute(others).scalar_one():
        raise Problem(409, "last_owner", "Somebody must be owner. Give the role to another first.")
