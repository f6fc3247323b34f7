"""A segment: its rule in words, who came and went lately and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, Select, select

from services.api.dashboard.movers import name_of
from services.api.dashboard.rule_view import Shown, view
from services.api.dashboard.texts import Words
from services.api.dashboard.titles import events_named, title_of, titles_of
from services.api.latest_in import latest_in
from services.api.people import identities_of, states_of
from services.api.people_in import Asked
from services.api.segment_store import Found, find_segments, rules_in_force
from services.contract.event import Event
from services.contract.tables import interval, person
from services.model.path import Path
from services.model.rule_words import reasons
from services.model.rules import RuleTree
from services.model.rules.condition import Node
from services.model.rules.membership import whole
from services.model.state import PersonState
from services.model.version import Model

SHOWN_MAX = 8
"""Of those who came, and of those who went."""
_LOOKED_AT_MAX = 100
_REASONS_MAX = 3


@dataclass(frozen=True)
class Passed:
    """Somebody who came into a segment, or left it."""

    person: str
    name: str
    at_ms: int
    why: str


@dataclass(frozen=True)
class Passing:
    """Those who did so last, the latest first."""

    came: list[Passed]
    went: list[Passed]


def rule_in_words(
    connection: Connection, workspace_id: int, rule: Any, words: Words
) -> Shown | None:
    """A stored rule as a tree of words; None: it is of later code than ours."""
    try:
        tree = RuleTree.model_validate({"rule": rule})
    except ValidationError:
        return None
    names = {one.newest.key: one.newest.name for one in find_segments(connection, workspace_id)}
    return view(tree.rule, words.language, names)


def passing(
    connection: Connection, found: Found, model: Model, words: Words, now_ms: int
) -> Passing:
    """Who came into a segment lately and who left it, with what settled it.

    Whoever is not followed any more is not told of.
    """
    if found.live is None:
        return Passing([], [])
    workspace_id, key = found.newest.workspace_id, str(found.live.id)
    asked = Asked("segment", key, now_ms, None)
    came = latest_in(connection, workspace_id, asked, None, SHOWN_MAX).rows
    went = _ended(connection, workspace_id, asked)
    rule = whole(rules_in_force(connection, workspace_id)).get(found.newest.key)
    ids = [row.person_id for row in (*came, *went)]
    events = events_named(connection, workspace_id, [row.event_id for row in came])
    told = _Told(
        names=identities_of(connection, workspace_id, ids),
        states=states_of(connection, workspace_id, ids),
        events=events,
        titles=titles_of(connection, workspace_id, [one.content_id for one in events.values()]),
        rule=rule,
        model=model,
        words=words,
        now_ms=now_ms,
    )
    return Passing(
        [told.of(row, row.valid_from_ms) for row in came],
        [told.of(row, row.valid_to_ms) for row in went if told.is_followed(row)][:SHOWN_MAX],
    )


def _ended(connection: Connection, workspace_id: int, asked: Asked) -> Sequence[Row[Any]]:
    """Of those who left last whoever is not in again, the latest first."""
    row = interval.c
    of_key = (
        row.workspace_id == workspace_id,
        row.kind == asked.kind,
        row.key == asked.key,
        row.known_to_ms.is_(None),
    )
    ended: Select[Any] = (
        select(row.person_id, row.valid_to_ms, person.c.public_id)
        .join(person, person.c.id == row.person_id)
        .where(*of_key, row.valid_to_ms <= asked.as_of_ms, person.c.workspace_id == workspace_id)
        .order_by(row.valid_to_ms.desc(), row.person_id)
        .limit(_LOOKED_AT_MAX)
    )
    rows = connection.execute(ended).all()
    later = select(row.person_id).where(
        *of_key,
        row.person_id.in_([one.person_id for one in rows]),
        row.valid_from_ms <= asked.as_of_ms,
        row.valid_to_ms.is_(None) | (row.valid_to_ms > asked.as_of_ms),
    )
    present = set(connection.execute(later).scalars())
    gone: dict[int, Row[Any]] = {}
    for one in rows:
        if one.person_id not in present:
            gone.setdefault(one.person_id, one)
    return list(gone.values())


@dataclass(frozen=True)
class _Told:
    names: dict[int, Any]
    states: dict[int, PersonState]
    events: dict[bytes, Event]
    titles: dict[str, str]
    rule: Node | None
    model: Model
    words: Words
    now_ms: int

    def is_followed(self, row: Row[Any]) -> bool:
        state = self.states.get(row.person_id)
        return state is not None and (state.score is not None or state.hired_ms is not None)

    def of(self, row: Row[Any], at_ms: int) -> Passed:
        state = self.states.get(row.person_id)
        return Passed(
            person=row.public_id,
            name=name_of(state, self.names[row.person_id], row.public_id, self.words),
            at_ms=at_ms,
            why="; ".join([*self._event(row), *self._reasons(state)]),
        )

    def _event(self, row: Row[Any]) -> list[str]:
        """What let them in, where it was an event."""
        event_id = getattr(row, "event_id", None)
        event = None if event_id is None else self.events.get(bytes(event_id))
        if event is None:
            return []
        about = title_of(event, self.titles)
        what = self.words.event(event.type)
        return [f"{what}: {about}" if about else what]

    def _reasons(self, state: PersonState | None) -> list[str]:
        if state is None or self.rule is None:
            return []
        at_ms = max(self.now_ms, state.at_ms)
        found = reasons(self.rule, Path(state, self.model), at_ms, self.words.language)
        return found[:_REASONS_MAX]
