"""A database with people in it, scored by the real scorer."""

from typing import Any

from sqlalchemy import Engine, select

from services.api.workspaces import NewWorkspace, create_workspace
from services.contract import event as envelope
from services.contract.event import Consent, Event, Identity
from services.contract.phases import DAY_MS
from services.contract.tables import identity, link_secret, person, workspace
from services.model.version import load
from services.runtime.database import open_database, writing
from services.runtime.event_log import Stored
from services.scorer.announce import prepare_feed
from services.scorer.batch import apply
from services.scorer.build import build_step
from services.scorer.record import sort_out

NOW_MS = 1_795_000_000_000
MODEL = load()
AGREED = Consent(measure=True, profile=True)


class World:
    """A database with one workspace; events given to it are scored at once."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = open_database(url)
        self.made: NewWorkspace = self.workspace("Grid operator")
        with self.engine.connect() as connection:
            query = select(workspace.c.id).where(workspace.c.public_id == self.made.workspace)
            self.id = int(connection.execute(query).scalar_one())
        with writing(self.engine).begin() as connection:
            prepare_feed(connection)
        self._number = 0
        self._offset = 1

    def workspace(self, name: str) -> NewWorkspace:
        return create_workspace(self.engine, name, "Europe/Amsterdam", None, NOW_MS - DAY_MS)

    def event(self, days_ago: float, type_: str, user: str, **more: Any) -> Event:
        """One event of a user, so many days before now."""
        self._number += 1
        occurred = NOW_MS - round(days_ago * DAY_MS)
        return Event(
            v=1,
            workspace_id=self.id,
            event_id=envelope.event_id_of(self.id, 1, f"m{self._number}"),
            source_id=more.pop("source_id", 1),
            type=type_,  # type: ignore[arg-type]
            identities=more.pop("identities", (Identity("user_id", user),)),
            occurred_ms=occurred,
            received_ms=more.pop("received_ms", occurred + 500),
            channel=more.pop("channel", "website"),
            consent=more.pop("consent", AGREED),
            **more,
        )

    def score(self, events: list[Event], now_ms: int = NOW_MS) -> None:
        """Let the scorer fold these events, as if it did so at ``now_ms``."""
        records = [
            Stored(0, self._offset + i, envelope.record_key(event), envelope.encode(event))
            for i, event in enumerate(events)
        ]
        with writing(self.engine).begin() as connection:
            apply(connection, "test", sort_out(records), MODEL, now_ms)
        self._offset += len(records)

    def person(self, user: str, events: list[Event], now_ms: int = NOW_MS) -> str:
        """Score a person's events; the person's public id."""
        self.score(events, now_ms)
        return self.id_of(user)

    def id_of(self, user: str, namespace: str = "user_id") -> str:
        """The public id of who is known so."""
        query = (
            select(person.c.public_id)
            .join(identity, identity.c.person_id == person.c.id)
            .where(identity.c.namespace == namespace, identity.c.value == user)
        )
        with self.engine.connect() as connection:
            return str(connection.execute(query).scalar_one())

    def link_secret(self) -> tuple[int, bytes]:
        """The number and secret that sign the workspace's links."""
        query = select(link_secret.c.number, link_secret.c.secret).where(
            link_secret.c.workspace_id == self.id
        )
        with self.engine.connect() as connection:
            row = connection.execute(query).one()
        return row.number, row.secret

    def build(self, now_ms: int = NOW_MS) -> None:
        """Let the scorer fill all segments."""
        more = True
        while more:
            with writing(self.engine).begin() as connection:
                more = build_step(connection, MODEL, now_ms)
