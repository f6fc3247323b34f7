"""Keeps the newest snapshot at hand, and a copy on disk to start from when the API is away."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from services.contract import snapshot as wire
from services.contract.snapshot import Snapshot
from services.tracker import metrics
from services.tracker.directory import Directory
from services.tracker.every_second import EverySecond
from services.tracker.hooks.memory import Memory
from services.tracker.withdrawals import Withdrawals

_log = structlog.get_logger(__name__)

SnapshotSource = Callable[[], Snapshot | None]
"""Asked every second, in a thread: the snapshot, or None where it is unchanged or unavailable."""


class SnapshotKeeper:
    """Asks the source every second; ``directory`` is None until there ever was a snapshot."""

    def __init__(
        self,
        source: SnapshotSource,
        data: Path,
        memory: Memory | None = None,
        withdrawals: Withdrawals | None = None,
    ) -> None:
        self._source = source
        self._file = data / "snapshot.json"
        self._memory = Memory() if memory is None else memory
        self._withdrawals = Withdrawals() if withdrawals is None else withdrawals
        self._asking = EverySecond(self._refresh)
        self.directory: Directory | None = None

    async def start(self) -> None:
        """Begin with the copy on disk, then with what the source says, and go on asking."""
        self._load()
        await self._asking.start()

    async def stop(self) -> None:
        """Ask no more."""
        await self._asking.stop()

    async def _refresh(self) -> None:
        try:
            snapshot = await asyncio.to_thread(self._source)
        except Exception as error:  # noqa: BLE001 - the last snapshot serves on, whatever it was
            metrics.SNAPSHOT_FAILURES.inc()
            _log.warning("snapshot not refreshed", error=str(error))
            return
        if snapshot is None or self._has(snapshot.version):
            return
        self.directory = Directory(snapshot, self._memory, self._withdrawals)
        try:
            await asyncio.to_thread(self._save, snapshot)
        except OSError as error:
            _log.warning("snapshot not kept on disk", error=str(error))

    def _has(self, version: str) -> bool:
        return self.directory is not None and self.directory.version == version

    def _load(self) -> None:
        try:
            snapshot = wire.decode(self._file.read_bytes())
            self.directory = Directory(snapshot, self._memory, self._withdrawals)
        except FileNotFoundError:
            return
        except (OSError, msgspec.DecodeError) as error:
            _log.warning("kept snapshot is unreadable", error=str(error))

    def _save(self, snapshot: Snapshot) -> None:
        # It holds the secrets that sign links: for us alone to read.
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(".tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(wire.encode(snapshot))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._file)
