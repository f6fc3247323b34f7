"""What somebody should look at."""

from typing import NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import Connection, func, select

from services.api.context import Context
from services.api.webhook_store import WEBHOOKS_MAX
from services.contract.phases import HOUR_MS
from services.contract.tables import interval, person_state, webhook

LATE_MS = HOUR_MS
"""What is written of so long before was scored late."""
STILL_MS = 5 * 60_000
"""What waits so long is told of."""
_LATELY_MS = 30_000
_LOOKED_AT_MAX = 1_000
"""Intervals that were written last, of whomever; boundaries that are overdue, likewise."""
_ENOUGH = 5
"""Of fewer people it may be but a telephone that had no network."""


class Lag(NamedTuple):
    """The scorer does not keep up."""

    at_ms: int
    """About how far it has come, in what it works on; or since when it came no further."""
    stands_still: bool


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


def lag(here: Context, connection: Connection, workspace_id: int) -> Lag | None:
    """How the scorer lags; None: it keeps up, as far as anybody can tell."""
    now_ms = here.clock()
    behind_ms = caught_up_to(connection, workspace_id, now_ms)
    if behind_ms is not None:
        return Lag(behind_ms, stands_still=False)
    found = (here.unscored(), _overdue(connection, workspace_id, now_ms - STILL_MS))
    still_ms = min((one for one in found if one is not None), default=now_ms)
    return Lag(still_ms, stands_still=True) if still_ms <= now_ms - STILL_MS else None


def _overdue(connection: Connection, workspace_id: int, before_ms: int) -> int | None:
    """The first moment before another at which something was to change, and was not announced.

    Where nothing is overdue, as is usual, no row is looked at. Of very many some are: of a
    workspace whose boundaries came later than theirs nothing is told until then.
    """
    row = person_state.c
    overdue = select(row.workspace_id, row.due_ms).where(row.due_ms <= before_ms)
    first = overdue.order_by(row.due_ms, row.person_id).limit(_LOOKED_AT_MAX).subquery("overdue")
    query = select(func.min(first.c.due_ms)).where(first.c.workspace_id == workspace_id)
    first_ms: int | None = connection.execute(query).scalar_one()
    return first_ms


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
