"""The demonstration as ``kentering up --demo`` plays it: once a year of history, then live."""

import asyncio
from pathlib import Path

import httpx
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.demo.content import put_content
from services.demo.doors import Doors
from services.demo.history import play_history
from services.demo.live import Clock, play_live
from services.demo.marker import Marker, write_marker
from services.demo.segments import make_segments

POLL_S = 0.5
SCORED_MAX_S = 600.0

DONE = "The demonstration is scored: answers are complete now."
LATE = "The demonstration is still being scored: answers lag."


async def play(
    base_url: str, site_url: str, data: Path, marker: Marker, clock: Clock, console: Console
) -> None:
    """Play until cancelled; on the first start with a progress bar, later at once live.

    Args:
        base_url: where tracker and API listen.
        site_url: where people find the sample site, without a slash at the end.
        data: the folder in which the marker is kept.
        marker: as :func:`services.demo.marker.read_marker` gave it, or a new one.
        clock: UTC milliseconds.
        console: where the progress bar is drawn.

    Raises:
        RefusedError: the product took something for bad.
    """
    doors = Doors(base_url, marker.server_key, marker.api_key)
    if not marker.history_done:
        await first_start(doors, site_url, marker, console)
        write_marker(data, msgspec.structs.replace(marker, history_done=True))
    await play_live(
        doors,
        seed=marker.seed,
        history_end_ms=marker.history_end_ms,
        clock=clock,
        site_url=site_url,
    )


async def first_start(doors: Doors, site_url: str, marker: Marker, console: Console) -> None:
    """Fill the catalogue, make the segments, play the history, and wait until it is scored."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console) as bar:
        async with doors.open() as client:
            await put_content(client, doors, site_url)
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
            scored = [await _until_scored(client, doors, position) for position in positions]
        bar.update(scoring, total=1, completed=1)
    console.print(DONE if all(scored) else LATE)


async def _until_scored(client: httpx.AsyncClient, doors: Doors, position: str) -> bool:
    """Whether it is, rather than that patience is at its end."""
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
            return True
        await asyncio.sleep(POLL_S)
    return False
