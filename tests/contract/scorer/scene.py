"""A database, a real spool and the real scorer over it, with a clock that the test moves."""

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, insert, select

from services.contract import tables
from services.contract.event import Consent, Event, Identity, encode, event_id_of, record_key
from services.contract.phases import DAY_MS
from services.model.version import load
from services.runtime.database import open_database, writing
from services.runtime.event_log import Record
from services.runtime.sqlite_log import SqliteLog
from services.runtime.sqlite_log_reader import SqliteLogReader
from services.scorer.announce import prepare_feed
from services.scorer.consume import Scorer
from services.scorer.positions import positions

START_MS = 1_780_000_000_000
NOW_MS = START_MS + 200 * DAY_MS
MODEL = load()
AGREED = Consent(measure=True, profile=True)
SECRET = b"one secret of thirty-two bytes!!"


def user(name: str) -> Identity:
    return Identity("user_id", name)


def cookie(name: str) -> Identity:
    return Identity("anonymous_id", name)


def token(name: str) -> Identity:
    return Identity("person_token", name)


def mail(name: str) -> Identity:
    return Identity("email", name)


class Scene:
    """One workspace (id 1) unless more are made."""

    def __init__(self, url: str, folder: Path) -> None:
        self.engine: Engine = open_database(url)
        self.now_ms = NOW_MS
        self.folder = folder / "spool"
        self.log = SqliteLog(self.folder)
        self.scorer = self.worker()
        self._numbers = itertools.count()
        self.workspace(1)
        with writing(self.engine).begin() as db:
            prepare_feed(db)

    def worker(self) -> Scorer:
        """One more scorer on the same spool."""
        reader = SqliteLogReader(self.folder, positions(self.engine))
        return Scorer(self.engine, reader, MODEL, clock=lambda: self.now_ms)

    def close(self) -> None:
        self.log.close()
        self.engine.dispose()

    def workspace(self, workspace_id: int) -> None:
        row = {
            "id": workspace_id,
            "public_id": f"ws_{workspace_id}",
            "name": "W",
            "time_zone": "Europe/Amsterdam",
            "created_ms": NOW_MS,
        }
        self.write(insert(tables.workspace).values(row))

    def secret(self) -> None:
        """With it links are signed, and marked who took their consent back."""
        row = {"workspace_id": 1, "number": 1, "secret": SECRET, "created_ms": 0}
        self.write(insert(tables.link_secret).values(row))

    def segment(
        self, key: str, rule: dict[str, Any], number: int = 1, workspace_id: int = 1
    ) -> str:
        """A version of a segment, to be filled; its interval key."""
        known = select(tables.segment.c.id).where(
            tables.segment.c.workspace_id == workspace_id, tables.segment.c.key == key
        )
        found = self.rows(known)
        if not found:
            row = {"workspace_id": workspace_id, "key": key, "name": key}
            self.write(insert(tables.segment).values(row))
            found = self.rows(known)
        version = {
            "workspace_id": workspace_id,
            "segment_id": found[0][0],
            "number": number,
            "rule": rule,
            "created_ms": self.now_ms,
            "created_by": "test",
            "status": "building",
            "built_to": 0,
        }
        self.write(insert(tables.segment_version).values(version))
        return str(self.rows(select(func.max(tables.segment_version.c.id)))[0][0])

    def event(self, type_: str, *identities: Identity, at_ms: int, **more: Any) -> Event:
        workspace_id = more.pop("workspace_id", 1)
        number = more.pop("number", None) or next(self._numbers)
        return Event(
            **{
                "v": 1,
                "workspace_id": workspace_id,
                "event_id": event_id_of(workspace_id, 1, f"m{number}"),
                "source_id": 1,
                "type": type_,
                "identities": identities,
                "occurred_ms": at_ms,
                "received_ms": at_ms + 500,
                "channel": "website",
                "consent": AGREED,
                **more,
            }
        )

    def day(self, type_: str, *identities: Identity, day: float, **more: Any) -> Event:
        """An event so many days after the start."""
        return self.event(type_, *identities, at_ms=START_MS + round(day * DAY_MS), **more)

    def append(self, events: Iterable[Event]) -> None:
        self.log.append([Record(record_key(event), encode(event)) for event in events])

    def score(self, *events: Event) -> None:
        """Append, and score until nothing is left."""
        self.append(events)
        self.drain()

    def drain(self) -> None:
        while self.scorer.step(0):
            pass

    def build(self) -> None:
        """Fill segments until there is nothing left to do, then announce what that made due."""
        row = tables.segment_version.c
        left = (row.status == "building") | row.told_to.is_not(None)
        while self.rows(select(func.count()).where(left))[0][0]:
            self.scorer.step(0)
        self.scorer.step(0)

    def rows(self, query: Any) -> Sequence[Any]:
        with self.engine.connect() as db:
            return db.execute(query).all()

    def count(self, table: Any) -> int:
        return int(self.rows(select(func.count()).select_from(table))[0][0])

    def write(self, statement: Any) -> None:
        with writing(self.engine).begin() as db:
            db.execute(statement)

    def changes(self, *kinds: str) -> list[Any]:
        """The feed, in order, of all kinds or these."""
        row = tables.change.c
        query = select(tables.change).order_by(row.position)
        return list(self.rows(query.where(row.kind.in_(kinds)) if kinds else query))

    def person_of(self, identity: Identity) -> int:
        row = tables.identity.c
        query = select(row.person_id).where(
            row.namespace == identity.namespace, row.value == identity.value
        )
        return int(self.rows(query)[0][0])
