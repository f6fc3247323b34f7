"""Keeps up with who took consent back, and a copy on disk to start from when the API is away."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from services.contract import withdrawal as wire
from services.contract.withdrawal import Page
from services.tracker import metrics
from services.tracker.withdrawals import Withdrawals

REFRESH_SECONDS = 1.0
SOONEST_SAVE_SECONDS = 5.0

_log = structlog.get_logger(__name__)

WithdrawalSource = Callable[[int], Page]
"""Asked in a thread: the withdrawals after a number."""


def none_known(after: int) -> Page:
    """A source without any."""
    return Page(after, after)


class WithdrawalKeeper:
    """Asks the source every second for what is new; ``withdrawals`` is the same object always."""

    def __init__(self, source: WithdrawalSource, data: Path) -> None:
        self._source = source
        self._file = data / "withdrawals.bin"
        self._asking: asyncio.Task[None] | None = None
        self._saved_s = 0.0
        self._unsaved = False
        self.withdrawals = Withdrawals()

    async def start(self) -> None:
        """Begin with the copy on disk, then with what the source says, and go on asking."""
        self._load()
        await self._refresh()
        self._asking = asyncio.create_task(self._keep_asking())

    async def stop(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._asking

    async def _keep_asking(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self._refresh()

    async def _refresh(self) -> None:
        try:
            while await self._take_page():
                pass
        except Exception as error:  # noqa: BLE001 - what is known holds on, whatever it was
            metrics.WITHDRAWAL_FAILURES.inc()
            _log.warning("withdrawals not refreshed", error=type(error).__name__)
        await self._save_when_due()

    async def _take_page(self) -> bool:
        """Take in one page; whether there may be another."""
        known = self.withdrawals
        page = await asyncio.to_thread(self._source, known.reached)
        if page.newest < known.reached:  # another database, or an older one
            known.clear()
            return True
        if page.withdrawals:
            known.take(page.withdrawals, page.reached)
            self._unsaved = True
        return page.reached < page.newest and bool(page.withdrawals)

    async def _save_when_due(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if not self._unsaved or now_s - self._saved_s < SOONEST_SAVE_SECONDS:
            return
        known = self.withdrawals
        kept = wire.encode(Page(known.reached, known.reached, tuple(known)))
        self._unsaved, self._saved_s = False, now_s
        try:
            await asyncio.to_thread(self._save, kept)
        except OSError as error:
            _log.warning("withdrawals not kept on disk", error=str(error))

    def _load(self) -> None:
        try:
            page = wire.decode(self._file.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, msgspec.DecodeError) as error:
            _log.warning("kept withdrawals are unreadable", error=str(error))
            return
        self.withdrawals.take(page.withdrawals, page.reached)

    def _save(self, kept: bytes) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(".tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(kept)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._file)
