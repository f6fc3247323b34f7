"""Webhooks as rows: found, made, changed; with a reader of the feed for each."""

import secrets as random
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from services.api.audit import note
from services.api.auth import Credential
from services.api.feed import newest_position
from services.api.one_at_a_time import one_at_a_time
from services.api.problem import Problem
from services.contract.change import Told, select_changes, told
from services.contract.tables import change, delivery, feed_reader, webhook
from services.contract.target import Network, TargetError, check_addresses, target_of
from services.contract.webhook import new_secret, seal_secrets
from services.runtime.bulk import among
from services.runtime.outbound import addresses_of

WEBHOOKS_MAX = 50
"""Of one workspace."""
ASKED_MAX = 100
"""Tests and messages to be sent again that may wait for one webhook."""


def check_url(url: str, networks: Sequence[Network]) -> None:
    """Refuse a target that we would not connect to.

    It is checked again whenever we connect: a name may lead elsewhere by then.

    Raises:
        Problem: 400, with the reason.
    """
    try:
        target = target_of(url)
        check_addresses(target, addresses_of(target.host, target.port), networks)
    except TargetError as refused:
        raise Problem(400, "bad_target", str(refused)) from None
    except (OSError, UnicodeError):
        raise Problem(400, "bad_target", "The host has no address.") from None


def add_webhook(
    connection: Connection,
    workspace_id: int,
    values: dict[str, Any],
    after: int | None,
    now_ms: int,
) -> Row[Any]:
    """A new webhook; its messages begin behind a position of the feed, or with what comes now.

    Raises:
        Problem: 409, there are too many.
    """
    one_at_a_time(connection, workspace_id)
    mine = select(func.count()).where(webhook.c.workspace_id == workspace_id)
    if connection.execute(mine).scalar_one() >= WEBHOOKS_MAX:
        raise Problem(409, "too_many_webhooks", f"A workspace has at most {WEBHOOKS_MAX}.")
    public_id = f"wh_{random.token_hex(12)}"
    row = {
        "workspace_id": workspace_id,
        "public_id": public_id,
        "secrets": seal_secrets([new_secret(now_ms)]),
        "status": "active",
        "status_ms": now_ms,
        "failures": 0,
        "version": 1,
        "created_ms": now_ms,
        **values,
    }
    connection.execute(insert(webhook).values(row))
    begin = newest_position(connection) if after is None else after
    reader = {"name": public_id, "position": begin, "beat": 0}
    connection.execute(insert(feed_reader).values(reader))
    return find_webhook(connection, workspace_id, public_id)


