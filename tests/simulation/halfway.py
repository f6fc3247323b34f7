"""``kentering`` that stands still with people written and nothing committed: FILE COMMAND…

PostgreSQL can be made to wait for a row by a test. SQLite knows one lock, which whoever writes has.
"""

import sys
import time
from pathlib import Path
from typing import Any

from services.cli.main import main
from services.scorer import shadow


def stand_still(reached: Path) -> None:
    """From the first people on that a version is put in force for; ``reached`` says so."""
    write = shadow.save

    def write_and_wait(*arguments: Any) -> None:
        write(*arguments)
        reached.touch()
        time.sleep(3600)

    shadow.save = write_and_wait


if __name__ == "__main__":
    stand_still(Path(sys.argv[1]))
    main(sys.argv[2:])
