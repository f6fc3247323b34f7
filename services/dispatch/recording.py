"""What came of an endpoint's messages, as it is written down.

What was taken from the feed gets its rows when it was sent, with the position that it leads to, in
one transaction; a process that is killed before sends the same again, under the same ids.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from services.contract.phases import DAY_MS
from services.contract.tables import audit, delivery, webhook
from services.dispatch.follows import Health, Sent
from services.dispatch.lanes import Message
from services.dispatch.queue import Hook
from services.dispatch.readers import move
from services.runtime.bulk import among, delete_rows, insert_rows, update_rows

KEPT_MAX = 50_000
"""Messages that are done, of one endpoint, kept to be looked at and sent again."""
KEPT_MS = 7 * DAY_MS
DELETE_MAX = 5_000

_row = delivery.c


@dataclass(frozen=True)
class Outcome:
    """What is to be written down."""

    sent: Collection[Sent]
    """What became of messages that were tried."""
    fresh: Sequence[Message]
    """Others that stand in the feed alone."""
    position: int
    """Up to which the feed was taken."""
    was: Health
    health: Health


def record(db: Connection, hook: Hook, holder: str, outcome: Outcome, now_ms: int) -> None:
    """Write down what came of messages, and how far the feed was taken.

    Raises:
        LostError: another process has the webhook, and sends the same again.
    """
    move(db, hook.public_id, holder, outcome.position)
    anew = _asked_anew(db, hook, [one.message for one in outcome.sent])
    known = [
        (*_sent(one), one.message.id)
        for one in outcome.sent
        if one.message.id is not None and one.message.id not in anew
    ]
    update_rows(db, delivery, "id", _SENT, known)
    fresh = [
        (*_made(hook, one.message, one.first_ms), *_sent(one))  # there before it was tried
        for one in outcome.sent
        if one.message.id is None
    ]
    fresh += [(*_made(hook, one, now_ms), *_unsent(one)) for one in outcome.fresh]
    insert_rows(db, delivery, (*_MADE, *_SENT), fresh)
    waiting = [one.message for one in outcome.sent if one.status == "waiting"]
    _read_ids(db, hook, [one for one in (*waiting, *outcome.fresh) if one.id is None])
    if outcome.health != outcome.was:
        _write_health(db, hook, outcome, now_ms)


_MADE = ("workspace_id", "webhook_id", "public_id", "position", "person_id", "created_ms")
_SENT = (
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


def tidy(db: Connection, hook: Hook, now_ms: int) -> int:
    """Forget messages that were done long ago; how many."""
    of = _row.workspace_id == hook.workspace_id, _row.webhook_id == hook.id
    old = select(_row.id).where(*of, _row.status != "waiting", _row.created_ms < now_ms - KEPT_MS)
    ids = list(db.execute(old.order_by(_row.id).limit(DELETE_MAX)).scalars())
    done = select(_row.id).where(*of, _row.status != "waiting").order_by(_row.id.desc())
    bound = db.execute(done.offset(KEPT_MAX).limit(1)).scalar()
    if bound is not None:
        many = select(_row.id).where(*of, _row.status != "waiting", _row.id <= bound)
        ids += db.execute(many.limit(DELETE_MAX)).scalars()
    delete_rows(db, delivery, "id", sorted(set(ids)))
    return len(ids)


def _made(hook: Hook, message: Message, created_ms: int) -> tuple[Any, ...]:
    of = hook.workspace_id, hook.id, message.public_id, message.position, message.person_id
    return (*of, created_ms)


def _sent(one: Sent) -> tuple[Any, ...]:
    return (
        one.status,
        one.status == "waiting" and one.message.asked,
        one.attempts,
        one.first_ms,
        one.next_ms,
        one.last_ms,
        one.http_status,
        one.error,
        one.took_ms,
    )


def _asked_anew(db: Connection, hook: Hook, messages: Sequence[Message]) -> set[int]:
    """Those whose owner wants them sent once more since they were read: so it stays."""
    kept_ms = {one.id: one.kept_ms for one in messages if one.id is not None}
    if not kept_ms:
        return set()
    query = select(_row.id, _row.next_ms).where(
        _row.workspace_id == hook.workspace_id,
        among(db, _row.id, list(kept_ms)),
        _row.status == "waiting",
        _row.asked,
    )
    found = db.execute(query.with_for_update()).all()
    return {row.id for row in found if row.next_ms != kept_ms[row.id]}


def _unsent(message: Message) -> tuple[Any, ...]:
    return ("waiting", False, 0, None, message.next_ms, None, None, None, None)


def _read_ids(db: Connection, hook: Hook, messages: Sequence[Message]) -> None:
    """Of the rows that were made for messages which are not done yet."""
    if not messages:
        return
    named = among(db, _row.public_id, [one.public_id for one in messages])
    query = select(_row.public_id, _row.id).where(_row.workspace_id == hook.workspace_id, named)
    ids: dict[str, int] = dict(map(tuple, db.execute(query).all()))
    for message in messages:
        message.id = ids[message.public_id]


def _write_health(db: Connection, hook: Hook, outcome: Outcome, now_ms: int) -> None:
    values: dict[str, Any] = asdict(outcome.health)
    is_other = outcome.health.status != outcome.was.status
    if is_other:
        values["status_ms"] = now_ms
    # What its owner said meanwhile counts, not what we thought before.
    row = webhook.c
    same = update(webhook).where(
        row.workspace_id == hook.workspace_id, row.id == hook.id, row.version == hook.version
    )
    if db.execute(same.values(values)).rowcount and is_other:
        died = {
            "workspace_id": hook.workspace_id,
            "at_ms": now_ms,
            "who": "dispatcher",
            "what": "webhook.died",
            "about": hook.public_id,
            "before": {"status": outcome.was.status},
            "after": {"status": outcome.health.status, "notice": outcome.health.notice},
        }
        db.execute(insert(audit).values(died))
