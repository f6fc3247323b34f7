"""What a workspace's people did, from the database, as ``services.model.fitting`` wants it.

Persons are read in pages by several processes; of each page only plain columns stay.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple, TypeVar

import click
import numpy as np
from rich.progress import Progress
from sqlalchemy import Engine, func, select

from services.cli.database import workspaces
from services.cli.progress import progress
from services.contract import tables
from services.model.behaviour import judged
from services.model.fitting.each import Each
from services.model.fitting.history import Histories, join
from services.model.fitting.scribe import Scribe
from services.model.parameters import Parameters, VersionError, read
from services.model.version import build
from services.runtime.database import open_database
from services.scorer.sweeps import histories_of
from services.scorer.versions import in_force, model_of

PEOPLE_MAX = 20_000
"""Of more people so many are drawn: as many as make the numbers sure, in bounded memory."""
PAGE = 100
PROCESSES_MAX = 8

A = TypeVar("A")
B = TypeVar("B")


class Found(NamedTuple):
    """A workspace's people."""

    histories: Histories
    people: int
    """How many are scored, those that were not drawn among them."""
    until_ms: int
    """When the last event of all happened: how far the record reaches."""


def read_spells(
    engine: Engine, workspace: str, version: Parameters, seed: int, pool: Executor, bar: "Bar"
) -> Found:
    """All that is fitted on.

    Args:
        engine: the database; each process opens it anew.
        workspace: as ws_….
        version: whose windows and sessions count.
        seed: of the draw, where there are more than ``PEOPLE_MAX``.
        pool: whose processes read.
        bar: shows how far it is.

    Raises:
        click.ClickException: there is no such workspace, or nobody in it.
    """
    number, until_ms, persons = _persons(engine, workspace)
    if not persons:
        raise click.ClickException(f"nobody in {workspace} is scored yet")
    drawn = np.array(persons)
    if len(persons) > PEOPLE_MAX:
        chosen = np.random.default_rng(seed).choice(len(persons), PEOPLE_MAX, replace=False)
        drawn = drawn[np.sort(chosen)]
    pages = [drawn[i : i + PAGE].tolist() for i in range(0, len(drawn), PAGE)]
    url = engine.url.render_as_string(hide_password=False)
    page = partial(_page, url, number, version, until_ms)
    found = list(bar.follow("reading", pool.map(page, pages), len(pages)))
    return Found(join(found), len(persons), until_ms)


def _persons(engine: Engine, workspace: str) -> tuple[int, int, list[int]]:
    """(the workspace's row id, when its last event happened, its scored persons)."""
    event, state = tables.event.c, tables.person_state.c
    with engine.connect() as db:
        number = next(iter(workspaces(db, workspace)))
        last = select(func.max(event.occurred_ms)).where(event.workspace_id == number)
        people = (
            select(state.person_id).where(state.workspace_id == number).order_by(state.person_id)
        )
        return number, db.execute(last).scalar_one() or 0, list(db.execute(people).scalars())


def _page(
    url: str, workspace_id: int, version: Parameters, until_ms: int, persons: list[int]
) -> Histories:
    """In a process of its own: what these persons did."""
    scribe = Scribe(build(version))
    with _engine(url).connect() as db:
        histories = histories_of(db, workspace_id, persons)
    for person in persons:
        events = histories.get(person, [])
        if events:
            scribe.follow(person, judged(events), max(until_ms, events[-1].occurred_ms))
    return scribe.histories()


@cache
def _engine(url: str) -> Engine:
    return open_database(url)


class Bar:
    """How far the work is, on the error output."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def follow(self, what: str, steps: Iterable[A], total: int) -> Iterator[A]:
        """The steps again, each shown when it is there."""
        task = self._progress.add_task(what, total=total)
        for step in steps:
            self._progress.advance(task)
            yield step
        self._progress.update(task, completed=total)

    def rounds(self, what: str, rounds_max: int) -> Callable[[int], None]:
        """To be called with the number of each round that is done."""
        task = self._progress.add_task(what, total=rounds_max)
        return lambda number: self._progress.update(task, completed=number)

    def each(self, what: str, pool: Executor) -> Each:
        """The pool's map, each result shown."""

        def mapped(work: Callable[[A], B], on: Iterable[A], /) -> Iterator[B]:
            batches = list(on)
            return self.follow(what, pool.map(work, batches), len(batches))

        return mapped


@contextmanager
def at_work() -> Iterator[tuple[Executor, Bar]]:
    """A process for each core that is ours (for a single one this very process), and a bar."""
    cores = min(len(os.sched_getaffinity(0)), PROCESSES_MAX)
    # For the processes: numpy's own threads beside them gain nothing, and sum in another order.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with (
        ProcessPoolExecutor(cores, get_context("spawn"))
        if cores > 1
        else ThreadPoolExecutor(1) as pool,
        progress() as shown,
    ):
        yield pool, Bar(shown)


def open_version(file: Path | None, engine: Engine) -> Parameters:
    """A version from its file; without one, the version in force.

    Raises:
        click.ClickException: the file holds none.
    """
    if file is None:
        with engine.connect() as db:
            return model_of(db, in_force(db).id).parameters
    return read_version(file)


def read_version(file: Path) -> Parameters:
    """A version from its file.

    Raises:
        click.ClickException: it holds none.
    """
    try:
        return read(file.read_bytes())
    except VersionError as error:
        raise click.ClickException(f"{file}: {error}") from None
