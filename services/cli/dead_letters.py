"""``kentering dead-letters``: what could not be scored, looked at and scored after all."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
from sqlalchemy import Connection, Engine

from services.cli.database import data_option, database
from services.cli.progress import progress
from services.model.version import load
from services.runtime.clock import now_ms
from services.runtime.database import writing
from services.scorer import dead_letters
from services.scorer.dead_letters import TAKEN, Redriven
from services.scorer.outages import patiently, short
from services.scorer.versions import InForce

reason_option = click.option(
    "--reason", metavar="TEXT", help="Only those with this in their reason."
)


@click.group("dead-letters")
def command() -> None:
    """Records that could not be scored: why, and once more."""


@command.command("list")
@reason_option
@data_option
def list_(reason: str | None, data: Path | None) -> None:
    """How many there are, by reason. What is in them is not shown: it may be what people did."""
    with database(data) as engine, engine.connect() as db:
        found = dead_letters.reasons(db, reason)
    for one in found:
        since, until = _day(one.oldest_ms), _day(one.newest_ms)
        print(f"{one.letters:>8,}  {one.value_bytes:>11,} bytes  {since} – {until}  {one.reason}")
    if not found:
        print("none")


@command.command("redrive")
@reason_option
@data_option
def redrive(reason: str | None, data: Path | None) -> None:
    """Score them after all; those that still cannot be stay, with the reason of now.

    It may be repeated, interrupted, and run while workers score: each event counts once.
    """
    scored = repeated = left = after_id = 0
    in_force = InForce(load())
    with database(data) as engine, progress() as bar:
        with engine.connect() as db:
            task = bar.add_task("dead letters", total=dead_letters.how_many(db, reason))
        while True:
            done = _next(engine, in_force, after_id, reason)
            if not done.last_id:
                break
            after_id = done.last_id
            scored, repeated, left = (
                scored + done.scored,
                repeated + done.repeated,
                left + done.left,
            )
            bar.update(task, advance=done.scored + done.repeated + done.left)
    print(f"{scored:,} scored, {repeated:,} had been already, {left:,} left")


def _next(engine: Engine, in_force: InForce, after_id: int, reason: str | None) -> Redriven:
    """Some at once; where that fails one alone, so that only what fails is left."""

    def some(taken: int, db: Connection) -> Redriven:
        model = in_force.hold(db)
        return dead_letters.redrive_next(db, model, after_id, reason, taken, now_ms())

    try:
        return patiently(writing(engine), partial(some, TAKEN))
    except Exception:  # noqa: BLE001  whatever it is, the rest goes on
        try:
            return patiently(writing(engine), partial(some, 1))
        except Exception as error:  # noqa: BLE001
            return _leave(engine, after_id, reason, f"{short(error)}, while scoring")


def _leave(engine: Engine, after_id: int, reason: str | None, why: str) -> Redriven:
    with writing(engine).begin() as db:
        failing = dead_letters.following(db, after_id, reason)
        if failing is None:
            return Redriven(0)
        dead_letters.leave(db, {failing: why})
    return Redriven(failing, left=1)


def _day(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d}"
