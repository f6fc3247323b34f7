"""What segments cost the scorer: events a second with none, 10, 50 and 200 of them in force.

A fifth of them are counts within a window; the others read the phase, the latency state, a
probability, an attribute, or two of these.
"""

from pathlib import Path
from typing import Any

from bench.figures import Figure, Target
from bench.scoring import fill, score
from bench.stream import stream
from tests.servers.postgres import run_postgres

HOW_MANY = (0, 10, 50, 200)
PER_S_MIN_WITH_50 = 4_000
MEASURE = "Scorer into PostgreSQL, by the number of segments in force"
_REGIONS = ("Noord", "Zuid", "Oost", "West")
_COUNTED = ("vacancy_viewed", "page", "click", "read", "open")


def measure(folder: Path) -> list[Figure]:
    """A database of its own for each number of segments."""
    arrivals = stream()
    spool = folder / "spool"
    fill(spool, arrivals)
    figures: list[Figure] = []
    with run_postgres() as server:
        for number in HOW_MANY:
            database = f"segments{number}"
            server.execute(f"CREATE DATABASE {database}")
            scored = score(server.url(database), spool, arrivals, segments(number), server)
            target = Target(PER_S_MIN_WITH_50, at_least=True) if number == 50 else None
            figures += [
                Figure(MEASURE, f"{number} segments: events", scored.per_s, "/s", target),
                Figure(MEASURE, f"{number} segments: CPU per event", scored.event_us, "µs"),
            ]
    return figures


def segments(number: int) -> dict[str, dict[str, Any]]:
    """So many different rules, by key."""
    return {f"segment-{i}": _rule(i) for i in range(number)}


def _rule(i: int) -> dict[str, Any]:
    turn = i // 5
    region = {"type": "attribute", "name": "region", "op": "is", "value": _REGIONS[turn % 4]}
    match i % 5:
        case 0:
            kind = _COUNTED[turn % len(_COUNTED)]
            window = {"at_least": 1 + turn % 4, "within_days": 7 + turn}
            return {"type": "events", "event": [kind], **window}
        case 1:
            return {"type": "phase", "any_of": [("see", "think", "do")[turn % 3]]}
        case 2:
            states = ("latent_latent", "actively_latent", "active")
            state = {"type": "latency_state", "any_of": [states[turn % 3]]}
            return {"type": "all", "rules": [state, region]}
        case 3:
            return {"type": "probability", "of": "openness", "at_least": 0.1 + turn / 60}
        case _:
            return region if turn < 4 else {"type": "not", "rule": region}
