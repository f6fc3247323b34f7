"""The database away under load: collecting goes on, reading says so, scoring waits."""

import random
import time

import httpx

from tests.drills.load import Load
from tests.drills.outcome import Outcome, checked
from tests.drills.stack import Stack
from tests.servers.postgres import Postgres
from tests.servers.process import wait_until
from tests.servers.web import LOCAL


def database(stack: Stack, postgres: Postgres, rng: random.Random, seconds: float) -> Outcome:
    """PostgreSQL stopped for so long, and started again on the same data."""
    before = stack.stored_rows()
    processes = [one.process.pid for one in (stack.api, stack.scorer, *stack.trackers)]
    load = Load(stack.trackers, stack.server_key, stack.folder, "database", rng)
    time.sleep(1)
    postgres.stop()
    at_begin = len(load.acknowledged())
    answers = {_asked(stack) for _ in range(3)}
    waits = stack.scorer.status()
    time.sleep(seconds)
    answers.add(_asked(stack))
    during = len(load.acknowledged()) - at_begin
    postgres.start()
    began_s = time.monotonic()
    acknowledged = load.stop()
    stored = stack.await_stored(acknowledged)
    took_s = time.monotonic() - began_s
    wait_until(lambda: _asked(stack) == (200, False), "the API to answer again")
    rows = stack.stored_rows() - before
    return checked(
        "database",
        f"PostgreSQL gone for {seconds:.0f} s under load",
        {
            "acknowledged meanwhile": during,
            "refused or broken": load.refused + load.broken,
            "the API answered, with Retry-After": answers,
            "the scorer's readiness": waits,
            "scored after it, s": round(took_s, 1),
            "lost": len(acknowledged - stored),
            "stored twice": max(0, rows - len(acknowledged) - load.clients),
        },
        {
            "collecting went on": during > 20 * seconds and load.broken == 0,
            "the API said when to come back": answers == {(503, True)},
            "nothing is lost": acknowledged <= stored,
            "nothing stands there twice": rows <= len(acknowledged) + load.clients,
            "nobody was started again": processes
            == [one.process.pid for one in (stack.api, stack.scorer, *stack.trackers)]
            and stack.api.process.poll() is None
            and stack.scorer.process.poll() is None,
        },
    )


def _asked(stack: Stack) -> tuple[int, bool]:
    """The status of a read, and whether the answer says when to come back."""
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    answer = httpx.get(f"{stack.api.url}/v1/persons", headers=headers, timeout=30, **LOCAL)
    return answer.status_code, "retry-after" in answer.headers
