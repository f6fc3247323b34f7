"""Persons put straight into the tables, as the scorer would have left them.

Each is one of a few hundred, folded from a short seeded history, moved in time so that the first
boundary ahead comes when it is wanted: the model knows no calendar.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Engine

from bench import columns
from services.api.segment_store import create_segment
from services.api.workspaces import create_workspace
from services.contract import tables
from services.contract.event import Consent, Event, Identity, event_id_of
from services.contract.phases import DAY_MS
from services.model.interval import Interval
from services.model.rulebook import Rulebook
from services.model.rules import RuleTree
from services.model.state import encode_state
from services.model.timeline import advance
from services.model.version import load
from services.runtime.bulk import insert_rows
from services.runtime.database import writing
from services.scorer.announce import MEMBER, prepare_feed
from services.scorer.build import build_step

SEED = 7
KINDS = 300
"""Different persons; all others are one of them at another time."""
RULE = {"type": "phase", "any_of": ["think", "do"]}
SEGMENT, SEGMENT_KEY = "1", "ready"
ROWS = 10_000
_TYPES = ("page", "vacancy_viewed", "vacancy_viewed", "application_started", "sent", "open")


class Kind(NamedTuple):
    """One folded person, with times counted from the first boundary ahead."""

    state: bytes
    events: int
    last_ms: int
    last_id: bytes
    announced: str
    intervals: tuple[Interval, ...]

    def boundaries(self) -> list[int]:
        """All moments ahead at which anything begins or ends, the first being 0."""
        edges = {edge for i in self.intervals for edge in (i.from_ms, i.to_ms)}
        return sorted(edge for edge in edges if edge is not None and edge >= 0)


def kinds(count: int = KINDS) -> list[Kind]:
    """The different persons."""
    rng = random.Random(SEED)
    rulebook = Rulebook(((SEGMENT, RuleTree.model_validate({"rule": RULE}).rule),))
    found: list[Kind] = []
    while len(found) < count:
        state, intervals = advance(None, _history(rng, len(found)), load(), rulebook)
        edges = [edge for i in intervals for edge in (i.from_ms, i.to_ms)]
        ahead = [edge for edge in edges if edge is not None and edge > state.at_ms]
        if not ahead:
            continue
        origin = min(ahead)
        moved = tuple(
            i._replace(
                from_ms=i.from_ms - origin, to_ms=None if i.to_ms is None else i.to_ms - origin
            )
            for i in intervals
        )
        holds = [i for i in moved if i.from_ms < 0 and (i.to_ms is None or i.to_ms >= 0)]
        announced = {_name(i): MEMBER if i.kind == "segment" else i.key for i in holds}
        found.append(
            Kind(
                encode_state(state),
                state.events,
                state.at_ms - origin,
                state.at_id,
                msgspec.json.encode(announced).decode(),
                moved,
            )
        )
    return found


def prepare(engine: Engine, now_ms: int) -> None:
    """A workspace (id 1) with one segment in force, and the feed."""
    create_workspace(engine, "Bench", "Europe/Amsterdam", None, now_ms)
    with writing(engine).begin() as db:
        prepare_feed(db)
        create_segment(db, 1, SEGMENT_KEY, SEGMENT_KEY, RULE, "bench", now_ms)
        while build_step(db, load(), now_ms):
            pass


def know(
    engine: Engine,
    due_ms: Iterable[tuple[Kind, int]],
    first_id: int = 1,
    *,
    named: bool = False,
) -> int:
    """Store a person for each (kind, when its first boundary ahead comes); the next free id.

    ``named``: so that events may be theirs; each has the user id that :func:`name_of` tells.
    """
    numbered = enumerate(due_ms, first_id)
    while some := list(islice(numbered, ROWS)):
        with writing(engine).begin() as db:
            _store(db, [(number, *one) for number, one in some])
            if named:
                _name_all(db, [number for number, _ in some])
        first_id = some[-1][0] + 1
    return first_id


def name_of(person: int) -> str:
    """The user id of a person who has one."""
    return f"u{person}"


def _name_all(db: Connection, persons: Sequence[int]) -> None:
    names = [(i, 1, "user_id", name_of(i), i, False) for i in persons]
    insert_rows(db, tables.identity, columns.IDENTITY, names)
    links = [(i, 1, i, i, 0) for i in persons]
    insert_rows(db, tables.identity_link, columns.IDENTITY_LINK, links)


def _store(db: Connection, persons: list[tuple[int, Kind, int]]) -> None:
    insert_rows(
        db,
        tables.person,
        columns.PERSON,
        [(i, 1, f"p_{i}", kind.last_ms + at, kind.last_id, at) for i, kind, at in persons],
    )
    insert_rows(
        db,
        tables.person_state,
        columns.PERSON_STATE,
        [
            (i, 1, k.state, "day-one", 1, k.last_ms + at, k.last_id, k.events, k.announced, at)
            for i, k, at in persons
        ],
    )
    insert_rows(db, tables.interval, columns.INTERVAL, list(_intervals(persons)))


def _intervals(persons: list[tuple[int, Kind, int]]) -> Iterator[tuple[object, ...]]:
    for i, kind, at in persons:
        for held in kind.intervals:
            to_ms = None if held.to_ms is None else held.to_ms + at
            from_ms = held.from_ms + at
            yield (1, i, held.kind, held.key, from_ms, to_ms, kind.last_ms + at, held.event_id)


def _name(interval: Interval) -> str:
    return interval.kind if interval.kind != "segment" else f"segment:{SEGMENT_KEY}"


def _history(rng: random.Random, number: int) -> list[Event]:
    """A few weeks of somebody who agreed to be followed."""
    at_ms = sorted(rng.randrange(60 * DAY_MS) for _ in range(rng.randint(3, 14)))
    who = (Identity("user_id", f"u{number}"),)
    agreed = Consent(measure=True, profile=True)
    events = []
    for i, at in enumerate(at_ms):
        kind = rng.choice(_TYPES)
        events.append(
            Event(
                v=1,
                workspace_id=1,
                event_id=event_id_of(1, 1, f"{number}-{i}"),
                source_id=1,
                type=kind,
                identities=who,
                occurred_ms=at,
                received_ms=at,
                channel="email" if kind in {"sent", "open"} else "website",
                message_id=f"m{at // (14 * DAY_MS)}" if kind in {"sent", "open"} else None,
                consent=agreed,
            )
        )
    return events