def find_webhook(connection: Connection, workspace_id: int, public_id: str) -> Row[Any]:
    """The row of a webhook.

    Raises:
        Problem: 404, there is none in this workspace.
    """
    query = select(webhook).where(
        webhook.c.workspace_id == workspace_id, webhook.c.public_id == public_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Problem(404, "not_found", "There is no webhook with this id in this workspace.")
    return row


def hold_webhook(connection: Connection, workspace_id: int, public_id: str) -> Row[Any]:
    """The same, and nobody changes it before the transaction ends.

    Raises:
        Problem: 404, there is none in this workspace.
    """
    of = webhook.c.workspace_id == workspace_id, webhook.c.public_id == public_id
    connection.execute(update(webhook).where(*of).values(version=webhook.c.version + 1))
    return find_webhook(connection, workspace_id, public_id)


def change_webhook(connection: Connection, row: Row[Any], values: dict[str, Any]) -> Row[Any]:
    """Write what its owner wishes, of a row that is held."""
    mine = webhook.c.workspace_id == row.workspace_id, webhook.c.id == row.id
    connection.execute(update(webhook).where(*mine).values(values))
    return find_webhook(connection, row.workspace_id, row.public_id)


def resume(connection: Connection, row: Row[Any], now_ms: int) -> None:
    """Let what waited be sent now, with a day before it; what was asked for never waited for it."""
    of = delivery.c.workspace_id == row.workspace_id, delivery.c.webhook_id == row.id
    waiting = update(delivery).where(*of, delivery.c.status == "waiting", ~delivery.c.asked)
    connection.execute(waiting.values(attempts=0, first_ms=None, next_ms=now_ms))


def delete_webhook(connection: Connection, row: Row[Any]) -> None:
    """Nothing is sent any more, and what was is forgotten."""
    of = delivery.c.workspace_id == row.workspace_id, delivery.c.webhook_id == row.id
    connection.execute(delete(delivery).where(*of))
    connection.execute(delete(feed_reader).where(feed_reader.c.name == row.public_id))
    mine = webhook.c.workspace_id == row.workspace_id, webhook.c.id == row.id
    connection.execute(delete(webhook).where(*mine))


def note_webhook(
    connection: Connection,
    credential: Credential,
    what: str,
    now_ms: int,
    *,
    before: Row[Any] | None = None,
    after: Row[Any] | None = None,
) -> None:
    """Let the audit tell of a change, without secrets."""
    told = ("url", "description", "types", "segments", "late", "status")
    was = None if before is None else {name: getattr(before, name) for name in told}
    now = None if after is None else {name: getattr(after, name) for name in told}
    about = (after or before).public_id  # type: ignore[union-attr]
    who, workspace_id = credential.who, credential.workspace_id
    note(connection, workspace_id, who, what, about, now_ms, before=was, after=now)


def ask_test(connection: Connection, row: Row[Any], now_ms: int) -> Row[Any]:
    """A test message, to be sent at once; of a row that is held.

    Raises:
        Problem: 429, too many were asked for and wait.
    """
    check_asked(connection, row)
    values = {
        "workspace_id": row.workspace_id,
        "webhook_id": row.id,
        "public_id": f"msg_{random.token_hex(16)}",
        "status": "waiting",
        "asked": True,
        "attempts": 0,
        "next_ms": now_ms,
        "created_ms": now_ms,
    }
    connection.execute(insert(delivery).values(values))
    return find_delivery(connection, row, str(values["public_id"]))


def check_asked(connection: Connection, row: Row[Any]) -> None:
    """Whether one more may be asked for.

    Raises:
        Problem: 429, too many wait.
    """
    query = select(func.count()).where(
        delivery.c.workspace_id == row.workspace_id,
        delivery.c.webhook_id == row.id,
        delivery.c.status == "waiting",
        delivery.c.asked,
    )
    if connection.execute(query).scalar_one() >= ASKED_MAX:
        text = f"{ASKED_MAX} messages that were asked for wait already."
        raise Problem(429, "too_many_waiting", text, {"Retry-After": "60"})


def find_delivery(connection: Connection, row: Row[Any], public_id: str) -> Row[Any]:
    """The row of a message to a webhook.

    Raises:
        Problem: 404, there is none.
    """
    query = select(delivery).where(
        delivery.c.workspace_id == row.workspace_id,
        delivery.c.webhook_id == row.id,
        delivery.c.public_id == public_id,
    )
    found = connection.execute(query).one_or_none()
    if found is None:
        raise Problem(404, "not_found", "There is no delivery with this id of this webhook.")
    return found


def send_again(connection: Connection, found: Row[Any], now_ms: int) -> None:
    """Let a message be sent once more, at once, under the same id."""
    again = {"status": "waiting", "asked": True, "attempts": 0, "first_ms": None, "next_ms": now_ms}
    mine = delivery.c.workspace_id == found.workspace_id, delivery.c.id == found.id
    connection.execute(update(delivery).where(*mine).values(again))


def changes_of(
    connection: Connection, workspace_id: int, deliveries: Iterable[Row[Any]]
) -> dict[int, Told]:
    """What messages tell of, by position; without what was erased."""
    positions = [row.position for row in deliveries if row.position is not None]
    if not positions:
        return {}
    query = select_changes(workspace_id).where(among(connection, change.c.position, positions))
    return {row.position: told(row) for row in connection.execute(query).all()}
