"""The demonstration as ``kentering up --demo`` plays it: once a year of history, then live."""

import asyncio
from pathlib import Path

import httpx
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.demo.doors import Doors
from services.demo.history import play_history
from services.demo.live import Clock, play_live
from services.demo.marker import Marker, write_marker
from services.demo.segments import make_segments

POLL_S = 0.5
SCORED_MAX_S = 600.0


async def play(base_url: str, data: Path, marker: Marker, clock: Clock, console: Console) -> None:
    """Play until cancelled; on the first start with a progress bar, later at once live.

    Args:
        base_url: where tracker and API listen, and the sample site under ``/sample``.
        data: the folder in which the marker is kept.
        marker: as :func:`services.demo.marker.read_marker` gave it, or a new one.
        clock: UTC milliseconds.
        console: where the progress bar is drawn.

    Raises:
        RefusedError: the product took something for bad.
    """
    doors = Doors(base_url, marker.server_key, marker.api_key)
    if not marker.history_done:
        await first_start(doors, marker, console)
        write_marker(data, msgspec.structs.replace(marker, history_done=True))
    await play_live(
        doors,
        seed=marker.seed,
        history_end_ms=marker.history_end_ms,
        clock=clock,
        site_url=f"{base_url}/sample",
    )


async def first_start(doors: Doors, marker: Marker, console: Console) -> None:
    """Play the history, make the segments, and wait until all of it is scored."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console) as bar:
        async with doors.open() as client:
            await make_segments(client, doors)
        playing = bar.add_task("Playing twelve months", total=None)
        positions = await play_history(
            doors,
            marker.seed,
            marker.history_end_ms,
            lambda done, total: bar.update(playing, completed=done, total=total),
        )
        scoring = bar.add_task("Scoring", total=None)
        async with doors.open() as client:
            for position in positions:
                await _until_scored(client, doors, position)
        bar.update(scoring, total=1, completed=1)


async def _until_scored(client: httpx.AsyncClient, doors: Doors, position: str) -> None:
    headers = {"Authorization": f"Bearer {doors.api_key}"}
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SCORED_MAX_S
    while loop.time() < deadline:
        begun = loop.time()
        answer = await client.get(
            "/v1/persons", params={"limit": 1, "after": position}, headers=headers
        )
        # An answer at once means that the event is there; else the API waited for it in vain.
        if answer.is_success and loop.time() - begun < 1:
            return
        await asyncio.sleep(POLL_S)
