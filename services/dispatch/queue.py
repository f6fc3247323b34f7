"""An endpoint's queue in the database: read from table and feed, and told what came of it.

What was taken from the feed is written down when it was sent, with the position that it leads to,
in one transaction; a process that is killed before sends the same again, under the same id.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    insert,
    or_,
    select,
    update,
)

from services.contract.change import select_changes, told
from services.contract.moment import rfc3339
from services.contract.phases import DAY_MS
from services.contract.tables import audit, change, delivery, feed_position, trigger, webhook
from services.contract.webhook import (
    Secret,
    body_of,
    message_id_of,
    open_secrets,
    test_body_of,
)
from services.dispatch.follows import Health, Sent
from services.dispatch.lanes import Message
from services.dispatch.readers import hold, move
from services.dispatch.wishes import Wish, conditions
from services.runtime.bulk import among, delete_rows, insert_rows, update_rows

QUEUE_MAX = 1_000
"""Messages of one endpoint that wait; what comes after them waits in the feed."""
KEPT_MAX = 50_000
"""Messages that are done, of one endpoint, kept to be looked at and sent again."""
KEPT_MS = 7 * DAY_MS
DELETE_MAX = 5_000

_row = delivery.c


@dataclass(frozen=True)
class Hook:
    """A webhook as its dispatcher needs it."""

    id: int
    workspace_id: int
    public_id: str
    url: str
    secrets: list[Secret]
    version: int
    wish: Wish
    new: Select[Any]
    """The changes that it asked for, behind ``after``, up to ``newest``, at most ``room``."""


class Loaded(NamedTuple):
    """All that the database knows of a webhook."""

    hook: Hook
    health: Health
    waiting: list[Message]
    """In the order of the feed."""
    position: int
    """Of the feed, up to which it was taken."""


class Taken(NamedTuple):
    """From the feed."""

    messages: list[Message]
    position: int
    """Up to here nothing is left there."""
    has_more: bool


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


def load(db: Connection, name: str, holder: str) -> Loaded | None:
    """What there is of a webhook; None: it was deleted.

    Raises:
        LostError: another process has it.
    """
    position = hold(db, name, holder)
    row = db.execute(select(webhook).where(webhook.c.public_id == name)).one_or_none()
    if row is None:
        return None
    health = Health(
        row.status, row.notice, row.failing_ms, row.failures, row.retry_ms, row.succeeded_ms
    )
    return Loaded(_hook(row), health, _waiting(db, row), position)


def newest_for(db: Connection, hook: Hook) -> int | None:
    """The feed's newest position; None: the owner changed something since the hook was loaded."""
    of = {"workspace": hook.workspace_id, "webhook": hook.id}
    found = db.execute(_NEWEST, of).one_or_none()
    return None if found is None or found.version != hook.version else (found.next or 1) - 1


_NEWEST = select(
    webhook.c.version,
    select(feed_position.c.next).where(feed_position.c.id == 1).scalar_subquery().label("next"),
).where(webhook.c.workspace_id == bindparam("workspace"), webhook.c.id == bindparam("webhook"))


def take(db: Connection, hook: Hook, position: int, newest: int, room: int, now_ms: int) -> Taken:
    """Messages about what the feed holds behind a position."""
    asked = {"after": position, "newest": newest, "room": room}
    rows = db.execute(hook.new, asked).all() if newest > position else []
    messages = [
        Message(
            id=None,
            public_id=message_id_of(hook.public_id, row.position),
            position=row.position,
            person_id=row.person_id,
            asked=False,
            attempts=0,
            first_ms=None,
            next_ms=now_ms,
            recorded_ms=row.recorded_ms,
            is_read=True,
            body=body_of(told(row)),
        )
        for row in rows
    ]
    has_more = len(rows) == room
    return Taken(messages, rows[-1].position if has_more else max(newest, position), has_more)


def read_bodies(db: Connection, hook: Hook, messages: Sequence[Message]) -> None:
    """What each message says; of a change that was erased meanwhile it stays None."""
    positions = [one.position for one in messages if one.position is not None]
    query = select_changes(hook.workspace_id).where(among(db, change.c.position, positions))
    found = {one.position: one for one in db.execute(query).all()} if positions else {}
    for message in messages:
        message.is_read = True
        if message.position is None:
            message.body = test_body_of(hook.public_id, rfc3339(message.recorded_ms))
        elif message.position in found:
            of = found[message.position]
            message.body, message.recorded_ms = body_of(told(of)), of.recorded_ms


def record(db: Connection, hook: Hook, holder: str, outcome: Outcome, now_ms: int) -> None:
    """Write down what came of messages, and how far the feed was taken.

    Raises:
        LostError: another process has the webhook, and sends the same again.
    """
    move(db, hook.public_id, holder, outcome.position)
    known = [(*_sent(one), one.message.id) for one in outcome.sent if one.message.id is not None]
    update_rows(db, delivery, "id", _SENT, known)
    fresh = [(*_made(hook, one.message, now_ms), *_sent(one)) for one in outcome.sent]
    fresh = [row for row, one in zip(fresh, outcome.sent, strict=True) if one.message.id is None]
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


def _is_not_for_others(name: str) -> ColumnElement[bool]:
    """That no trigger tells of it that tells another webhook alone."""
    one = trigger.c
    of_other = select(one.id).where(
        one.workspace_id == change.c.workspace_id,
        one.public_id == change.c.key,
        one.webhook != name,
    )
    return or_(change.c.kind != "trigger", ~of_other.exists())


def _hook(row: Row[Any]) -> Hook:
    wish = Wish(tuple(row.types), tuple(row.segments), row.late)
    position = change.c.position
    new = select_changes(row.workspace_id).where(
        position > bindparam("after"),
        position <= bindparam("newest"),
        *conditions(wish),
        _is_not_for_others(row.public_id),
    )
    return Hook(
        row.id,
        row.workspace_id,
        row.public_id,
        row.url,
        open_secrets(bytes(row.secrets)),
        row.version,
        wish,
        new.order_by(position).limit(bindparam("room")),
    )


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
        .where(
            _row.workspace_id == row.workspace_id,
            _row.webhook_id == row.id,
            _row.status == "waiting",
        )
        .order_by(_row.position, _row.id)
        .limit(2 * QUEUE_MAX)
    )
    return [Message(*one) for one in db.execute(query).all()]


def _made(hook: Hook, message: Message, now_ms: int) -> tuple[Any, ...]:
    of = hook.workspace_id, hook.id, message.public_id, message.position, message.person_id
    return (*of, now_ms)


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
