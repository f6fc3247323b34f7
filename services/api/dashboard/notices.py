"""What somebody should look at."""

from typing import NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import Connection, select

from services.api.webhook_store import WEBHOOKS_MAX
from services.contract.phases import HOUR_MS
from services.contract.tables import interval, webhook

LATE_MS = HOUR_MS
"""What is written of so long before was scored late."""
_LATELY_MS = 30_000
_LOOKED_AT_MAX = 1_000
"""Intervals that were written last, of whomever."""
_ENOUGH = 5
"""Of fewer people it may be but a telephone that had no network."""


class Dead(NamedTuple):
    """A webhook that sends nothing any more."""

    host: str
    """Of its receiver; the rest of its address may be a secret."""
    since_ms: int


def dead_webhooks(connection: Connection, workspace_id: int) -> list[Dead]:
    """Webhooks that were found dead and not resumed yet, the longest first."""
    row = webhook.c
    query = (
        select(row.url, row.status_ms)
        .where(row.workspace_id == workspace_id, row.status == "dead")
        .order_by(row.status_ms)
        .limit(WEBHOOKS_MAX)
    )
    return [Dead(urlsplit(url).netloc, ms) for url, ms in connection.execute(query).all()]


def caught_up_to(connection: Connection, workspace_id: int, now_ms: int) -> int | None:
    """About how far the scorer is that works through what happened long before.

    It shows in what was written lately: that phases of many people ended long ago. So it is while
    history comes in, and after the scorer stood still; while it stands still nothing tells.

    Returns:
        When what it scores now happened, in UTC milliseconds; None: it keeps up.
    """
    row = interval.c
    shown = (row.workspace_id, row.kind, row.person_id, row.event_id)
    times = (row.valid_from_ms, row.valid_to_ms, row.known_from_ms)
    newest = select(*shown, *times).order_by(row.id.desc()).limit(_LOOKED_AT_MAX).subquery("newest")
    query = select(newest).where(
        newest.c.workspace_id == workspace_id,
        newest.c.kind == "phase",
        newest.c.known_from_ms > now_ms - _LATELY_MS,
        newest.c.valid_to_ms <= newest.c.known_from_ms,
    )
    ended = connection.execute(query).all()
    late = [one for one in ended if one.known_from_ms - one.valid_to_ms > LATE_MS]
    behind = {one.person_id for one in late}
    if len(behind) < _ENOUGH or len(behind) <= len({one.person_id for one in ended} - behind):
        return None
    began = [one.valid_from_ms for one in late if one.event_id is not None]
    return int(max(began, default=min(one.valid_to_ms for one in late)))
