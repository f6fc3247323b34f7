"""An endpoint's queue in the database: filled from the feed, and told what became of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from services.contract.change import select_changes, told
from services.contract.moment import rfc3339
from services.contract.phases import DAY_MS
from services.contract.tables import audit, change, delivery, webhook
from services.contract.webhook import (
    DeliveryStatus,
    Secret,
    body_of,
    open_secrets,
    test_body_of,
)
from services.dispatch.filling import QUEUE_MAX, fill, of_webhook
from services.dispatch.lanes import Lane, Message, lanes_of, next_due_ms
from services.dispatch.readers import hold
from services.runtime.bulk import among, delete_rows, update_rows

KEPT_MAX = 50_000
"""Messages that are done, of one endpoint, kept to be looked at and sent again."""
KEPT_MS = 7 * DAY_MS
DELETE_MAX = 5_000

_row = delivery.c


@dataclass(frozen=True)
class Health:
    """How an endpoint does: what a batch changes about it."""

    status: str
    notice: str | None
    failing_ms: int | None
    failures: int
    retry_ms: int | None
    succeeded_ms: int | None


@dataclass(frozen=True)
class Work:
    """A webhook as its dispatcher needs it, and what may be sent now."""

    id: int
    workspace_id: int
    public_id: str
    url: str
    secrets: list[Secret]
    version: int
    health: Health
    lanes: list[Lane]
    next_ms: int | None
    """When something else may be sent; None: nothing waits, or for its owner alone."""
    oldest_ms: int | None
    """Since when the oldest message waits that its owner does not hold up."""
    behind: bool
    """There is more in the feed than was taken from it."""
    position: int
    """Of the feed, up to which it was taken."""


@dataclass(frozen=True)
class Sent:
    """What became of a message."""

    message: Message
    status: DeliveryStatus
    attempts: int
    first_ms: int | None
    next_ms: int
    last_ms: int
    http_status: int | None = None
    error: str | None = None
    took_ms: int | None = None


def load(db: Connection, name: str, holder: str, now_ms: int) -> Work | None:
    """What to do for a webhook, after what came since was added; None: it was deleted.

    Raises:
        LostError: another process has it.
    """
    position = hold(db, name, holder)
    row = db.execute(select(webhook).where(webhook.c.public_id == name)).one_or_none()
    if row is None:
        return None
    is_held_up = row.status != "active" or (row.retry_ms is not None and now_ms < row.retry_ms)
    behind = False
    if not is_held_up:
        behind, position = fill(db, row, holder, position, now_ms)
    waiting = _waiting(db, row)
    probe = row.failing_ms is not None
    lanes = lanes_of(waiting, now_ms, probe=probe, only_asked=is_held_up)
    _write_bodies(db, row, [message for lane in lanes for message in lane])
    next_ms = next_due_ms(waiting, only_asked=is_held_up)
    if row.status == "active" and is_held_up:
        next_ms = min(row.retry_ms, next_ms or row.retry_ms)
    return Work(
        row.id,
        row.workspace_id,
        row.public_id,
        row.url,
        open_secrets(bytes(row.secrets)),
        row.version,
        Health(
            row.status,
            row.notice,
            row.failing_ms,
            row.failures,
            row.retry_ms,
            row.succeeded_ms,
        ),
        lanes,
        next_ms,
        min((one.recorded_ms for one in waiting), default=None) if row.status == "active" else None,
        behind,
        position,
    )


def settle(
    db: Connection, work: Work, holder: str, sent: Sequence[Sent], health: Health, now_ms: int
) -> None:
    """Write down what became of a batch.

    Raises:
        LostError: another process has the webhook, and sends the same again.
    """
    hold(db, work.public_id, holder)
    rows = [
        (
            one.status,
            one.status == "waiting" and one.message.asked,
            one.attempts,
            one.first_ms,
            one.next_ms,
            one.last_ms,
            one.http_status,
            one.error,
            one.took_ms,
            one.message.id,
        )
        for one in sent
    ]
    update_rows(db, delivery, "id", _SETTLED, rows)
    if health == work.health:
        return
    values: dict[str, Any] = asdict(health)
    if health.status != work.health.status:
        values["status_ms"] = now_ms
    # What its owner said meanwhile counts, not what we thought before.
    row = webhook.c
    same = update(webhook).where(
        row.workspace_id == work.workspace_id, row.id == work.id, row.version == work.version
    )
    if db.execute(same.values(values)).rowcount and health.status != work.health.status:
        died = {
            "workspace_id": work.workspace_id,
            "at_ms": now_ms,
            "who": "dispatcher",
            "what": "webhook.died",
            "about": work.public_id,
            "before": {"status": work.health.status},
            "after": {"status": health.status, "notice": health.notice},
        }
        db.execute(insert(audit).values(died))


_SETTLED = (
    "status",
    "asked",
    "attempts",
    "first_ms",
    "next_ms",
    "last_ms",
    "http_status",
    "error",
    "took_ms",
)


def tidy(db: Connection, work: Work, now_ms: int) -> int:
    """Forget messages that were done long ago; how many."""
    of = of_webhook(work.workspace_id, work.id)
    old = select(_row.id).where(*of, _row.status != "waiting", _row.created_ms < now_ms - KEPT_MS)
    ids = list(db.execute(old.order_by(_row.id).limit(DELETE_MAX)).scalars())
    done = select(_row.id).where(*of, _row.status != "waiting").order_by(_row.id.desc())
    bound = db.execute(done.offset(KEPT_MAX).limit(1)).scalar()
    if bound is not None:
        many = select(_row.id).where(*of, _row.status != "waiting", _row.id <= bound)
        ids += db.execute(many.limit(DELETE_MAX)).scalars()
    delete_rows(db, delivery, "id", sorted(set(ids)))
    return len(ids)


def _waiting(db: Connection, row: Row[Any]) -> list[Message]:
    """All that waits, in the order of the feed."""
    query = (
        select(
            _row.id,
            _row.public_id,
            _row.position,
            _row.person_id,
            _row.asked,
            _row.attempts,
            _row.first_ms,
            _row.next_ms,
            _row.created_ms,
        )
        .where(*of_webhook(row.workspace_id, row.id), _row.status == "waiting")
        .order_by(_row.position, _row.id)
        .limit(2 * QUEUE_MAX)
    )
    return [Message(*one) for one in db.execute(query).all()]


def _write_bodies(db: Connection, row: Row[Any], messages: Sequence[Message]) -> None:
    """What each message says; of a change that was erased meanwhile it stays None."""
    positions = [one.position for one in messages if one.position is not None]
    query = select_changes(row.workspace_id).where(among(db, change.c.position, positions))
    found = {one.position: one for one in db.execute(query).all()} if positions else {}
    for message in messages:
        if message.position is None:
            message.body = test_body_of(row.public_id, rfc3339(message.recorded_ms))
        elif message.position in found:
            of = found[message.position]
            message.body, message.recorded_ms = body_of(told(of)), of.recorded_ms
