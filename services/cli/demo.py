"""``kentering demo``: play the demonstration through the doors of ``kentering up --demo``."""

import asyncio
import contextlib
import signal
from pathlib import Path

import click
from rich.console import Console

from services.cli.children import end_with_parent
from services.demo.doors import RefusedError
from services.demo.marker import Marker, read_marker
from services.demo.play import play
from services.runtime.clock import now_ms


@click.command("demo", hidden=True)
@click.option("--url", required=True, help="Where `kentering up` listens.")
@click.option("--site", required=True, help="Where people find the sample site.")
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Its data folder.",
)
def command(url: str, site: str, data: Path) -> None:
    """Play the simulated target group: its year once, then live until stopped."""
    marker = read_marker(data)
    if marker is None:
        raise click.ClickException(f"{data} holds no demonstration; start kentering up --demo")
    try:
        asyncio.run(_play_until_stopped(url, site, data, marker))
    except RefusedError as error:
        raise click.ClickException(f"the demonstration stopped: {error}") from None


async def _play_until_stopped(url: str, site: str, data: Path, marker: Marker) -> None:
    loop = asyncio.get_running_loop()
    playing = asyncio.create_task(play(url, site, data, marker, now_ms, Console(stderr=True)))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, playing.cancel)
    end_with_parent(lambda: _cancel_from_thread(loop, playing))
    with contextlib.suppress(asyncio.CancelledError):
        await playing


def _cancel_from_thread(loop: asyncio.AbstractEventLoop, playing: asyncio.Task[None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended already
        loop.call_soon_threadsafe(playing.cancel)
