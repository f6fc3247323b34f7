"""The dead letter: what could not be scored, kept within limits, and scored after all by command.

What is scored leaves the dead letter in the same transaction; an event that was scored already
counts once, as ever. So a redrive may be repeated, interrupted, or run while workers score.
"""

from dataclasses import dataclass

import structlog
from sqlalchemy import ColumnElement, Connection, delete, func, select, true

from services.contract import tables
from services.contract.phases import DAY_MS
from services.model.version import Model
from services.runtime import telemetry
from services.runtime.bulk import among, update_rows
from services.runtime.event_log import Stored
from services.scorer.batch import known_workspaces, score
from services.scorer.record import sort_out

LETTERS_MAX = 100_000
"""More are not kept: the oldest go."""
KEPT_DAYS = 30
"""They may hold what people did, so that they are not kept for ever."""
TAKEN = 100
"""Scored in one transaction."""

_row = tables.dead_letter.c
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reason:
    """Dead letters of one reason. Times are UTC milliseconds."""

    reason: str
    letters: int
    value_bytes: int
    oldest_ms: int
    newest_ms: int


@dataclass(frozen=True, slots=True)
class Redriven:
    """What a few dead letters came to."""

    last_id: int
    """Of those looked at; 0: there are no more."""
    scored: int = 0
    repeated: int = 0
    """Their events had been scored already."""
    left: int = 0
    """Still not to be scored; the dead letter shows the reason."""


def reasons(db: Connection, part: str | None = None) -> list[Reason]:
    """What lies in the dead letter, the most frequent reason first."""
    number = func.count()
    query = (
        select(
            _row.reason,
            number,
            func.sum(func.length(_row.value)),
            func.min(_row.recorded_ms),
            func.max(_row.recorded_ms),
        )
        .where(_with(part))
        .group_by(_row.reason)
        .order_by(number.desc(), _row.reason)
    )
    return [Reason(*found) for found in db.execute(query).all()]


def redrive_next(
    db: Connection, model: Model, after_id: int, part: str | None, taken: int, now_ms: int
) -> Redriven:
    """Score the next few after all.

    Args:
        db: a transaction that holds the version in force.
        model: that version.
        after_id: go on after this letter.
        part: of the reason; None: of any.
        taken: how many at most.
        now_ms: UTC milliseconds.

    Raises:
        MovedError: to be tried again; nothing was written.
    """
    query = (
        select(_row.id, _row.partition, _row.offset, _row.value)
        .where(_row.id > after_id, _with(part))
        .order_by(_row.id)
        .limit(taken)
        .with_for_update(skip_locked=True)
    )
    letters = db.execute(query).all()
    if not letters:
        return Redriven(0)
    ids = [letter.id for letter in letters]
    # Each is named by its own place here: places in several logs may be the same.
    records = [Stored(0, letter.id, b"", bytes(letter.value)) for letter in letters]
    batch = sort_out(records)
    refused = {bad.record.offset: bad.reason for bad in batch.poison}
    known = known_workspaces(db, batch.by_workspace)
    unknown = {
        one.value
        for workspace_id, arrived in batch.by_workspace.items()
        if workspace_id not in known
        for one in arrived
    }
    refused |= {r.offset: "there is no such workspace" for r in records if r.value in unknown}
    ours = {i: arrived for i, arrived in batch.by_workspace.items() if i in known}
    outcome = score(db, ours, model, now_ms)
    leave(db, refused)
    done = [i for i in ids if i not in refused]
    db.execute(delete(tables.dead_letter).where(among(db, _row.id, done)))
    return Redriven(ids[-1], outcome.new, len(done) - outcome.new, len(refused))


def leave(db: Connection, refused: dict[int, str]) -> None:
    """Let letters lie, with the reason of now."""
    rows = [(reason, i) for i, reason in refused.items()]
    update_rows(db, tables.dead_letter, "id", ("reason",), rows)


def following(db: Connection, after_id: int, part: str | None) -> int | None:
    """The id of the next letter; None: there is none."""
    query = select(func.min(_row.id)).where(_row.id > after_id, _with(part))
    found: int | None = db.execute(query).scalar_one()
    return found


def how_many(db: Connection, part: str | None = None) -> int:
    """Letters with that in their reason."""
    return int(db.execute(select(func.count(_row.id)).where(_with(part))).scalar_one())


def keep_within_limits(db: Connection, now_ms: int) -> None:
    """Delete what is too old or too many, and tell how many are left."""
    old = _delete(db, _row.recorded_ms < now_ms - KEPT_DAYS * DAY_MS)
    newest = select(_row.id).order_by(_row.id.desc()).offset(LETTERS_MAX).limit(1)
    many = _delete(db, _row.id <= newest.scalar_subquery())
    if old or many:
        telemetry.DEAD_LETTERS_DROPPED.inc(old + many)
        _log.error("dead letters deleted", too_old=old, too_many=many)
    telemetry.DEAD_LETTERS.set(how_many(db))


def _delete(db: Connection, which: ColumnElement[bool]) -> int:
    return db.execute(delete(tables.dead_letter).where(which)).rowcount


def _with(part: str | None) -> ColumnElement[bool]:
    return true() if part is None else _row.reason.contains(part, autoescape=True)
