"""A feed that the test writes, with the scorer's own hand, and a dispatcher over it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, insert, select

from services.contract import tables
from services.contract.keys import digest_of, new_key
from services.contract.roles import SCOPES
from services.contract.target import networks_of
from services.dispatch.dispatcher import Dispatcher
from services.runtime.clock import now_ms
from services.runtime.database import open_database, writing
from services.scorer.announce import prepare_feed, publish
from services.scorer.change import Change

OWN = networks_of("127.0.0.0/8")
PATIENCE_S = 30


class Feed:
    """Two workspaces with three persons each."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = open_database(url)
        with writing(self.engine).begin() as db:
            prepare_feed(db)
            for number in (1, 2):
                workspace = {
                    "id": number,
                    "public_id": f"ws_{number}",
                    "name": "W",
                    "time_zone": "Europe/Amsterdam",
                    "created_ms": 1,
                }
                db.execute(insert(tables.workspace).values(workspace))
                for person in range(3):
                    row = {
                        "id": number * 10 + person,
                        "workspace_id": number,
                        "public_id": f"p_{number}{person}",
                        "first_ms": 1,
                        "first_event_id": b"",
                        "created_ms": 1,
                    }
                    db.execute(insert(tables.person).values(row))

    def key(self) -> str:
        """An api key of the first workspace, with every scope."""
        key = new_key("api")
        row = {
            "workspace_id": 1,
            "kind": "api",
            "public_id": "key_of_the_tests",
            "name": "Tests",
            "created_by": "command line",
            "scopes": sorted(SCOPES),
            "digest": digest_of(key),
            "source_id": 1,
            "created_ms": 1,
        }
        self.write(insert(tables.api_key).values(row))
        return key

    def tell(self, *persons: int, workspace: int = 1, **more: Any) -> None:
        """One change of each of these persons, in one transaction."""
        now = more.pop("now_ms", None) or now_ms()
        made = [
            (workspace, change(workspace * 10 + one, **{"valid_ms": now, **more}))
            for one in persons
        ]
        with writing(self.engine).begin() as db:
            publish(db, made, now)

    def positions(self, workspace: int = 1) -> list[int]:
        """All there are, in order."""
        row = tables.change.c
        query = select(row.position).where(row.workspace_id == workspace).order_by(row.position)
        with self.engine.connect() as db:
            return list(db.execute(query).scalars())

    def write(self, statement: Any) -> None:
        with writing(self.engine).begin() as db:
            db.execute(statement)


def change(person_id: int, **more: Any) -> Change:
    """Somebody comes into a phase, unless it is said otherwise."""
    values = {
        "person_version": 1,
        "kind": "phase",
        "key": "",
        "before": "see",
        "after": "think",
        "reason": "event",
        "event_id": b"\1" * 16,
    }
    return Change(person_id=person_id, **{**values, **more})


@contextmanager
def dispatching(engine: Engine, **more: Any) -> Iterator[Dispatcher]:
    """A dispatcher at work, in a thread of its own."""
    dispatcher = Dispatcher(engine, OWN, **more)
    thread = threading.Thread(target=dispatcher.run)
    thread.start()
    try:
        yield dispatcher
    finally:
        dispatcher.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
