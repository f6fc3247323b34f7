"""What the form of a rule offers to choose from: names that are known in the workspace."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from services.api.people import known_of_some
from services.contract.tables import content

OFFERED_MAX = 200
"""Of each kind of name."""


@dataclass(frozen=True)
class Offered:
    """Names to choose from, in their order; what else is written is taken as well."""

    attributes: list[str]
    topics: list[str]
    content: list[tuple[str, str]]
    """Ids with titles, the newest first."""


def offered(connection: Connection, workspace_id: int) -> Offered:
    """What is known of some people and in the catalogue. No values: these are people's."""
    items = _newest(connection, workspace_id)
    attributes, read = known_of_some(connection, workspace_id)
    topics = read | {str(topic) for one in items for topic in one.topics}
    return Offered(
        sorted(attributes)[:OFFERED_MAX],
        sorted(topics)[:OFFERED_MAX],
        [(one.content_id, one.title) for one in items],
    )


def offered_content(connection: Connection, workspace_id: int) -> list[tuple[str, str]]:
    """Ids with titles, the newest first."""
    return [(one.content_id, one.title) for one in _newest(connection, workspace_id)]


def _newest(connection: Connection, workspace_id: int) -> Sequence[Any]:
    item = content.c
    query = (
        select(item.content_id, item.title, item.topics)
        .where(item.workspace_id == workspace_id)
        .order_by(item.id.desc())
        .limit(OFFERED_MAX)
    )
    return connection.execute(query).all()
