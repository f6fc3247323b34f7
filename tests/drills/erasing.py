"""People erased while scorer and API die, and events of theirs, old and new, keep coming.

Half of the people are erased at some moment, half stay. Of the erased nothing may be found in any
table afterwards; of the others everything must be, once.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, func, select

from services.contract import tables
from services.contract.event import event_id_of, nobodys_id
from services.contract.vault import open_payload
from services.runtime.database import open_database, reading
from services.scorer.replay import Comparison, compare_next, differing_counts
from services.scorer.versions import in_force, model_of
from tests.drills.outcome import Outcome, checked
from tests.drills.stack import Stack
from tests.integration.product import run_mortal_up
from tests.servers.process import wait_until
from tests.servers.web import LOCAL

AGREED = {"consent": {"categoryPreferences": {"measure": True, "profile": True}}}
PATIENCE_S = 240
PAUSE_S = 0.05
LATE_DAYS_MAX = 40
_SENT = ("page", "identified")


@dataclass(frozen=True)
class Place:
    """A running product, and what of it may be killed."""

    tracker_url: str
    api_url: str
    server_key: str
    api_key: str
    database_url: str
    kills: Mapping[str, Callable[[], None]]


def place_of(stack: Stack) -> Place:
    """A distributed product."""
    kills = {"scorer": stack.scorer.kill, "api": stack.api.kill}
    keys = stack.server_key, stack.api_key
    return Place(stack.trackers[0].url, stack.api.url, *keys, stack.database_url, kills)


@contextmanager
def run_place(folder: Path) -> Iterator[Place]:
    """One process on SQLite."""
    with run_mortal_up(folder) as (product, kill):
        url = f"sqlite:///{folder / 'data' / 'kentering.db'}"
        keys = product.server_key, product.api_key
        yield Place(product.tracker_url, product.api_url, *keys, url, {"kentering up": kill})


class _Client:
    """Says the same again until it is taken, as who must not lose anything does."""

    def __init__(self, base_url: str, key: str, stop: threading.Event) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=20, **LOCAL)
        self._stop = stop

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """The answer; None: asked to end before it was taken."""
        while not self._stop.is_set():
            try:
                answer = self._http.post(path, json=body)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.is_success:
                told: dict[str, Any] = answer.json()
                return told
            assert answer is None or answer.status_code in {429, 503}, answer.text
            time.sleep(PAUSE_S)
        return None


class _Crowd:
    """Everybody tells of themselves, in no order, for as long as it lasts; old things twice."""

    def __init__(self, place: Place, names: list[str], rng: random.Random) -> None:
        self.acknowledged: dict[str, str] = {}
        """Message id → whose."""
        self._stop, self._never = threading.Event(), threading.Event()
        self._client = _Client(place.tracker_url, place.server_key, self._never)
        self._names, self._rng = names, rng
        self._said: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, the call in hand acknowledged."""
        self._stop.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            name = self._rng.choice(self._names)
            said = self._said[name]
            if said and self._rng.random() < 0.25:
                call = self._rng.choice(said)
            else:
                call = self._new(name, len(said))
                said.append(call)
            taken = self._client.post(f"/v1/{call['type']}", call)
            assert taken is not None
            self.acknowledged[call["messageId"]] = name
            self._stop.wait(0.005)

    def _new(self, name: str, number: int) -> dict[str, Any]:
        at = datetime.now(UTC) - timedelta(days=self._rng.uniform(0, LATE_DAYS_MAX))
        call = {
            "messageId": f"{name}-{number}",
            "userId": name,
            "timestamp": at.isoformat(),
            "context": AGREED,
        }
        if number % 5 == 0:
            traits = {"email": f"{name}@example.org", "name": f"Name of {name}"}
            return call | {"type": "identify", "traits": traits}
        more = {"anonymousId": f"{name}-browser"} if number % 2 else {}
        told = {"title": f"Title for {name}", "url": f"https://example.org/?of={name}"}
        return call | more | {"type": "page", "properties": told}


