"""How long `kentering fit` takes on two years of 10,000 people who are simulated.

They live in a PostgreSQL database, as the scorer would have stored them, and the command itself is
run. The base version is day-one; the people have other numbers, so that there is something to find.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from sqlalchemy import Engine

from bench import columns
from bench.figures import Figure, Target
from services.api.workspaces import create_workspace
from services.contract.event import Consent, Event, Identity, encode, event_id_of
from services.contract.phases import DAY_MS
from services.contract.tables import event, identity, identity_link, person, person_state
from services.contract.vault import seal_payload
from services.model.fitting.history import (
    FIRST_KIND,
    HIRED,
    MAIL_CLICK,
    MAIL_OPEN,
    NOT_OPENED,
    Rhythm,
)
from services.model.fitting.simulate import World, simulate
from services.model.parameters import KINDS, Parameters
from services.model.version import load
from services.runtime.bulk import Row, insert_rows
from services.runtime.database import open_database, writing
from services.runtime.migrations import migrate
from tests.servers.postgres import run_postgres

PEOPLE = 10_000
DAYS = 730
SECONDS_MAX = 600
START_MS = 1_700_000_000_000
WEEKLY = Rhythm(1 / 7, 0.0)

_ROWS = 10_000
_MINUTE_MS = 60_000
_TYPES = {
    "page": ("page", "website"),
    "magazine": ("magazine_page", "magazine"),
    "social": ("page", "social"),
    "podcast": ("play", "podcast"),
    "vacancy_view": ("vacancy_viewed", "website"),
    "vacancy_click": ("click", "website"),
    "sign_up": ("sign_up", "website"),
    "application_start": ("application_started", "website"),
    "application": ("applied", "ats"),
}


def measure(folder: Path) -> list[Figure]:
    """The whole command, read from PostgreSQL."""
    with run_postgres() as server:
        server.execute("CREATE DATABASE bench")
        url = server.url("bench")
        migrate(url)
        engine = open_database(url)
        workspace = fill(engine, simulate(livelier(), PEOPLE, DAYS, WEEKLY, seed=1))
        engine.dispose()
        out = folder / "fitted.json"
        command = [str(Path(sys.executable).with_name("kentering")), "fit"]
        command += ["--workspace", workspace, "--out", str(out)]
        began = time.monotonic(), _children_cpu_s()
        subprocess.run(command, check=True, env=os.environ | {"KENTERING_DATABASE_URL": url})
        taken_s, used_s = time.monotonic() - began[0], _children_cpu_s() - began[1]
    made = json.loads(out.with_suffix(".made.json").read_text())
    found = made["comparison"]
    name = f"kentering fit, {PEOPLE:,} simulated people, two years, {made['steps']:,} steps"
    return [
        Figure(name, "the whole command", taken_s, "s", Target(SECONDS_MAX)),
        Figure(name, "its processor time", used_s, "s"),
        Figure(name, "log-likelihood gained, held out", found["gain_per_person"], "nats a person"),
        Figure(name, "calibration error before", _percent(found["before"]), "%"),
        Figure(name, "calibration error after", _percent(found["after"]), "%"),
    ]


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _percent(side: dict[str, float]) -> float:
    return side["calibration_error"] * 100


def livelier() -> Parameters:
    """People who are not as day-one has them: fewer look, and those who do are hired elsewhere."""
    version = load().parameters
    scale = np.array([0.6, 0.8, 1.2])
    rates = version.rates_per_day.items()
    return msgspec.structs.replace(
        version,
        start=(0.85, 0.12, 0.03),
        mean_days_until={
            "latent_latent": {"actively_latent": 800, "active": 4000},
            "actively_latent": {"latent_latent": 120, "active": 150},
            "active": {"latent_latent": 200, "actively_latent": 100, "hired": 300},
        },
        rates_per_day={kind: tuple((np.array(rate) * scale).tolist()) for kind, rate in rates},
    )


def fill(engine: Engine, world: World) -> str:
    """Put the people of a world into a migrated, empty database; the workspace's public id."""
    made = create_workspace(engine, "Fit", "Europe/Amsterdam", None, START_MS)
    count = len(world.histories.ends)
    numbers = range(1, count + 1)
    with writing(engine).begin() as db:
        persons = [(i, 1, f"p_{i:016x}", START_MS, b"", START_MS) for i in numbers]
        insert_rows(db, person, columns.PERSON, persons)
        known = [(i, 1, "user_id", f"u{i}", i, False) for i in numbers]
        insert_rows(db, identity, columns.IDENTITY, known)
        links = [(1, i, i, START_MS) for i in numbers]
        linked = ("workspace_id", "identity_id", "person_id", "known_from_ms")
        insert_rows(db, identity_link, linked, links)
        state = {"workspace_id": 1, "state": b"", "model_version": "none", "version": 1}
        state |= {"last_ms": 0, "last_event_id": b"", "events": 1, "announced": "{}"}
        rows = [(i, *state.values()) for i in numbers]
        insert_rows(db, person_state, ("person_id", *state), rows)
        buffer: list[Row] = []
        for one in _events(world):
            buffer.append(_row(one))
            if len(buffer) == _ROWS:
                _insert(db, buffer)
                buffer = []
        _insert(db, buffer)
    return made.workspace


def _insert(db: object, rows: list[Row]) -> None:
    names = ("workspace_id", "event_id", "identity_id", "type", "channel", "occurred_ms")
    insert_rows(db, event, (*names, "received_ms", "digest", "payload"), rows)  # type: ignore[arg-type]


def _row(one: Event) -> Row:
    number = int(one.identities[0].value[1:])
    at = one.occurred_ms
    stored = seal_payload(encode(one))
    return (1, one.event_id, number, one.type, one.channel, at, at, bytes(8), stored)


def _events(world: World) -> Iterator[Event]:
    """All that happened, person by person; a mail is sent just before it is opened."""
    histories = world.histories
    agreed = Consent(measure=True, profile=True)
    serial = 0

    def made(who: int, type_: str, at_ms: int, channel: str, **more: object) -> Event:
        nonlocal serial
        serial += 1
        return Event(
            v=1,
            workspace_id=1,
            event_id=event_id_of(1, 1, str(serial)),
            source_id=1,
            type=type_,
            identities=(Identity("user_id", f"u{who}"),),
            occurred_ms=at_ms,
            received_ms=at_ms,
            channel=channel,
            **more,
        )

    ends = histories.ends.tolist()
    for index, (begin, end) in enumerate(zip([0, *ends], ends, strict=False)):
        who, mail = index + 1, ""
        yield made(who, "identified", START_MS, "website", consent=agreed)
        days, codes = histories.days[begin:end].tolist(), histories.codes[begin:end].tolist()
        for day, code in zip(days, codes, strict=True):
            at = START_MS + round(day * DAY_MS)
            if code in {MAIL_OPEN, NOT_OPENED}:
                mail = f"m{serial}"
                sent = at - (_MINUTE_MS if code == MAIL_OPEN else 4 * DAY_MS)
                if sent > START_MS:
                    yield made(who, "sent", sent, "email", message_id=mail)
            if code == MAIL_OPEN:
                yield made(who, "open", at, "email", message_id=mail)
            elif code == MAIL_CLICK:
                yield made(who, "click", at, "email", message_id=mail)
            elif code == HIRED:
                yield made(who, "hired", at, "ats", server_only=True)
            elif code >= FIRST_KIND:
                kind = KINDS[code - FIRST_KIND]
                type_, channel = _TYPES[kind]
                content = "vacancy" if kind == "vacancy_click" else None
                yield made(who, type_, at, channel, content_type=content)
