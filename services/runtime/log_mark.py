"""How far a log in SQLite has come, noted beside it.

SQLite takes a damaged write-ahead log for one that ends where the damage begins, and tells nobody:
what came after is gone, and its positions would be given out again. The mark tells. It is written
after every commit and not waited for, which costs a microsecond or two; after a power cut it may
be behind the log, never ahead of what was committed.
"""

import contextlib
import os
import re
from pathlib import Path

FILE_NAME = "log.mark"

_LINE = re.compile(rb"(spool-[0-9a-f]+) ([0-9]{20})\n")


class LogMark:
    """The mark of one log; its one writer holds it open.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, directory: Path) -> None:
        self._file = os.open(directory / FILE_NAME, os.O_RDWR | os.O_CREAT, 0o644)

    def read(self) -> tuple[str, int] | None:
        """(log id, last position); ``None`` if it says nothing that can be understood."""
        found = _LINE.fullmatch(os.pread(self._file, 100, 0))
        return (found[1].decode(), int(found[2])) if found else None

    def write(self, log_id: str, position: int) -> None:
        """Note the last position. What fails here fails nobody: the mark is then behind."""
        with contextlib.suppress(OSError):
            os.pwrite(self._file, f"{log_id} {position:020d}\n".encode(), 0)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)