def erasing(
    place: Place, rng: random.Random, *, part: str, people: int, kills: int, every_s: float
) -> Outcome:
    """Erase every second of ``people``, while ``kills`` times a process dies."""
    mark = f"canary{rng.randrange(10**9)}"
    erased = [f"{mark}-gone-{n}" for n in range(people // 2)]
    stayed = [f"{mark}-here-{n}" for n in range(people - people // 2)]
    began_s = time.monotonic()
    crowd = _Crowd(place, erased + stayed, random.Random(rng.random()))
    never = threading.Event()
    eraser = threading.Thread(target=_erase, args=(place, erased, never), daemon=True)
    time.sleep(min(1.0, every_s))
    eraser.start()
    died: Counter[str] = Counter()
    for _ in range(kills):
        time.sleep(rng.uniform(0.5, 1.5) * every_s)
        victim = rng.choice(sorted(place.kills))
        place.kills[victim]()
        died[victim] += 1
    eraser.join(PATIENCE_S)
    assert not eraser.is_alive()
    time.sleep(min(1.0, every_s))  # of everybody something comes after they are erased
    crowd.stop()
    killed = ", ".join(f"{name} {times}" for name, times in sorted(died.items()))
    did = f"{len(erased)} of {people} people erased in {time.monotonic() - began_s:.0f} s: {killed}"
    engine = open_database(place.database_url)
    try:
        return _found(engine, part, did, crowd.acknowledged, f"{mark}-gone")
    finally:
        engine.dispose()


def _erase(place: Place, names: list[str], stop: threading.Event) -> None:
    client = _Client(place.api_url, place.api_key, stop)
    for name in names:
        client.post("/v1/erasures", {"namespace": "user_id", "value": name, "whole": True})


def _found(
    engine: Engine, part: str, did: str, acknowledged: Mapping[str, str], canary: str
) -> Outcome:
    whose = _by_event(engine, acknowledged)
    ids = set(whose)
    ours = {name for name in acknowledged.values() if not name.startswith(canary)}
    wait_until(lambda: not _missing(engine, ids), "all to be stored", timeout_s=PATIENCE_S)
    wait_until(lambda: not _tables_with(engine, canary), "to be erased", timeout_s=PATIENCE_S)
    rows = _rows(engine)
    of_ours = {one for one, name in whose.items() if name in ours}
    scored = _scored(engine, ours)
    counted = _counted(engine)
    equal, counts = _replayed(engine)
    lost = len(_missing(engine, ids)) + sum(rows.get(one) is None for one in of_ours)
    twice = scored - len(of_ours)
    kept = sum(rows.get(one) is not None for one in ids - of_ours)
    nobodys = sum(identity is None for identity in rows.values())
    return checked(
        part,
        did,
        {
            "acknowledged": len(ids),
            "lost": lost,
            "counted twice": twice,
            "events of the erased": len(ids - of_ours),
            "of these with a name": kept,
            "tables in which a canary is found": _tables_with(engine, canary) or "none",
            "totals, and events that only count": f"{counted}, {nobodys}",
        },
        {
            "nothing is lost": lost == 0,
            "nothing counts twice": twice == 0 and counted == nobodys,
            "something happened to the erased": len(ids - of_ours) > 0,
            "of the erased nothing is found": kept == 0 and not _tables_with(engine, canary),
            "folding anew finds what is stored": equal and not counts,
        },
    )


def _by_event(engine: Engine, acknowledged: Mapping[str, str]) -> dict[bytes, str]:
    """Event id → whose. A call that only counts is answered without one."""
    key = tables.api_key.c
    with engine.connect() as db:
        of = select(key.workspace_id, key.source_id).where(key.kind == "server")
        (sender,) = db.execute(of).all()
    return {event_id_of(*sender, message): name for message, name in acknowledged.items()}


def _missing(engine: Engine, ids: set[bytes]) -> set[bytes]:
    """Of these events, those that are stored neither as somebody's nor as nobody's."""
    secret = tables.link_secret.c
    with engine.connect() as db:
        first = select(secret.secret).order_by(secret.workspace_id, secret.number).limit(1)
        key = db.execute(first).scalar_one()
        stored = {bytes(one) for one in db.execute(select(tables.event.c.event_id)).scalars()}
    return {one for one in ids - stored if nobodys_id(one, key) not in stored}


def _rows(engine: Engine) -> dict[bytes, int | None]:
    """The identity that each event of these kinds is stored under."""
    row = tables.event.c
    with engine.connect() as db:
        query = select(row.event_id, row.identity_id).where(row.type.in_(_SENT))
        return {bytes(event_id): identity for event_id, identity in db.execute(query)}


def _scored(engine: Engine, names: set[str]) -> int:
    """How many events are folded into the states of people."""
    who, state = tables.identity.c, tables.person_state.c
    query = (
        select(func.sum(state.events))
        .join(tables.identity, who.person_id == state.person_id)
        .where(who.namespace == "user_id", who.value.in_(names))
    )
    with engine.connect() as db:
        return int(db.execute(query).scalar_one() or 0)


def _counted(engine: Engine) -> int:
    row = tables.aggregate.c
    query = select(func.sum(row["count"])).where(row.type.in_(_SENT))
    with engine.connect() as db:
        return int(db.execute(query).scalar_one() or 0)


def _tables_with(engine: Engine, canary: str) -> list[str]:
    """The tables in which a text is found, in whatever column, events opened."""
    found = []
    with engine.connect() as db:
        for table in tables.metadata.sorted_tables:
            query = select(table).execution_options(yield_per=1_000)
            if any(canary in _text(one) for row in db.execute(query) for one in row):
                found.append(table.name)
    return found


def _text(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return open_payload(bytes(value)).decode("utf-8", "replace")
    return str(value)


def _replayed(engine: Engine) -> tuple[bool, list[Any]]:
    """Whether folding everything anew finds what is stored; and counts that differ."""
    with engine.connect() as db:
        model = model_of(db, in_force(db).id)
        spaces = db.execute(select(tables.workspace.c.id)).scalars().all()
    equal, counts = True, []
    for workspace_id in spaces:
        done = Comparison(workspace_id)
        with reading(engine).connect() as db:
            while compare_next(db, done, model):
                pass
            counts += list(differing_counts(db, workspace_id))
        equal &= done.is_equal
    return equal, counts
