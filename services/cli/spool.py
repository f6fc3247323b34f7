"""Opening the spool, within the bounds that the settings give it."""

from pathlib import Path

from services.runtime.settings import Settings
from services.runtime.sqlite_log import SqliteLog


def open_spool(settings: Settings, folder: Path, reader: str) -> SqliteLog:
    """The spool for its one writer; nothing is trimmed that ``reader`` is not done with.

    Raises:
        OSError: another process writes it, or the folder cannot be used.
    """
    return SqliteLog(
        folder,
        readers=[reader],
        bytes_max=int(settings.spool_gb_max * 2**30),
        free_share_min=settings.spool_free_percent_min / 100,
        keep_ms=int(settings.spool_keep_minutes * 60_000),
    )
