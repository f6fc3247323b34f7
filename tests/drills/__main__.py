"""``make drill``: every fault at length, one table at the end.

Parts by name, else all but the soak: workers deaths storm poison embedded kills frozen away stopped
disk slow bombs erasing database. ``SOAK_MINUTES=30`` runs the soak alone. ``KENTERING_SEED``
repeats a run's choices.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from services.runtime.migrations import migrate
from tests.drills.database import database
from tests.drills.ends import disk, stopped
from tests.drills.erasing import erasing, place_of, run_place
from tests.drills.guests import bombs, slow
from tests.drills.kills import kills
from tests.drills.outages import away, frozen
from tests.drills.outcome import Outcome, table
from tests.drills.poison import poison
from tests.drills.soak import highest_rate, soak
from tests.drills.stack import Stack, run_stack
from tests.drills.workers import DEATHS, STORM, workers
from tests.servers.kafka import Kafka, run_kafka
from tests.servers.postgres import Postgres, run_postgres

DELIVERY_TIMEOUT_S = 5
PARTS: dict[str, Callable[[Stack, Postgres, random.Random], Outcome]] = {
    "kills": lambda stack, _, rng: kills(stack, rng, count=100, every_s=2),
    "frozen": lambda stack, _, rng: frozen(stack, rng, seconds=60),
    "away": lambda stack, _, rng: away(stack, rng, seconds=60),
    "stopped": lambda stack, _, rng: stopped(stack, rng, times=10),
    "disk": lambda stack, _, rng: disk(stack, rng, times=5),
    "slow": lambda stack, _, rng: slow(stack, rng, count=2_000, seconds=20),
    "bombs": lambda stack, _, rng: bombs(stack, rng, count=60),
    "erasing": lambda stack, _, rng: erasing(
        place_of(stack), rng, part="erasing", people=400, kills=40, every_s=3
    ),
    "database": lambda stack, postgres, rng: database(stack, postgres, rng, seconds=60),
}


SCORERS: dict[str, Callable[[Path, Kafka, Postgres, random.Random], Outcome]] = {
    "workers": lambda *servers: workers(
        *servers, part="workers", persons=400, moves=120, every_s=1.5
    ),
    "deaths": lambda *servers: workers(
        *servers, part="deaths", persons=300, moves=220, every_s=0.9, kinds=DEATHS
    ),
    "storm": lambda *servers: workers(
        *servers, part="storm", persons=300, moves=40, every_s=3, kinds=STORM
    ),
}
"""Parts that have the servers to themselves."""


def embedded(folder: Path, rng: random.Random) -> Outcome:
    """People erased from a product that is one process, and dies as one."""
    (folder / "embedded").mkdir()
    with run_place(folder / "embedded") as place:
        return erasing(place, rng, part="embedded", people=100, kills=20, every_s=4)


ALONE: dict[str, Callable[[Path, random.Random], Outcome]] = {
    "poison": lambda folder, rng: poison(folder, rng, persons=2_000),
    "embedded": embedded,
}
"""Parts that need no servers beside them."""


def asked(soak_minutes: float) -> list[str]:
    """The parts named in the command; all, if neither these nor a soak are asked for."""
    parts = [*SCORERS, *ALONE, *PARTS]
    parser = argparse.ArgumentParser(
        prog="python -m tests.drills", description=__doc__.partition("\n")[2]
    )
    parser.add_argument("part", nargs="*", help="the parts to run")
    names: list[str] = parser.parse_args().part
    for name in names:
        if name not in parts:
            parser.error(f"there is no part {name!r}: choose from {', '.join(parts)}")
    return names or ([] if soak_minutes else parts)


def main(names: list[str], soak_minutes: float) -> int:
    """Run these parts; 1 if something was found that should not be."""
    seed = int(os.environ.get("KENTERING_SEED", random.randrange(10**6)))
    print(f"KENTERING_SEED={seed}", flush=True)
    rng = random.Random(seed)
    outcomes: list[Outcome] = []
    began_s = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="kentering-drill-") as folder,
        run_postgres() as postgres,
        run_kafka({"broker.session.timeout.ms": "2500"}) as kafka,
    ):
        postgres.execute("CREATE DATABASE drill")
        migrate(postgres.url("drill"))
        url = postgres.url("drill")
        for name in [name for name in names if name in SCORERS]:
            print(f"{time.monotonic() - began_s:5.0f} s  {name} …", flush=True)
            _note(outcomes, SCORERS[name](Path(folder), kafka, postgres, rng))
        for name in [name for name in names if name in ALONE]:
            print(f"{time.monotonic() - began_s:5.0f} s  {name} …", flush=True)
            _note(outcomes, ALONE[name](Path(folder), rng))
        others = [name for name in names if name in PARTS]
        if not others and not soak_minutes:
            return _told(outcomes, seed, began_s)
        with run_stack(Path(folder), kafka, url, 2, DELIVERY_TIMEOUT_S) as stack:
            for name in others:
                print(f"{time.monotonic() - began_s:5.0f} s  {name} …", flush=True)
                _note(outcomes, PARTS[name](stack, postgres, rng))
            if soak_minutes:
                _note(outcomes, _soak(stack, rng, soak_minutes))
    return _told(outcomes, seed, began_s)


def _note(outcomes: list[Outcome], one: Outcome) -> None:
    """Told at once too: of a run that is broken off the parts before are known."""
    outcomes.append(one)
    print(table([one]), flush=True)


def _told(outcomes: list[Outcome], seed: int, began_s: float) -> int:
    print(f"\n{table(outcomes)}\n\nKENTERING_SEED={seed}, {time.monotonic() - began_s:.0f} s")
    return int(any(outcome.failures for outcome in outcomes))


def _soak(stack: Stack, rng: random.Random, minutes: float) -> Outcome:
    # What becomes of the events further on has drills of its own, and would take our processor.
    stack.scorer.process.kill()
    per_s = highest_rate(stack.trackers[0], stack.server_key) / 2
    print(f"soak: {minutes:g} minutes at {per_s:.0f} hits/s …", flush=True)
    return soak(stack, rng, minutes, per_s)


if __name__ == "__main__":
    minutes = float(os.environ.get("SOAK_MINUTES") or 0)
    sys.exit(main(asked(minutes), minutes))
