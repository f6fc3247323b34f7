"""Logging in: by mail address and password, or with an api key; tried a bounded number of times.

What is counted is who tries, from which address, as whom: so nobody can keep somebody else from
logging in by trying in their name, unless they share an address.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, delete, select, update

from services.api.context import Context
from services.api.passwords import is_right
from services.api.tries import FORGOTTEN_MS, WINDOW_MS, Tries, next_try
from services.contract.tables import account, login_failure
from services.runtime.database import insert_new, writing

FAILURES_MAX = 10
"""As one account, from one address, within a quarter of an hour; then that pair waits."""
BY_ADDRESS_MAX = 100
"""Likewise from one address, as whomever."""
FROM_ANYWHERE_MAX = 100
"""Likewise as one account from anywhere; then each address has :data:`FEW` and not ten."""
FEW = 2
ACCOUNTS_TRIED_MAX = 5
"""Somebody may have an account in several workspaces; the password tells which is meant."""

T = TypeVar("T")


@dataclass(frozen=True)
class TooOften:
    """It was tried too often."""

    wait_s: int


def account_of(
    here: Context, address: str | None, email: str, password: str
) -> tuple[int, int] | TooOften | None:
    """The account of who knows its password, as (row id, workspace); None: nobody's.

    An address that nobody has takes as long, and is counted alike: the answer does not tell
    whether there is such an account.

    Args:
        here: the app's surroundings.
        address: from where it is tried; None: an inner one, which tells nobody apart.
        email: whom they say they are.
        password: what they give.

    Raises:
        Problem: 503, too many are logging in.
    """
    email = email.strip().lower()

    def proven() -> tuple[int, int] | None:
        with here.engine.connect() as connection:
            rows = _accounts(connection, email)
        if not rows:
            is_right(None, password)
        row = next((row for row in rows if is_right(row.password, password)), None)
        return None if row is None else (row.id, row.workspace_id)

    found = limited(here, address, email, proven)
    if isinstance(found, tuple):
        with writing(here.engine).begin() as connection:
            mine = update(account).where(account.c.id == found[0])
            connection.execute(mine.values(used_ms=here.clock()))
    return found


def proves_to_be(
    here: Context, address: str | None, row: Row[Any], password: str
) -> bool | TooOften:
    """Whether somebody who is logged in knows their password; tried no more often than at log-in.

    Raises:
        Problem: 503, too many are logging in.
    """
    found = limited(
        here, address, row.email, lambda: True if is_right(row.password, password) else None
    )
    return found if isinstance(found, TooOften) else found is not None


def limited(
    here: Context, address: str | None, email: str, proven: Callable[[], T | None]
) -> T | TooOften | None:
    """What ``proven`` says, if it may be tried; its None is a failure."""
    marks = _marks(here, address or "", email)
    now_ms = here.clock()
    with writing(here.engine).begin() as connection:
        wait_ms = _count_try(connection, marks, now_ms, has_address=address is not None)
    if wait_ms:
        return TooOften(-(-wait_ms // 1000))
    found = proven()
    if found is not None:
        with writing(here.engine).begin() as connection:
            _take_back(connection, marks)
    return found


def _marks(here: Context, address: str, email: str) -> tuple[bytes, bytes, bytes]:
    """Of the pair, of the address, of the account: keyed, for addresses are easily guessed."""
    pair, by_address, as_whom = (
        hmac.digest(here.internal_key.encode(), text.encode("utf-8", "replace"), hashlib.sha256)
        for text in (f"pair\x1f{address}\x1f{email}", f"from\x1f{address}", f"as\x1f{email}")
    )
    return pair, by_address, as_whom


def _count_try(
    connection: Connection, marks: tuple[bytes, bytes, bytes], now_ms: int, *, has_address: bool
) -> int:
    """Count one more, before it is known to fail; how long to wait in ms, 0: go on."""
    row = login_failure.c
    connection.execute(delete(login_failure).where(row.since_ms <= now_ms - FORGOTTEN_MS))
    pair, by_address, as_whom = marks
    anywhere = _held(connection, as_whom, now_ms)
    is_tried_much = anywhere.failures >= FROM_ANYWHERE_MAX
    if now_ms - anywhere.since_ms >= WINDOW_MS:
        anywhere, is_tried_much = Tries(0, now_ms), False
    allowed = FEW if is_tried_much and has_address else FAILURES_MAX
    kept, wait_ms = next_try(_held(connection, pair, now_ms), allowed, now_ms)
    if wait_ms:
        return wait_ms
    if has_address:
        from_there, wait_ms = next_try(
            _held(connection, by_address, now_ms), BY_ADDRESS_MAX, now_ms
        )
        if wait_ms:
            return wait_ms
        _keep(connection, by_address, from_there)
    _keep(connection, as_whom, Tries(anywhere.failures + 1, anywhere.since_ms))
    _keep(connection, pair, kept)
    return 0


def _take_back(connection: Connection, marks: tuple[bytes, bytes, bytes]) -> None:
    """It was no failure. In the order in which they are counted, or two would wait in a circle."""
    row = login_failure.c
    pair, by_address, as_whom = marks
    for mark in (as_whom, pair, by_address):
        one = update(login_failure).where(row.mark == mark, row.failures > 0)
        connection.execute(one.values(failures=0 if mark == pair else row.failures - 1))


def _held(connection: Connection, mark: bytes, now_ms: int) -> Tries:
    """What is kept of a mark; nobody else counts by it before the transaction ends."""
    row = login_failure.c
    fresh = {"mark": mark, "failures": 0, "since_ms": now_ms}
    connection.execute(insert_new(connection, login_failure).values(fresh))
    query = select(row.failures, row.since_ms).where(row.mark == mark).with_for_update()
    found = connection.execute(query).one_or_none()
    return Tries(0, now_ms) if found is None else Tries(found.failures, found.since_ms)


def _keep(connection: Connection, mark: bytes, tries: Tries) -> None:
    mine = update(login_failure).where(login_failure.c.mark == mark)
    connection.execute(mine.values(failures=tries.failures, since_ms=tries.since_ms))


def _accounts(connection: Connection, email: str) -> list[Any]:
    query = (
        select(account.c.id, account.c.workspace_id, account.c.password)
        .where(account.c.email == email, account.c.password.is_not(None))
        .order_by(account.c.id)
        .limit(ACCOUNTS_TRIED_MAX)
    )
    return list(connection.execute(query).all())
