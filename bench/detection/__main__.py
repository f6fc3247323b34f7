"""``python -m bench.detection [--small]``: how early, and how rightly, the model notices.

Simulated: people who do not exist, in worlds described in docs/detection.md.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import rich.progress as bars

from bench.detection.docs import LATEST
from bench.detection.run import SMALL, WHOLE, run, told
from bench.detection.tables import as_tables


def main() -> None:
    """Run it, print the tables, and, but for the small one, write the results down."""
    parser = argparse.ArgumentParser(prog="python -m bench.detection", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a look in under a minute")
    small = parser.parse_args().small
    columns = (
        bars.TextColumn("{task.description}"), bars.BarColumn(), bars.MofNCompleteColumn(),
        bars.TimeElapsedColumn(),
    )  # fmt: skip
    with bars.Progress(*columns) as bar, tempfile.TemporaryDirectory() as folder:

        def progress(part: str, total: int) -> Callable[[], None]:
            task = bar.add_task(part, total=total)
            return lambda: bar.advance(task)

        size = SMALL if small else WHOLE
        findings = run(size, Path(folder), progress, min(2, os.cpu_count() or 1))
    print("Simulated, but for the public records.\n\n" + as_tables(findings))
    if not small:
        LATEST.parent.mkdir(exist_ok=True)
        LATEST.write_bytes(told(findings))


if __name__ == "__main__":
    main()
