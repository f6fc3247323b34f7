"""``Idempotency-Key``: a request that is sent again makes nothing twice.

What a request made is kept for a week by the digest of its key, with a digest of what was asked.
No answer is kept, for answers hold secrets and people: the same thing is found and shown again.
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, Header, Request
from sqlalchemy import ColumnElement, Connection, delete, select, update

from services.api.problem import Problem
from services.contract.phases import DAY_MS
from services.contract.tables import request_made
from services.runtime.database import insert_new

KEY_LENGTH_MAX = 255
KEPT_MS = 7 * DAY_MS
"""How long a repeat is known to be one."""
_SWEPT_MAX = 100
"""Keys that were kept long enough, and go when another comes."""


@dataclass(frozen=True)
class Once:
    """A request that may be a repeat."""

    key: bytes | None
    """Digest of its Idempotency-Key; None: it came without."""
    asked: bytes
    """Digest of the route and the body."""

    def made(self, connection: Connection, workspace_id: int) -> str | None:
        """What the same request made before; None: nothing, or it has no key.

        Asked in the transaction that makes it, before anything else: where the same request is
        being answered just now, this one waits for what comes of it.

        Raises:
            Problem: 409, the key came with another request.
        """
        if self.key is None or self._is_first(connection, workspace_id):
            return None
        return self.made_before(connection, workspace_id)

    def made_before(self, connection: Connection, workspace_id: int) -> str | None:
        """The same of a request that was answered already; nobody is waited for.

        Raises:
            Problem: 409, the key came with another request.
        """
        row = request_made.c
        query = select(row.request_digest, row.made).where(*self._mine(workspace_id))
        found = connection.execute(query).one_or_none()
        if found is None:
            return None
        if found.request_digest != self.asked:
            text = "This Idempotency-Key came with another request before."
            raise Problem(409, "idempotency_mismatch", text)
        return str(found.made)

    def remember(self, connection: Connection, workspace_id: int, made: str, now_ms: int) -> None:
        """Keep what was made, in the transaction that made it.

        Args:
            connection: that transaction, in which :meth:`made` found nothing.
            workspace_id: whose.
            made: what finds it again: a public id, a key, a position.
            now_ms: the time.
        """
        if self.key is None:
            return
        row = request_made.c
        mine = update(request_made).where(*self._mine(workspace_id))
        connection.execute(mine.values(made=made, at_ms=now_ms))
        old = (
            select(row.request_key)
            .where(row.workspace_id == workspace_id, row.at_ms < now_ms - KEPT_MS)
            .limit(_SWEPT_MAX)
        )
        connection.execute(
            delete(request_made).where(
                row.workspace_id == workspace_id,
                row.at_ms < now_ms - KEPT_MS,
                row.request_key.in_(old),
            )
        )

    def _is_first(self, connection: Connection, workspace_id: int) -> bool:
        """Take the key's row; whoever else has it is waited for."""
        values = {
            "workspace_id": workspace_id,
            "request_key": self.key,
            "request_digest": self.asked,
            "made": "",
            "at_ms": 0,
        }
        taken = insert_new(connection, request_made).values(values)
        return connection.execute(taken.returning(request_made.c.request_key)).first() is not None

    def _mine(self, workspace_id: int) -> tuple[ColumnElement[bool], ...]:
        row = request_made.c
        return row.workspace_id == workspace_id, row.request_key == self.key

    def name(self) -> str:
        """A name for an event that the request says: the same at a repeat."""
        return uuid4().hex if self.key is None else _digest(self.key, self.asked).hex()


async def _once(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=KEY_LENGTH_MAX,
            pattern="^[!-~]+$",
            description="Your own id of this request: sent again with it within a week, nothing "
            "is made twice.",
        ),
    ] = None,
) -> Once:
    path = request.url.path.encode()
    # Of this route alone: senders may count their requests to each route apart.
    key = None if idempotency_key is None else _digest(path, idempotency_key.encode())
    return Once(key, _digest(path, await request.body()))


OnceOnly = Annotated[Once, Depends(_once)]
"""A parameter of every route whose POST makes something."""


def _digest(*texts: bytes) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for text in texts:
        digest.update(b"%d:" % len(text) + text)
    return digest.digest()
