"""``kentering demo``: play the demonstration against a running Kentering."""

import asyncio
import signal
from pathlib import Path

import click
from rich.console import Console

from services.cli.children import end_with_parent
from services.demo.marker import read_marker
from services.demo.play import play
from services.runtime.clock import now_ms


@click.command("demo", hidden=True)
@click.option("--url", required=True)
@click.option("--data", required=True, type=click.Path(path_type=Path))
def command(url: str, data: Path) -> None:
    """Play the demonstration whose keys ``kentering up --demo`` left in the data folder."""
    marker = read_marker(data)
    if marker is None:
        raise click.ClickException("there is no demonstration in this folder")

    async def run() -> None:
        loop = asyncio.get_running_loop()
        playing = asyncio.ensure_future(play(url, data, marker, now_ms, Console()))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, playing.cancel)

        def leave() -> None:
            loop.call_soon_threadsafe(playing.cancel)

        end_with_parent(leave)
        try:
            await playing
        except asyncio.CancelledError:
            return

    asyncio.run(run())
