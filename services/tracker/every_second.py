"""Does something again a second after it was done last, as long as the tracker runs."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

PAUSE_S = 1.0


class EverySecond:
    """Calls ``act``, which fails with nothing, until it is stopped."""

    def __init__(self, act: Callable[[], Awaitable[None]]) -> None:
        self._act = act
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return when it was done once; it goes on by itself."""
        await self._act()
        self._task = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Do it no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(PAUSE_S)
            await self._act()
