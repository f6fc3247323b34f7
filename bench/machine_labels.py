"""How well the door tells software from people by user agent alone, and what that costs."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from bench.figures import Figure, Target
from bench.user_agents import Collection, collections, is_held_out
from services.contract.event import MACHINE_THRESHOLD
from services.tracker.crawlers import listed
from services.tracker.machine import REMEMBERED_MAX, label

RECALL_PERCENT_MIN = 85
FALSE_PERCENT_MAX = 0.5
_REMEMBERED_US_MAX = 1
_MEMORY_MB_MAX = 10

_NAME = "Machine or person, by user agent alone"
_REPEATS = 100
_AGENTS_KEPT_UP = 20_000


@dataclass(frozen=True)
class Labelled:
    """A half of a collection: how many there are of each, and how many were called software."""

    software: int
    software_found: int
    people: int
    people_taken_for_software: int

    @property
    def recall_percent(self) -> float:
        """Of what is software's."""
        return 100 * self.software_found / self.software

    @property
    def false_percent(self) -> float:
        """Of what is people's."""
        return 100 * self.people_taken_for_software / self.people


def labelled(collection: Collection, *, held_out: bool) -> Labelled:
    """Label one half of a collection."""
    software, people = (
        [agent for agent in agents if is_held_out(agent) == held_out]
        for agents in (collection.software, collection.people)
    )
    return Labelled(
        len(software), sum(map(_is_machine, software)), len(people), sum(map(_is_machine, people))
    )


def measure(_folder: Path) -> list[Figure]:
    """Recall and false positives by collection and half; time and memory of a label."""
    figures = []
    all_collections = collections()
    for collection in all_collections:
        for held_out, half in ((True, "held out"), (False, "rules made from")):
            found = labelled(collection, held_out=held_out)
            figures += _figures(collection.name, half, found, is_target=held_out)
        figures += _beside(collection)
    return [*figures, *_costs(all_collections[1].software + all_collections[1].people)]


def _figures(name: str, half: str, found: Labelled, *, is_target: bool) -> list[Figure]:
    recall = Target(RECALL_PERCENT_MIN, at_least=True) if is_target else None
    false = Target(FALSE_PERCENT_MAX) if is_target else None
    figures = []
    if found.software:
        told = f"{name}, {half}: found of {found.software:,} software's"
        figures.append(Figure(_NAME, told, found.recall_percent, "%", recall))
    told = f"{name}, {half}: taken for software of {found.people:,} people's"
    return [*figures, Figure(_NAME, told, found.false_percent, "%", false)]


def _beside(collection: Collection) -> list[Figure]:
    """What the list finds by itself, and what is found of that which it was not made from."""
    held_out = [agent for agent in collection.software if is_held_out(agent)]
    if not held_out:
        return []
    alone = 100 * sum(listed(agent) is not None for agent in held_out) / len(held_out)
    examples = {text for entry in CRAWLER_USER_AGENTS_DATA for text in entry["instances"]}
    others = [agent for agent in held_out if agent not in examples]
    found = 100 * sum(map(_is_machine, others)) / len(others)
    return [
        Figure(_NAME, f"{collection.name}, held out: found by the list alone", alone, "%"),
        Figure(
            _NAME,
            f"{collection.name}, held out: found of {len(others):,} not among its examples",
            found,
            "%",
        ),
    ]


def _is_machine(agent: str) -> bool:
    return label("GET", _headers(agent)).p >= MACHINE_THRESHOLD


def _headers(agent: str) -> dict[bytes, bytes]:
    return {b"user-agent": agent.encode("latin-1", "replace"), b"accept-language": b"nl"}


def _costs(agents: list[str]) -> list[Figure]:
    kinds = [_headers(agent) for agent in agents[: REMEMBERED_MAX // 2]]
    new_us = _microseconds(kinds)
    remembered_us = min(_microseconds(kinds) for _ in range(_REPEATS))
    memory = subprocess.run(
        [sys.executable, "-c", _MEMORY_MB],
        input="\n".join(agents[:_AGENTS_KEPT_UP]).encode(),
        capture_output=True,
        check=True,
    )
    return [
        Figure(
            _NAME, "a label, of a kind seen before", remembered_us, "µs", Target(_REMEMBERED_US_MAX)
        ),
        Figure(_NAME, "a label, of a new kind", new_us, "µs"),
        Figure(
            _NAME,
            f"memory, after {_AGENTS_KEPT_UP:,} kinds",
            float(memory.stdout),
            "MB",
            Target(_MEMORY_MB_MAX),
        ),
    ]


def _microseconds(kinds: list[dict[bytes, bytes]]) -> float:
    began = time.process_time()
    for headers in kinds:
        label("GET", headers)
    return (time.process_time() - began) / len(kinds) * 1e6


# A process of its own, that holds nothing else when it begins to count.
_MEMORY_MB = """
import gc, resource, sys
import services.contract.event
def resident():
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 2**20
before = resident()
from services.tracker.machine import label
for agent in sys.stdin.buffer:
    label("GET", {b"user-agent": agent})
print(resident() - before)
"""
