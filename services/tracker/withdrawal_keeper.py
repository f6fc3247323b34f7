"""Keeps up with who took consent back, and a copy on disk to start from when the API is away."""

import asyncio
import contextlib
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import structlog

from services.contract import withdrawal as wire
from services.contract.withdrawal import Page
from services.tracker import metrics
from services.tracker.every_second import EverySecond
from services.tracker.withdrawals import Withdrawals

_LENGTH = struct.Struct(">I")

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
        self._asking = EverySecond(self._refresh)
        self.withdrawals = Withdrawals()

    async def start(self) -> None:
        """Begin with the copy on disk, then with what the source says, and go on asking."""
        self._load()
        await self._asking.start()

    async def stop(self) -> None:
        """Ask no more."""
        await self._asking.stop()

    async def _refresh(self) -> None:
        try:
            while await self._take_page():
                pass
        except Exception as error:  # noqa: BLE001 - what is known holds on, whatever it was
            metrics.WITHDRAWAL_FAILURES.inc()
            _log.warning("withdrawals not refreshed", error=type(error).__name__)

    async def _take_page(self) -> bool:
        """Take in one page; whether there may be another."""
        known = self.withdrawals
        page = await asyncio.to_thread(self._source, known.reached)
        if page.newest < known.reached:  # another database, or an older one
            known.clear()
            await asyncio.to_thread(self._keep, [])
            return True
        if not page.withdrawals:
            return False
        known.take(page.withdrawals, page.reached)
        await asyncio.to_thread(self._append, page)
        return page.reached < page.newest

    def _load(self) -> None:
        """Take in the kept pages, and keep them as one: what was lifted since is left out."""
        try:
            kept = self._file.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            _log.warning("kept withdrawals are unreadable", error=str(error))
            return
        for page in _pages(kept):
            self.withdrawals.take(page.withdrawals, page.reached)
        known = self.withdrawals
        self._keep([Page(known.reached, known.reached, tuple(known))])

    def _keep(self, pages: list[Page]) -> None:
        """Replace all that is kept."""
        temporary = self._file.with_suffix(".tmp")
        self._write(temporary, os.O_TRUNC, pages)
        with contextlib.suppress(FileNotFoundError):  # not written: said already
            temporary.replace(self._file)

    def _append(self, page: Page) -> None:
        self._write(self._file, os.O_APPEND, [page])

    def _write(self, file: Path, how: int, pages: list[Page]) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | how, 0o600)
            with os.fdopen(descriptor, "wb") as output:
                for page in pages:
                    value = wire.encode(page)
                    output.write(_LENGTH.pack(len(value)) + value)
                output.flush()
                os.fsync(output.fileno())
        except OSError as error:
            _log.warning("withdrawals not kept on disk", error=str(error))


def _pages(kept: bytes) -> Iterator[Page]:
    """The pages in order, up to one that was not written to its end."""
    at = 0
    while at + _LENGTH.size <= len(kept):
        (length,) = _LENGTH.unpack_from(kept, at)
        at += _LENGTH.size
        try:
            yield wire.decode(kept[at : at + length])
        except msgspec.DecodeError:
            return
        at += length
