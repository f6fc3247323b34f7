"""Traffic at a steady rate, and persons among it whose membership is looked for."""

import asyncio
import itertools
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from bench.client import Connection
from bench.requests import PEOPLE, SEED, Requests
from tests.integration.product import Product

HITS_PER_S = 500
SECONDS = 24
WARM_S = 4
"""Nobody is timed before: people become known, caches fill."""
PROBES_PER_S = 8
LOOK_EVERY_S = 0.02
CONNECTIONS = 16
PATIENCE_S = 20
PAGE = 1_000

_decode = msgspec.json.Decoder(dict).decode


@dataclass(frozen=True)
class Seen:
    """What came of it."""

    hits_per_s: float
    taken_s: list[float]
    """For each person timed, from the hit to the page that showed them."""


async def traffic(product: Product, heard_s: dict[str, float] | None = None) -> Seen:
    """Send hits and probes to a product, and look for the probes in its segment ``bench``.

    Args:
        product: what is measured.
        heard_s: where somebody else notes when each person was first heard of; None: the
            segment's members are read all the time.

    Raises:
        RuntimeError: an answer was an error, or somebody was never shown.
    """
    tracker, api = (urlsplit(url).port or 80 for url in (product.tracker_url, product.api_url))
    requests = Requests(tracker, product.write_key, product.server_key)
    begin_s = time.perf_counter()
    end_s = begin_s + SECONDS
    connections = [await Connection.open(tracker) for _ in range(CONNECTIONS + 1)]
    looking = await Connection.open(api)
    *lanes, for_probes = connections
    hits = _hits(requests)
    sending = [
        _pace(lane, hits, begin_s + number / HITS_PER_S, CONNECTIONS / HITS_PER_S, end_s)
        for number, lane in enumerate(lanes)
    ]
    sent: dict[str, float] = {}
    finding = (
        _look(looking, _members(api, product.api_key), sent)
        if heard_s is None
        else _listen(heard_s)
    )
    look = asyncio.create_task(finding)
    probing = _probe(for_probes, requests, sent, begin_s + WARM_S, end_s)
    counts = await asyncio.gather(*sending, probing)
    lasted_s = time.perf_counter() - begin_s
    first_shown_s = await asyncio.wait_for(look, PATIENCE_S)
    await looking.close()
    looking = await Connection.open(api)  # one that was idle may be closed by now
    taken_s = await _taken(looking, api, product.api_key, sent, first_shown_s)
    for connection in (*connections, looking):
        await connection.close()
    return Seen(sum(counts) / lasted_s, taken_s)


def _hits(requests: Requests) -> Iterator[bytes]:
    """Pages seen and stories read by people who come again and again."""
    rng = random.Random(SEED)
    for number in itertools.count():
        person = rng.randrange(PEOPLE)
        yield requests.page(f"c-u{person}", number)
        yield requests.track(f"r{number}", f"u{person}")


async def _pace(
    connection: Connection, hits: Iterator[bytes], at_s: float, step_s: float, end_s: float
) -> int:
    """Ask at fixed moments, whether or not earlier answers were late; how many came."""
    count = 0
    while at_s < end_s:
        await asyncio.sleep(at_s - time.perf_counter())
        await connection.ask(next(hits))
        count += 1
        at_s += step_s
    return count


async def _probe(
    connection: Connection, requests: Requests, sent: dict[str, float], at_s: float, end_s: float
) -> int:
    """Let new persons ask a question, and note when; ends with one who is not timed."""
    count = 0
    while at_s < end_s:
        await asyncio.sleep(at_s - time.perf_counter())
        user_id = f"probe-{count}"
        request = requests.track(f"q{count}", user_id, "question")
        sent[user_id] = time.perf_counter()
        await connection.ask(request)
        count += 1
        at_s += 1 / PROBES_PER_S
    return count


async def _listen(heard_s: dict[str, float]) -> dict[str, float]:
    """Wait until all are heard of; when each was."""
    while len(heard_s) < round((SECONDS - WARM_S) * PROBES_PER_S):  # noqa: ASYNC110
        await asyncio.sleep(LOOK_EVERY_S)  # who hears is in a thread of their own
    return heard_s


async def _look(connection: Connection, request: bytes, sent: dict[str, float]) -> dict[str, float]:
    """Read the members until all are there; when each was first shown."""
    expected = round((SECONDS - WARM_S) * PROBES_PER_S)
    first_shown_s: dict[str, float] = {}
    while len(first_shown_s) < expected or len(sent) < expected:
        members = _decode(await connection.ask(request))["members"]
        now_s = time.perf_counter()
        for member in members:
            first_shown_s.setdefault(member["person"], now_s)
        await asyncio.sleep(LOOK_EVERY_S)
    return first_shown_s


async def _taken(
    connection: Connection, port: int, key: str, sent: dict[str, float], shown_s: dict[str, float]
) -> list[float]:
    """Whose membership is whose, asked afterwards."""
    taken_s = []
    for user_id, begin_s in sent.items():
        path = f"/v1/persons/lookup?namespace=user_id&value={user_id}"
        person = _decode(await connection.ask(get(path, port, key)))
        taken_s.append(shown_s[person["id"]] - begin_s)
    return taken_s


def _members(port: int, key: str) -> bytes:
    return get(f"/v1/segments/bench/members?limit={PAGE}", port, key)


def get(path: str, port: int, key: str) -> bytes:
    """A read of the API."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n\r\n"
    ).encode()
