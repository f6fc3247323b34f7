"""Builds what the scorer would have stored, through the same pure functions."""

import hashlib
import secrets
from collections import Counter
from typing import Any

from sqlalchemy import Engine, delete, insert, select, update

from services.api.workspaces import NewWorkspace, create_workspace
from services.contract import event as envelope
from services.contract.event import Consent, Event, Identity
from services.contract.phases import DAY_MS, HOUR_MS
from services.contract.tables import (
    change,
    count_delta,
    event,
    identity,
    identity_link,
    interval,
    person,
    person_state,
    segment,
    segment_version,
    workspace,
)
from services.contract.vault import lookup_value, seal_payload
from services.model.rules import RuleTree
from services.model.state import encode_state
from services.model.timeline import Interval, Rulebook, advance
from services.model.version import load
from services.runtime.database import open_database, writing

NOW_MS = 1_795_000_000_000
MODEL = load()
AGREED = Consent(measure=True, profile=True)


class World:
    """A database with a workspace, into which people are put."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = open_database(url)
        self.made: NewWorkspace = self.workspace("Grid operator")
        self.id = self._id_of(self.made)
        self.rules: dict[int, RuleTree] = {}
        self._number = 0
        self._position = 0

    def workspace(self, name: str) -> NewWorkspace:
        return create_workspace(self.engine, name, "Europe/Amsterdam", None, NOW_MS - DAY_MS)

    def _id_of(self, made: NewWorkspace) -> int:
        with self.engine.connect() as connection:
            query = select(workspace.c.id).where(workspace.c.public_id == made.workspace)
            return int(connection.execute(query).scalar_one())

    def event(self, days_ago: float, type_: str, user: str, **more: Any) -> Event:
        """One event of a user, so many days before now."""
        self._number += 1
        occurred = NOW_MS - round(days_ago * DAY_MS)
        return Event(
            v=1,
            workspace_id=self.id,
            event_id=envelope.event_id_of(self.id, 1, f"m{self._number}"),
            source_id=1,
            type=type_,  # type: ignore[arg-type]
            identities=(Identity("user_id", user),),
            occurred_ms=occurred,
            received_ms=more.pop("received_ms", occurred + 500),
            channel=more.pop("channel", "website"),
            consent=more.pop("consent", AGREED),
            **more,
        )

    def person(self, user: str, events: list[Event]) -> str:
        """Store a person with these events; its public id."""
        events = sorted(events, key=lambda e: (e.occurred_ms, e.event_id))
        first = events[0]
        public_id = f"p_{secrets.token_hex(8)}"
        with writing(self.engine).begin() as connection:
            person_id = self._insert(
                connection,
                person,
                public_id=public_id,
                first_ms=first.occurred_ms,
                first_event_id=first.event_id,
                created_ms=first.received_ms,
            )
            who = Identity("user_id", user)
            identity_id = self._insert(
                connection,
                identity,
                namespace=who.namespace,
                value=lookup_value(who),
                person_id=person_id,
                shared=False,
            )
            self._insert(
                connection,
                identity_link,
                identity_id=identity_id,
                person_id=person_id,
                known_from_ms=first.received_ms,
            )
            for one in events:
                connection.execute(
                    insert(event).values(
                        workspace_id=self.id,
                        event_id=one.event_id,
                        identity_id=identity_id,
                        type=one.type,
                        channel=one.channel,
                        content_id=one.content_id,
                        occurred_ms=one.occurred_ms,
                        received_ms=one.received_ms,
                        digest=hashlib.blake2b(one.event_id, digest_size=8).digest(),
                        payload=seal_payload(envelope.encode(one)),
                    )
                )
            self._score(connection, person_id, events)
        return public_id

    def _score(self, connection: Any, person_id: int, events: list[Event]) -> None:
        book = Rulebook(tuple((str(i), tree.rule) for i, tree in self.rules.items()))
        state, pieces = advance(None, events, MODEL, book)
        connection.execute(
            insert(person_state).values(
                person_id=person_id,
                workspace_id=self.id,
                state=encode_state(state),
                model_version=MODEL.version,
                version=1,
                last_ms=state.at_ms,
                last_event_id=state.at_id,
                events=state.events,
                announced={},
            )
        )
        self.intervals(connection, person_id, pieces, known_from_ms=events[0].received_ms)

    def intervals(
        self, connection: Any, person_id: int, pieces: list[Interval], known_from_ms: int
    ) -> None:
        deltas: Counter[tuple[str, str, int]] = Counter()
        for piece in pieces:
            self._insert(
                connection,
                interval,
                kind=piece.kind,
                key=piece.key,
                person_id=person_id,
                valid_from_ms=piece.from_ms,
                valid_to_ms=piece.to_ms,
                known_from_ms=known_from_ms,
                event_id=piece.event_id,
            )
            deltas[piece.kind, piece.key, piece.from_ms // HOUR_MS * HOUR_MS] += 1
            if piece.to_ms is not None:
                deltas[piece.kind, piece.key, piece.to_ms // HOUR_MS * HOUR_MS] -= 1
        for (kind, key, hour_ms), delta in deltas.items():
            self._insert(connection, count_delta, kind=kind, key=key, hour_ms=hour_ms, delta=delta)

    def build(self, key: str) -> int:
        """Fill the building version of a segment from everybody's events, and make it live."""
        with writing(self.engine).begin() as connection:
            version = connection.execute(
                select(segment_version)
                .join(segment, segment.c.id == segment_version.c.segment_id)
                .where(segment.c.key == key, segment_version.c.status == "building")
            ).one()
            self.rules[version.id] = RuleTree.model_validate({"rule": version.rule})
            book = Rulebook(((str(version.id), self.rules[version.id].rule),))
            payloads = connection.execute(
                select(identity.c.person_id, event.c.payload)
                .join(identity, identity.c.id == event.c.identity_id)
                .order_by(event.c.occurred_ms, event.c.event_id)
            ).all()
            people: dict[int, list[Event]] = {}
            for person_id, payload in payloads:
                people.setdefault(person_id, []).append(envelope.decode(payload))
            for person_id, events in people.items():
                _, pieces = advance(None, events, MODEL, book)
                mine = [piece for piece in pieces if piece.kind == "segment"]
                self.intervals(connection, person_id, mine, events[0].received_ms)
            connection.execute(
                update(segment_version)
                .where(
                    segment_version.c.segment_id == version.segment_id,
                    segment_version.c.status == "live",
                )
                .values(status="retired")
            )
            connection.execute(
                update(segment_version)
                .where(segment_version.c.id == version.id)
                .values(status="live", live_ms=NOW_MS)
            )
            return int(version.id)

    def move(self, public_id: str, kind: str, before: str, after: str, key: str = "") -> int:
        """Announce a change of a person."""
        self._position += 1
        with writing(self.engine).begin() as connection:
            person_id = connection.execute(
                select(person.c.id).where(person.c.public_id == public_id)
            ).scalar_one()
            connection.execute(
                insert(change).values(
                    position=self._position,
                    workspace_id=self.id,
                    person_id=person_id,
                    kind=kind,
                    key=key,
                    before=before,
                    after=after,
                    valid_ms=NOW_MS - HOUR_MS,
                    recorded_ms=NOW_MS - HOUR_MS + 5,
                    reason="event",
                    person_version=1,
                )
            )
        return self._position

    def merge(self, loser: str, survivor: str) -> None:
        """Let one person turn out to be another."""
        with writing(self.engine).begin() as connection:
            ids = {
                public_id: connection.execute(
                    select(person.c.id).where(person.c.public_id == public_id)
                ).scalar_one()
                for public_id in (loser, survivor)
            }
            connection.execute(
                update(person).where(person.c.id == ids[loser]).values(merged_into=ids[survivor])
            )
            connection.execute(delete(person_state).where(person_state.c.person_id == ids[loser]))

    def _insert(self, connection: Any, table: Any, **values: Any) -> int:
        statement = insert(table).values(workspace_id=self.id, **values)
        return int(connection.execute(statement).inserted_primary_key[0])
