"""What somebody should look at."""

from typing import NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import Connection, select

from services.api.webhook_store import WEBHOOKS_MAX
from services.contract.tables import webhook


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
