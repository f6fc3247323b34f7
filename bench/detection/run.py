"""The whole bench: how much of it, in which order, and what it found."""

import datetime as dt
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from bench.detection.contest import Contest, contest, tuned_half_life
from bench.detection.public_data import public_data
from bench.detection.ranking import Ranked, ranked
from bench.detection.samples import Order, Sample, chunks, join, make
from bench.detection.telling import ARMS, Arm, arm
from bench.detection.through_scorer import Agreement, agreement
from bench.detection.versions import with_echo_fitted
from bench.detection.worlds import TEST_SEEDS, TUNING_SEED, WORLDS
from services.model.parameters import Parameters
from services.model.version import load

T = TypeVar("T")
Versions = tuple[Parameters, ...]


@dataclass(frozen=True)
class Size:
    """How much of it; people are per test seed."""

    worlds: tuple[str, ...]
    people: int
    tuning_people: int
    echo_people: int
    """Whose events, in each world, the echo is fitted on; 0: no such version."""
    telling_people: int
    scorer_people: int
    public: bool
    """Whether the public records are fetched."""


WHOLE = Size(tuple(WORLDS), 500, 400, 60, 400, 20, public=True)
SMALL = Size(("dense", "outside, dense"), 100, 60, 0, 60, 5, public=False)


class Findings(msgspec.Struct, frozen=True):
    """What is written down."""

    facts: dict[str, str]
    contests: list[Contest]
    arms: list[Arm]
    records: list[Ranked]
    scorer: Agreement


class Progress(Protocol):
    """Is told of parts of the bench."""

    def __call__(self, part: str, total: int) -> Callable[[], None]:
        """A new part of so many steps; what is returned is called after each."""


def run(size: Size, folder: Path, progress: Progress, processes: int) -> Findings:
    """Everything, the same for the same size.

    Args:
        size: how much.
        folder: empty; for the scorer's log and database.
        progress: is told.
        processes: that it is shared out to.
    """
    began = time.monotonic()
    scorer = agreement(folder, size.scorer_people, progress("Through the real scorer", 1))
    with ProcessPoolExecutor(processes) as pool:
        versions = _versions(size, pool, progress)
        made = _made(size, versions, pool, progress)
        judging = [
            pool.submit(
                _contest,
                world,
                made[world, TUNING_SEED],
                join([made[world, seed] for seed in TEST_SEEDS]),
            )
            for world in size.worlds
        ]
        mailing = [pool.submit(arm, name, size.telling_people) for name in ARMS]
        records = public_data() if size.public else []
        ranking = [pool.submit(ranked, record) for record in records]
        return Findings(
            contests=_results(judging, progress("Judging", len(judging))),
            arms=_results(mailing, progress("Mails that tell", len(mailing))),
            records=_results(ranking, progress("Public records", len(ranking))),
            scorer=scorer,
            facts=_facts(size, began),
        )


def _results(running: list[Future[T]], told: Callable[[], None]) -> list[T]:
    found = []
    for one in running:
        found.append(one.result())
        told()
    return found


def _versions(size: Size, pool: Executor, progress: Progress) -> dict[str, Versions]:
    day_one = load("day-one").parameters
    if not size.echo_people:
        return dict.fromkeys(size.worlds, (day_one,))
    people = range(size.echo_people)
    fitting = [pool.submit(with_echo_fitted, world, TEST_SEEDS[0], people) for world in size.worlds]
    fitted = _results(fitting, progress("Fitting the echo", len(fitting)))
    return {world: (day_one, one) for world, one in zip(size.worlds, fitted, strict=True)}


def _made(
    size: Size, versions: dict[str, Versions], pool: Executor, progress: Progress
) -> dict[tuple[str, int], Sample]:
    """The people of each world and seed."""
    orders: list[Order] = []
    for world in size.worlds:
        orders += chunks(world, TUNING_SEED, size.tuning_people)
        for seed in TEST_SEEDS:
            orders += chunks(world, seed, size.people, versions[world])
    told = progress("Simulating and folding", len(orders))
    made = _results([pool.submit(make, order) for order in orders], told)
    whole: dict[tuple[str, int], list[Sample]] = {}
    for order, sample in zip(orders, made, strict=True):
        whole.setdefault((order.world, order.seed), []).append(sample)
    return {key: join(samples) for key, samples in whole.items()}


def _contest(world: str, tuning: Sample, people: Sample) -> Contest:
    shipped = load("day-one").parameters.signals.active.enter
    return contest(world, people, tuned_half_life(tuning), shipped)


def _facts(size: Size, began: float) -> dict[str, str]:
    return {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "size": f"{size.people:,} people × {len(TEST_SEEDS)} test seeds × 2 years in each world",
        "whole run": f"{time.monotonic() - began:.0f} s, {os.cpu_count()} cores",
        "busy": f"load {os.getloadavg()[2]:.1f} in the last quarter of an hour",
        "Python": platform.python_version(),
    }


def told(findings: Findings) -> bytes:
    """As JSON."""
    return msgspec.json.format(msgspec.json.encode(findings), indent=1)


def read(stored: bytes) -> Findings:
    """And back."""
    return msgspec.json.decode(stored, type=Findings)


def untimed(findings: Findings) -> dict[str, Any]:
    """All that must come out the same again."""
    plain: dict[str, Any] = msgspec.to_builtins(findings)
    del plain["facts"]
    return plain
