"""``Idempotency-Key``: a request that is sent again makes nothing twice.

What was made keeps a digest of the key and of what was asked, so no answer need be kept: the same
thing is found and shown again.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Header
from pydantic import BaseModel
from sqlalchemy import Connection, Row, Table, select
from sqlalchemy.exc import IntegrityError

from services.api.problem import Problem

KEY_LENGTH_MAX = 255

IdempotencyKey = Annotated[
    str | None,
    Header(
        max_length=KEY_LENGTH_MAX,
        pattern="^[!-~]+$",
        description="Your own id of this request: sent again with it, nothing is made twice.",
    ),
]


def marks_of(key: str | None, body: BaseModel) -> dict[str, bytes | None]:
    """The columns ``request_key`` and ``request_digest`` of what a request makes."""
    asked = body.model_dump_json().encode()
    return {
        "request_key": None if key is None else _digest(key.encode()),
        "request_digest": _digest(asked),
    }


def made_before(
    connection: Connection, table: Table, workspace_id: int, marks: dict[str, bytes | None]
) -> Row[Any] | None:
    """What a request with this key made earlier; None: nothing yet, or it has no key.

    Raises:
        Problem: 409, the key came with another request.
    """
    if marks["request_key"] is None:
        return None
    query = select(table).where(
        table.c.workspace_id == workspace_id, table.c.request_key == marks["request_key"]
    )
    row = connection.execute(query).one_or_none()
    if row is not None and row.request_digest != marks["request_digest"]:
        text = "This Idempotency-Key came with another request before."
        raise Problem(409, "idempotency_mismatch", text)
    return row


@contextmanager
def answered_once() -> Iterator[None]:
    """Around the making of something.

    Raises:
        Problem: 409, the same request made it in this very moment.
    """
    try:
        yield
    except IntegrityError:
        text = "The same request is being answered just now. Send it again."
        raise Problem(409, "idempotency_busy", text) from None


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).digest()
