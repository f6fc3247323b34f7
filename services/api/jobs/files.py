"""The file of a job, in compressed pieces in the database: no disk that processes must share."""

import zlib
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Engine, Row, select

from services.contract.tables import job_piece

PIECE_BYTES = 2**20
"""Of a piece before it is compressed; so much of a file is in memory."""
FILE_BYTES_MAX = 2**30

Store = Callable[[int, bytes], None]
"""Keeps the piece of a number, compressed."""


class Pieces:
    """Cuts what is written into pieces.

    Args:
        store: called for each, in order.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting = bytearray()
        self._number = 0
        self.size = 0
        """Bytes written so far."""

    def write(self, data: bytes) -> int:
        """Take in more; as a file's ``write`` does."""
        self._waiting += data
        self.size += len(data)
        while len(self._waiting) >= PIECE_BYTES:
            self._cut(PIECE_BYTES)
        return len(data)

    def close(self) -> None:
        """Keep the rest."""
        if self._waiting:
            self._cut(len(self._waiting))

    def _cut(self, size: int) -> None:
        self._store(self._number, zlib.compress(bytes(self._waiting[:size]), 1))
        del self._waiting[:size]
        self._number += 1


def read_pieces(engine: Engine, row: Row[Any]) -> Iterator[bytes]:
    """A job's file, piece by piece; no connection is held in between."""
    number = 0
    while (piece := _piece(engine, row, number)) is not None:
        yield zlib.decompress(piece)
        number += 1


def _piece(engine: Engine, row: Row[Any], number: int) -> bytes | None:
    query = select(job_piece.c.data).where(
        job_piece.c.workspace_id == row.workspace_id,
        job_piece.c.job_id == row.id,
        job_piece.c.number == number,
    )
    with engine.connect() as connection:
        data = connection.execute(query).scalar_one_or_none()
    return None if data is None else bytes(data)
