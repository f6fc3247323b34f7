"""A worker's hold on the job in its hands."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, and_, delete, func, insert, select

from services.api.jobs.store import ERRORS_KEPT_MAX, LEASE_MS, remove_file, write_held
from services.contract.tables import job_error, job_piece
from services.runtime.database import writing

KEEP_EVERY_MS = 3_000


class LostError(Exception):
    """The job is no longer ours: cancelled, or taken over while we were silent."""


class StoppedError(Exception):
    """The process is to end; somebody else goes on with the job."""


class RefusedError(Exception):
    """The job cannot be done as it was asked; the text says why, and what to do."""


NOTICES = frozenset({"no_consent", "withdrawn", "before_consent"})
"""Why a row was rightly left out: nobody has to correct anything."""


def is_error(code: str) -> bool:
    """Whether what is said of a row asks for a correction; else it is a notice."""
    return code not in NOTICES and not code.startswith("doubt_")


@dataclass(frozen=True)
class RowError:
    """What was wrong with a row of a file, or odd."""

    row: int
    """As a spreadsheet counts: the header is row 1."""
    column: str | None
    code: str
    text: str
    """What to do about it; never what stands there of a person."""


class Hold:
    """Keeps a job, and writes what became of it.

    Args:
        engine: the database.
        row: the job, as it was claimed.
        clock: UTC milliseconds.
        stop: set when the process is to end.
    """

    def __init__(
        self, engine: Engine, row: Row[Any], clock: Callable[[], int], stop: threading.Event
    ) -> None:
        self.engine, self.row, self.clock = engine, row, clock
        self.stop = stop
        self.counts: dict[str, int] = dict(row.counts)
        self.done: int = row.done
        self.errors: int = row.errors
        self._kept_ms = clock()
        self._errors_kept: int | None = None
        """Rows' errors that are written down; None: not counted yet."""

    def count(self, name: str, number: int = 1) -> None:
        """Count rows that came to something; written by :meth:`save`."""
        self.counts[name] = self.counts.get(name, 0) + number

    def keep(self) -> None:
        """Say that we are still at it, now and then.

        Raises:
            LostError: it is not ours any more.
            StoppedError: we are to end.
        """
        now_ms = self.clock()
        if self.stop.is_set() or now_ms - self._kept_ms >= KEEP_EVERY_MS:
            self._write({})

    def save(self, errors: Sequence[RowError] = (), **more: Any) -> None:
        """Write how far it is, what was counted, and what was wrong since.

        Raises:
            LostError: it is not ours any more.
            StoppedError: we are to end.
        """
        so_far: dict[str, Any] = {"done": self.done, "counts": self.counts, "errors": self.errors}
        self._write({**so_far, **more}, errors)

    def piece(self, number: int, data: bytes) -> None:
        """Keep a piece of the file that the job makes; see :class:`~.files.Pieces`."""
        with writing(self.engine).begin() as connection:
            self._hold(connection, {})
            connection.execute(insert(job_piece).values(self._place(number=number, data=data)))

    def begin_file(self) -> None:
        """Forget what an earlier turn made of the file."""
        with writing(self.engine).begin() as connection:
            self._hold(connection, {})
            remove_file(connection, self.row)

    def begin_errors(self) -> None:
        """Forget what an earlier turn said of rows."""
        with writing(self.engine).begin() as connection:
            self._hold(connection, {})
            connection.execute(delete(job_error).where(self._errors()))
        self._errors_kept = 0

    def end(self, status: str, problem: str | None = None, **more: Any) -> None:
        """The job's end; the file stays only where ``file_until_ms`` says so."""
        values: dict[str, Any] = {"status": status, "problem": problem, "finished_ms": self.clock()}
        values |= {"done": self.done, "counts": self.counts, "errors": self.errors}
        values |= {"file_until_ms": None, **more}
        with writing(self.engine).begin() as connection:
            self._hold(connection, values)
            if values["file_until_ms"] is None:
                remove_file(connection, self.row)

    def _write(self, values: dict[str, Any], errors: Sequence[RowError] = ()) -> None:
        with writing(self.engine).begin() as connection:
            self._hold(connection, values)
            self._add_errors(connection, errors)
            if self.stop.is_set():
                write_held(connection, self.row, "running", lease_ms=None)
        self._kept_ms = self.clock()
        if self.stop.is_set():
            raise StoppedError

    def _hold(self, connection: Any, values: dict[str, Any]) -> None:
        values = {"lease_ms": self.clock() + LEASE_MS, **values}
        if not write_held(connection, self.row, "running", **values):
            raise LostError

    def _add_errors(self, connection: Any, errors: Sequence[RowError]) -> None:
        if not errors:
            return
        if self._errors_kept is None:
            query = select(func.count()).where(self._errors())
            counted = connection.execute(query).scalar_one()
            self._errors_kept = int(counted)
        kept = self._errors_kept
        rows = [
            self._place(
                number=kept + i,
                row=one.row,
                column=None if one.column is None else one.column[:200],
                code=one.code,
                text=one.text,
            )
            for i, one in enumerate(errors[: ERRORS_KEPT_MAX - kept])
        ]
        if rows:
            connection.execute(insert(job_error), rows)
            self._errors_kept += len(rows)

    def _errors(self) -> ColumnElement[bool]:
        row = job_error.c
        return and_(row.workspace_id == self.row.workspace_id, row.job_id == self.row.id)

    def _place(self, **values: Any) -> dict[str, Any]:
        return {"workspace_id": self.row.workspace_id, "job_id": self.row.id, **values}
