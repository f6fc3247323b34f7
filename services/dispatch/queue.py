"""An endpoint's queue in the database, as it is read: its own rows, and the feed behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, or_, select

from services.contract.change import select_changes, told
from services.contract.moment import rfc3339
from services.contract.tables import change, delivery, feed_position, trigger, webhook
from services.contract.webhook import (
    Secret,
    body_of,
    message_id_of,
    open_secrets,
    test_body_of,
)
from services.dispatch.follows import Health
from services.dispatch.lanes import Message
from services.dispatch.readers import hold
from services.dispatch.wishes import Wish, conditions
from services.runtime.bulk import among

QUEUE_MAX = 1_000
"""Messages of one endpoint that wait; what comes after them waits in the feed."""

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
    found = [Message(*one) for one in db.execute(query).all()]
    for message in found:
        message.kept_ms = message.next_ms
    return found


def _is_not_for_others(name: str) -> ColumnElement[bool]:
    """That no trigger tells of it that tells another webhook alone."""
    one = trigger.c
    of_other = select(one.id).where(
        one.workspace_id == change.c.workspace_id,
        one.public_id == change.c.key,
        one.webhook != name,
    )
    return or_(change.c.kind != "trigger", ~of_other.exists())
