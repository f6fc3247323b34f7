"""A realistic stream: a year of a simulated target group, as the tracker would have logged it."""

from typing import NamedTuple

import msgspec

from bench.requests import SERVER_KEY, SNAPSHOT
from services.contract.event import encode, record_key
from services.demo.calls import Call, call_of
from services.demo.world import simulate
from services.runtime.event_log import Record
from services.tracker.accept import accept
from services.tracker.directory import Directory
from services.tracker.request import Request

PEOPLE = 2_000
SEED = 1
END_MS = 1_790_000_000_000

_HEADERS = {b"authorization": f"Bearer {SERVER_KEY}".encode()}


class Arrival(NamedTuple):
    """A record, and when the tracker received it (UTC milliseconds)."""

    record: Record
    received_ms: int


def stream() -> list[Arrival]:
    """All acts of the year, in the order of time, each received when it happened."""
    world = simulate(SEED, PEOPLE, END_MS)
    directory = Directory(SNAPSHOT)
    arrivals: list[Arrival] = []
    for number, act in enumerate(world.acts):
        call = call_of(act, world.people[act.person], f"bench-{number}")
        accepted = accept(_batch(call, number), directory, act.t_ms)
        arrivals += [
            Arrival(Record(record_key(event), encode(event)), act.t_ms) for event in accepted.events
        ]
    return arrivals


def _batch(call: Call, number: int) -> Request:
    body = msgspec.json.encode({"batch": [call]})
    return Request("POST", "/v1/batch", _HEADERS, f"{number:032x}", b"", body)
