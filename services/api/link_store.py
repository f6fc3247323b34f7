"""Links in the database: each stored once, found again, listed."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from services.api.problem import Problem
from services.contract.tables import link
from services.contract.token import Link
from services.runtime.database import insert_new

_AT_ONCE = 200


def keep_links(
    connection: Connection, workspace_id: int, links: Mapping[str, Link], now_ms: int
) -> dict[str, Row[Any]]:
    """Store links by their tokens; the rows by token. What is there already stays as it is."""
    tokens = list(links)
    kept: dict[str, Row[Any]] = {}
    for i in range(0, len(tokens), _AT_ONCE):
        part = tokens[i : i + _AT_ONCE]
        rows = [_row(workspace_id, token, links[token], now_ms) for token in part]
        connection.execute(insert_new(connection, link), rows)
        query = select(link).where(
            link.c.workspace_id == workspace_id, link.c.digest.in_([row["digest"] for row in rows])
        )
        kept |= {row.token: row for row in connection.execute(query)}
    return kept


def _row(workspace_id: int, token: str, about: Link, now_ms: int) -> dict[str, Any]:
    return {
        "workspace_id": workspace_id,
        "public_id": f"l_{secrets.token_hex(8)}",
        "token": token,
        "digest": hashlib.blake2b(token.encode(), digest_size=16).digest(),
        "target": about.target,
        "mailing": about.campaign_id,
        "content_id": about.content_id,
        "content_type": about.content_type,
        "channel": about.channel,
        "expires_ms": about.expires_ms,
        "created_ms": now_ms,
    }


def find_link(connection: Connection, workspace_id: int, public_id: str) -> Row[Any]:
    """The row of a link.

    Raises:
        Problem: 404, there is none in this workspace.
    """
    query = select(link).where(link.c.workspace_id == workspace_id, link.c.public_id == public_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Problem(404, "not_found", "There is no link with this id in this workspace.")
    return row


def links_page(
    connection: Connection, workspace_id: int, mailing: str | None, before_id: int, limit: int
) -> Sequence[Row[Any]]:
    """Links, the newest first, of one mailing or of all."""
    query = (
        select(link)
        .where(link.c.workspace_id == workspace_id, link.c.id < before_id)
        .order_by(link.c.id.desc())
        .limit(limit)
    )
    if mailing is not None:
        query = query.where(link.c.mailing == mailing)
    return connection.execute(query).all()
