"""Logging in: by mail address and password, or with an api key; tried a bounded number of times."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update

from services.api.account_store import digest_of_token
from services.api.context import Context
from services.api.passwords import is_right
from services.contract.tables import account, login_failure
from services.runtime.database import insert_new, writing

FAILURES_MAX = 10
"""Of one mail address within :data:`WINDOW_MS`; then nobody logs in with it for that long."""
WINDOW_MS = 15 * 60_000
ACCOUNTS_TRIED_MAX = 5
"""Somebody may have an account in several workspaces; the password tells which is meant."""


@dataclass(frozen=True)
class TooOften:
    """The address was tried too often."""

    wait_s: int


def account_of(here: Context, email: str, password: str) -> tuple[int, int] | TooOften | None:
    """The account of who knows its password, as (row id, workspace); None: nobody's.

    An address that nobody has takes as long, and is counted alike: the answer does not tell
    whether there is such an account.

    Raises:
        Problem: 503, too many are logging in.
    """
    email, now_ms = email.strip().lower(), here.clock()
    mark = digest_of_token(email)
    with writing(here.engine).begin() as connection:
        wait_ms = _count_try(connection, mark, now_ms)
        rows = [] if wait_ms else _accounts(connection, email)
    if wait_ms:
        return TooOften(-(-wait_ms // 1000))
    found = None
    if not rows:
        is_right(None, password)
    for row in rows:
        if is_right(row.password, password):
            found = row
            break
    if found is None:
        return None
    with writing(here.engine).begin() as connection:
        connection.execute(delete(login_failure).where(login_failure.c.mark == mark))
        mine = update(account).where(account.c.id == found.id)
        connection.execute(mine.values(used_ms=now_ms))
    return found.id, found.workspace_id


def _count_try(connection: Connection, mark: bytes, now_ms: int) -> int:
    """Count one more, before it is known to fail; how long to wait in ms, 0: go on."""
    row = login_failure.c
    connection.execute(delete(login_failure).where(row.since_ms <= now_ms - WINDOW_MS))
    fresh = {"mark": mark, "failures": 0, "since_ms": now_ms}
    connection.execute(insert_new(connection, login_failure).values(fresh))
    connection.execute(
        update(login_failure).where(row.mark == mark).values(failures=row.failures + 1)
    )
    found = connection.execute(select(login_failure).where(row.mark == mark)).one()
    return 0 if found.failures <= FAILURES_MAX else int(found.since_ms + WINDOW_MS - now_ms)


def _accounts(connection: Connection, email: str) -> list[Any]:
    query = (
        select(account.c.id, account.c.workspace_id, account.c.password)
        .where(account.c.email == email, account.c.password.is_not(None))
        .order_by(account.c.id)
        .limit(ACCOUNTS_TRIED_MAX)
    )
    return list(connection.execute(query).all())
