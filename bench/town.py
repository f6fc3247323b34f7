"""A workspace of many persons with a year behind them, put straight into the tables.

Each is one of four thousand, folded from a seeded history with fifty segments by the code of the
scorer; only whose it is differs. So a million are made in minutes, and every row is as the scorer
would have left it.
"""

import random
from collections import Counter
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, select, text

from bench import columns
from bench.settling import NAME, NOBODY, Kind, event_id, settle
from services.api.segment_store import create_segment
from services.api.workspaces import create_workspace
from services.contract import tables
from services.contract.event import Consent, Event, Identity
from services.contract.phases import DAY_MS, hour_until
from services.model.rulebook import Rulebook
from services.model.state import encode_state
from services.model.timeline import advance
from services.model.version import load
from services.runtime.bulk import insert_rows
from services.runtime.database import writing
from services.scorer.announce import MEMBER, prepare_feed
from services.scorer.build import build_step
from services.scorer.segments import load_segments

SEED = 23
KINDS = 4_000
EVENTS = 20
SEGMENTS_MADE = 50
_REGIONS = ("Utrecht", "Noord", "Zuid", "Oost", "West")
TYPES = {
    "page": 8,
    "read": 3,
    "vacancy_viewed": 3,
    "sent": 4,
    "open": 2,
    "click": 1,
    "application_started": 0.3,
}


def rules() -> dict[str, dict[str, Any]]:
    """The fifty segments by key: phases, attributes, windowed counts, and both."""
    found: dict[str, dict[str, Any]] = {
        "ready": {"type": "phase", "any_of": ["think", "do"]},
        "looking": {"type": "latency_state", "any_of": ["active"]},
    }
    found |= {
        f"in-{region.lower()}": {
            "type": "attribute",
            "name": "region",
            "op": "is",
            "value": region,
        }
        for region in _REGIONS
    }
    days = 3
    while len(found) < SEGMENTS_MADE:
        kind = ("vacancy_viewed", "read", "page", "open")[days % 4]
        count = {"type": "events", "event": [kind], "at_least": 1 + days % 2, "within_days": days}
        among = {"type": "phase", "any_of": ["see", "think"]}
        found[f"{kind.replace('_', '-')}-{days}"] = (
            count if days % 3 else {"type": "all", "rules": [count, among]}
        )
        days += 3
    return found


def found_town(engine: Engine, persons: int, now_ms: int) -> str:
    """Fill a migrated, empty PostgreSQL; the API key of its workspace (id 1)."""
    made = create_workspace(engine, "Town", "Europe/Amsterdam", None, now_ms)
    with writing(engine).begin() as db:
        prepare_feed(db)
        for key, rule in rules().items():
            create_segment(db, 1, key, key, rule, "bench", now_ms - 500 * DAY_MS)
        while build_step(db, load(), now_ms - 500 * DAY_MS):
            pass
        segments = load_segments(db, 1)
    rulebook = segments.rulebook_for(1)
    rng = random.Random(SEED)
    kinds = [_kind(rng, n, now_ms, rulebook, segments.announced_names) for n in range(KINDS)]
    settle(engine, kinds, persons)
    with writing(engine).begin() as db:
        _count(db, kinds, persons)
        _number_on(db, persons)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("VACUUM ANALYZE"))
    return made.api_key


def _kind(
    rng: random.Random, number: int, now_ms: int, rulebook: Rulebook, names: dict[str, str]
) -> Kind:
    moments = sorted(now_ms - rng.randrange(1, 380 * DAY_MS) for _ in range(EVENTS))
    attributes = {"name": f"Name {number}", "region": rng.choice(_REGIONS)}
    events = []
    for n, at_ms in enumerate(moments):
        kind = "identified" if n == 0 else rng.choices([*TYPES], [*TYPES.values()])[0]
        mail = kind in {"sent", "open", "click"}
        events.append(
            Event(
                v=1,
                workspace_id=1,
                event_id=event_id(NOBODY, n),
                source_id=1,
                type=kind,  # type: ignore[arg-type]
                occurred_ms=at_ms,
                received_ms=at_ms,
                identities=(Identity("user_id", NAME),),
                channel="email" if mail else "website",
                content_id=f"c{rng.randrange(60)}",
                message_id=f"m{at_ms // (14 * DAY_MS)}" if mail else None,
                consent=Consent(measure=True, profile=True),
                properties=attributes if n == 0 else {"topics": ["energy"]},
            )
        )
    state, pieces = advance(None, events, load(), rulebook)
    edges = [edge for i in pieces for edge in (i.from_ms, i.to_ms)]
    holds = [i for i in pieces if i.from_ms <= now_ms and (i.to_ms is None or now_ms < i.to_ms)]
    announced = {
        names[i.key] if i.kind == "segment" else i.kind: MEMBER if i.kind == "segment" else i.key
        for i in holds
    }
    return Kind(
        tuple(events),
        encode_state(state),
        msgspec.json.encode(dict(sorted(announced.items()))).decode(),
        min((edge for edge in edges if edge is not None and edge > now_ms), default=None),
        tuple(pieces),
    )


def _count(db: Connection, kinds: list[Kind], persons: int) -> None:
    deltas: Counter[tuple[str, str, int]] = Counter()
    for number, kind in enumerate(kinds):
        people = len(range(number or KINDS, persons + 1, KINDS))
        for one in kind.intervals:
            deltas[one.kind, one.key, hour_until(one.from_ms)] += people
            if one.to_ms is not None:
                deltas[one.kind, one.key, hour_until(one.to_ms)] -= people
    rows = [(1, *place, number) for place, number in sorted(deltas.items()) if number]
    insert_rows(db, tables.count_delta, columns.COUNT_DELTA, rows)


def _number_on(db: Connection, persons: int) -> None:
    """Let ids that the database gives out follow ours."""
    for table in (tables.person, tables.identity, tables.identity_link):
        sequence = db.execute(
            select(text(f"pg_get_serial_sequence('\"{table.name}\"', 'id')"))
        ).scalar_one()
        db.execute(text(f"SELECT setval('{sequence}', {persons})"))
