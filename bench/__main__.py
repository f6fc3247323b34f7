"""``make bench``: every measure in turn, one table, and the same in ``bench/results``.

What is measured is the product as its image has it, with the compiled modules.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from bench import (
    anew,
    announce,
    compiled,
    curve,
    files,
    fit,
    growth,
    hits,
    late,
    machine_labels,
    open_loop,
    outage,
    pages,
    peer_scorer,
    peers,
    relay,
    scoring,
    segments,
    sweep,
    visible,
    webhooks,
)
from bench.docs import LATEST
from bench.figures import as_text
from bench.machine import machine, pace_ms
from services.model import fold
from tests.servers.compiled import compiled_tree, environment_of

MEASURES = {
    "hits": hits,
    "peers": peers,
    "open_loop": open_loop,
    "outage": outage,
    "relay": relay,
    "compiled": compiled,
    "scoring": scoring,
    "peer_scorer": peer_scorer,
    "curve": curve,
    "announce": announce,
    "anew": anew,
    "late": late,
    "visible": visible,
    "webhooks": webhooks,
    "pages": pages,
    "files": files,
    "segments": segments,
    "growth": growth,
    "sweep": sweep,
    "machine_labels": machine_labels,
    "fit": fit,
}

LONG = {"announce", "curve", "files", "fit", "growth", "late", "segments", "sweep"}
"""They make many people, two years of ten thousand, or years of one first: run where they are
named."""


def asked() -> list[str]:
    """The measures named in the command, or all that are not long."""
    told = [f"{name:15} {_of(name)}" for name in MEASURES]
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure speed and memory on this machine: the measures named, or all but the"
        " long ones, marked *.",
        epilog="measures:\n  " + "\n  ".join(told),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("measure", nargs="*", help="one of those below")
    names: list[str] = parser.parse_args().measure
    for name in names:
        if name not in MEASURES:
            parser.error(f"there is no measure {name!r}: choose from {', '.join(MEASURES)}")
    return names or [name for name in MEASURES if name not in LONG]


def _of(name: str) -> str:
    """The first sentence of what a measure says of itself."""
    first = (MEASURES[name].__doc__ or "").partition("\n")[0]
    return f"{'*' if name in LONG else ' '} {first}"


def main(names: list[str]) -> None:
    """Run the measures named."""
    results = LATEST.parent
    results.mkdir(exist_ok=True)
    began = time.monotonic()
    # On the project's own disk: what is called durable must not be kept in memory.
    with tempfile.TemporaryDirectory(dir=results, prefix="run-") as run:
        facts = machine(Path(run))
        paces_ms = [pace_ms()]
        figures = []
        for name in names:
            print(f"{time.monotonic() - began:4.0f} s  {name} …", flush=True)
            folder = Path(run) / name
            folder.mkdir()
            figures += MEASURES[name].measure(folder)
            paces_ms.append(pace_ms())
    # The same thing stands together, whichever measure found it; memory comes last.
    order = {figure.measure: i for i, figure in reversed([*enumerate(figures)])}
    figures.sort(key=lambda figure: (figure.measure == "Memory", order[figure.measure]))
    paces = ", ".join(f"{one:.0f}" for one in paces_ms)
    facts["its pace"] = f"a fixed loop took {paces} ms of it: before, and after each measure"
    facts["whole run"] = f"{time.monotonic() - began:.0f} s"
    print("\n" + "\n".join(f"{name:12} {value}" for name, value in facts.items()) + "\n")
    print(as_text(figures))
    told = {"machine": facts, "figures": [figure.told() for figure in figures]}
    LATEST.write_text(json.dumps(told, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    chosen = asked()
    if not fold.__file__.endswith(".so"):
        print("building the compiled product …", flush=True)
        command = [sys.executable, "-m", "bench", *sys.argv[1:]]
        os.execve(sys.executable, command, environment_of(compiled_tree()))
    main(chosen)
