"""Why people are in a segment: what holds for all of them said once, and of each their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from services.api.dashboard.by_time import before_it, by_time, named
from services.api.dashboard.steps import Step, steps_of
from services.api.dashboard.texts import Words
from services.api.dashboard.titles import events_named, titles_of
from services.api.segment_store import rules_in_force
from services.contract.event import Event
from services.model.path import Path
from services.model.rule_words import reasons
from services.model.rules.membership import whole
from services.model.state import PersonState
from services.model.version import Model

REASONS_MAX = 3
"""Of one person, beside what let them in."""


@dataclass(frozen=True)
class Told:
    """Reasons of some people."""

    shared: list[str]
    """What settles it for all of them; empty where they are fewer than two."""
    own: dict[int, str]
    """By person: what let them in, and what settles it for them and not for all."""


def parted(told: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """What is said of all, and of each what is not; of one alone all is their own."""
    if len(told) < 2:
        return [], [list(one) for one in told]
    shared = [text for text in told[0] if all(text in one for one in told[1:])]
    return shared, [[text for text in one if text not in shared] for one in told]


class Because:
    """Tells why people are in a segment, or are not any more.

    Args:
        connection: to the database.
        workspace_id: whose.
        key: of the segment.
        model: in force.
        words: in a language.
        now_ms: the time.
    """

    def __init__(
        self,
        connection: Connection,
        workspace_id: int,
        key: str,
        model: Model,
        words: Words,
        now_ms: int,
    ) -> None:
        self._db, self._workspace_id = connection, workspace_id
        self._model, self._words, self._now_ms = model, words, now_ms
        self._rule = whole(rules_in_force(connection, workspace_id)).get(key)

    def of(self, rows: Sequence[Row[Any]], states: Mapping[int, PersonState]) -> Told:
        """Of members: their intervals, each with the event that began it.

        Without one time itself let them in: by what came before it.
        """
        moments_ms = {row.person_id: row.valid_from_ms for row in rows if row.event_id is None}
        steps = steps_of(self._db, self._workspace_id, moments_ms)
        ids = [*(row.event_id for row in rows), *map(before_it, steps.values())]
        events = events_named(self._db, self._workspace_id, ids)
        titles = titles_of(
            self._db, self._workspace_id, [one.content_id for one in events.values()]
        )
        shared, own = self._parted(rows, states)
        told = {}
        for row in rows:
            first = self._let_in_by(row, steps.get(row.person_id), events, titles)
            told[row.person_id] = "; ".join([first, *own[row.person_id]])
        return Told(shared, told)

    def of_gone(self, rows: Sequence[Row[Any]], states: Mapping[int, PersonState]) -> Told:
        """Of who is in it no more: where they are now, and the conditions that settle it."""
        shared, own = self._parted(rows, states)
        told = {
            row.person_id: "; ".join(
                [*self._phase_of(states.get(row.person_id)), *own[row.person_id]]
            )
            for row in rows
        }
        return Told(shared, told)

    def _parted(
        self, rows: Sequence[Row[Any]], states: Mapping[int, PersonState]
    ) -> tuple[list[str], dict[int, list[str]]]:
        shared, own = parted([self._settled_by(states.get(row.person_id)) for row in rows])
        return shared, {
            row.person_id: theirs[:REASONS_MAX] for row, theirs in zip(rows, own, strict=True)
        }

    def _phase_of(self, state: PersonState | None) -> list[str]:
        if state is None:
            return []
        phase, _ = Path(state, self._model).phase_at(max(self._now_ms, state.at_ms))
        return [] if phase is None else [self._words["now_in"].format(phase=phase.capitalize())]

    def _settled_by(self, state: PersonState | None) -> list[str]:
        """The conditions by which somebody is in it now, or is not."""
        if state is None or self._rule is None:
            return []
        at_ms = max(self._now_ms, state.at_ms)
        return reasons(self._rule, Path(state, self._model), at_ms, self._words.language)

    def _let_in_by(
        self,
        row: Row[Any],
        step: Step | None,
        events: Mapping[bytes, Event],
        titles: dict[str, str],
    ) -> str:
        event = None if row.event_id is None else events.get(bytes(row.event_id))
        if event is None:
            return by_time(step, row.valid_from_ms, events, titles, self._words)
        return named(event, titles, self._words)
