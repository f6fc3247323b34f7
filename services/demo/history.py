"""The year before now, played through ``POST /v1/batch``."""

import asyncio
from collections.abc import Callable, Iterator

import httpx

from services.demo.calls import Call, call_of
from services.demo.doors import Doors, RefusedError, post
from services.demo.world import World, simulate

PEOPLE = 2_000
BATCH_EVENTS = 500
LANES = 2
"""Connections at once. Each has its own people, so that everybody's events stay in order."""

Progress = Callable[[int, int], None]
"""(events done, events in all)."""


async def play_history(
    doors: Doors, seed: int, now_ms: int, progress: Progress, people: int = PEOPLE
) -> list[str]:
    """Play twelve months up to ``now_ms``.

    The same seed and time give the same message ids, so playing again after an interruption
    counts nothing twice.

    Args:
        doors: where, and with which keys.
        seed: of the simulation.
        now_ms: the end of history, UTC milliseconds.
        progress: is told after every batch.
        people: how many.

    Returns:
        The positions of each connection's last event: when they are folded, all is.

    Raises:
        RefusedError: the product took a batch for bad.
    """
    world = await asyncio.to_thread(simulate, seed, people, now_ms)
    done = 0

    def sent(count: int) -> None:
        nonlocal done
        done += count
        progress(done, len(world.acts))

    async with doors.open() as client:

        async def lane(number: int) -> str | None:
            position: str | None = None
            for batch in _batches(world, seed, number):
                position = await _send(client, doors, batch) or position
                sent(len(batch))
            return position

        positions = await asyncio.gather(*(lane(number) for number in range(LANES)))
    return [position for position in positions if position is not None]


async def _send(client: httpx.AsyncClient, doors: Doors, batch: list[Call]) -> str | None:
    answer = await post(client, "/v1/batch", doors.server_key, {"batch": batch})
    refused = [r for r in answer["results"].values() if r["status"] != "stored"]
    if refused:
        raise RefusedError(f"{len(refused)} of {len(batch)} events, the first: {refused[0]}")
    position: str | None = answer["position"]
    return position


def _batches(world: World, seed: int, lane: int) -> Iterator[list[Call]]:
    numbers = [n for n, act in enumerate(world.acts) if act.person % LANES == lane]
    for start in range(0, len(numbers), BATCH_EVENTS):
        yield [_call(world, seed, number) for number in numbers[start : start + BATCH_EVENTS]]


def _call(world: World, seed: int, number: int) -> Call:
    act = world.acts[number]
    return call_of(act, world.people[act.person], f"demo-{seed}-{number}")
