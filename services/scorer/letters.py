"""Dead letters of people who are not to be known any more: found by what stands in them.

A dead letter may be no event, or one that no code of ours reads. So its text is looked through:
as JSON for a value that is the identity's, else for its bytes.
"""

import json
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, select

from services.contract import tables
from services.contract.event import Identity
from services.runtime.bulk import among
from services.scorer.record import Poison
from services.scorer.suppressed import tombs_of

_row = tables.dead_letter.c
_LIKE = re.compile(rb"[%_\\]")
LETTERS_AT_ONCE = 100
_NAMES_MAX = 50
_BARE_BYTES_MIN = 6
"""A shorter name is not looked for in what is no JSON: it would be found in anybody's."""


def forget_letters(db: Connection, workspace_id: int, names: Collection[Identity]) -> int:
    """Delete the dead letters that hold any of these identities; how many it was."""
    found: set[int] = set()
    for value in {identity.value for identity in names}:
        text = value.encode("utf-8", "surrogatepass")
        if text:
            found.update(_holding(db, workspace_id, value, text))
    if found:
        db.execute(delete(tables.dead_letter).where(among(db, _row.id, found)))
    return len(found)


def unnamed(db: Connection, poison: Sequence[Poison]) -> list[Poison]:
    """Poison to be set aside, without what it says where that is of somebody who was erased."""
    return [
        Poison(msgspec.structs.replace(bad.record, value=b""), bad.reason)
        if _is_of_erased(db, bad.record.value)
        else bad
        for bad in poison
    ]


class _Named(msgspec.Struct):
    """As much of an event as tells whom it is about."""

    workspace_id: int
    identities: list[tuple[str, str]]


def _is_of_erased(db: Connection, value: bytes) -> bool:
    try:
        told = msgspec.json.decode(value, type=_Named)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    if not 0 < told.workspace_id < 2**31:
        return False
    names = {Identity(*name) for name in told.identities[:_NAMES_MAX]}
    return bool(tombs_of(db, told.workspace_id, names))


def _holding(db: Connection, workspace_id: int, value: str, text: bytes) -> Iterable[int]:
    after_id = 0
    # What JSON writes otherwise than it is, is found by its longest plain piece.
    plain = max(_plain_pieces(text), key=len)
    while True:
        query = (
            select(_row.id, _row.value)
            .where(_row.id > after_id, _contains(db, plain))
            .order_by(_row.id)
            .limit(LETTERS_AT_ONCE)
        )
        letters = db.execute(query).all()
        if not letters:
            return
        for letter_id, stored in letters:
            if _is_of(bytes(stored), workspace_id, value, text):
                yield letter_id
            after_id = letter_id


def _contains(db: Connection, text: bytes) -> Any:
    if db.dialect.name == "postgresql":
        return _row.value.op("LIKE")(b"%" + _LIKE.sub(rb"\\\g<0>", text) + b"%")
    return func.instr(_row.value, text) > 0


def _plain_pieces(text: bytes) -> list[bytes]:
    pieces = [b""]
    for byte in text:
        if 0x20 <= byte < 0x7F and byte not in b'"\\/':
            pieces[-1] += bytes([byte])
        else:
            pieces.append(b"")
    return pieces


def _is_of(stored: bytes, workspace_id: int, value: str, text: bytes) -> bool:
    try:
        told = json.loads(stored)
    except (ValueError, RecursionError):
        return len(text) >= _BARE_BYTES_MIN and text in stored
    of = told.get("workspace_id") if isinstance(told, dict) else None
    if isinstance(of, int) and of != workspace_id:
        return False
    wanted = value.casefold()
    waiting: list[Any] = [told]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and one.casefold() == wanted:
            return True
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
    return False
