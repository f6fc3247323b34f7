"""Who would be in a segment by a rule that is not saved: of most people little is read to know it.

The phase and the latency state that hold are stored in a table of their own, and whoever did
nothing that is asked about is in no row of what did happen: only of those whom that leaves the
state is read, first what is cheap of it.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from services.api.people import held
from services.contract import event as envelope
from services.contract.event import LISTED, Event
from services.contract.phases import IntervalKind, Phase
from services.contract.tables import event, identity_link, interval, person_state
from services.contract.tables.unguessed import unguessed
from services.contract.vault import open_payload
from services.model.behaviour import WINDOW_MS, judged
from services.model.glimpse import glimpse
from services.model.path import Path
from services.model.recall import Questions
from services.model.rules.condition import Condition, Node
from services.model.rules.early import COUNTED, Decided, early, lists_of, standing
from services.model.rules.membership import leaves
from services.model.rules.memory import BY_HAND
from services.model.state import PersonState, decode_state
from services.model.version import Model
from services.runtime.bulk import among

_Whom = Callable[[ColumnElement[Any]], ColumnElement[bool]]
"""Which persons, as a condition on a column of their ids."""
_NOBODY = PersonState(at_ms=0, at_id=b"", first_ms=0)


@dataclass(frozen=True)
class Rules:
    """What is compared."""

    rule: Node
    """With those in it that it refers to."""
    questions: Questions
    live_key: str | None
    """The interval key of the version in force; None: there is none."""


class Sieve:
    """Sorts out people by a rule.

    Args:
        connection: in a transaction that sees one moment.
        workspace_id: whose.
        rules: what is compared.
        model: the version in force.
        now_ms: the moment that is asked about.
    """

    def __init__(
        self, connection: Connection, workspace_id: int, rules: Rules, model: Model, now_ms: int
    ) -> None:
        self._connection = connection
        self._workspace_id = workspace_id
        self._rule, self._questions = rules.rule, rules.questions
        self._model = model
        self._now_ms = now_ms
        listed = self._listed()
        self._phases, self._states = standing(rules.rule, listed)
        self._is_cheap = any(isinstance(leaf, COUNTED) for leaf in leaves(rules.rule))
        self._needs_events = rules.questions.of_events and self._none_without_events(listed)

    def would_be_in(self, ids: tuple[int, int]) -> set[int]:
        """Those in a range of ids, both ends included, for whom the rule holds."""
        whom = _between(ids)
        if self._phases is not None:
            whom = self._those(self._holding(whom, "phase", self._phases))
        if self._states is not None:
            whom = self._those(self._holding(whom, "latency", self._states))
        events = self._events(whom)
        if self._needs_events:
            whom = self._those(events)
        phases = self._present_phases(whom)
        return {
            person_id
            for person_id, stored in self._rows(whom)
            if self._holds(stored, judged(events.get(person_id, [])), phases.get(person_id))
        }

    def states(self, ids: Sequence[int]) -> list[tuple[int, PersonState]]:
        """The states of persons, with what the rule asks to be kept."""
        whom = self._those(ids)
        events, phases = self._events(whom), self._present_phases(whom)
        found = []
        for person_id, stored in self._rows(whom):
            state = decode_state(stored)
            told = judged(events.get(person_id, []))
            self._questions.answer(state, told, phases.get(person_id))
            found.append((person_id, state))
        return sorted(found, key=lambda one: one[0])

    def _holds(self, stored: bytes, told: Sequence[Event], phase: tuple[Phase, int] | None) -> bool:
        """Whoever did not agree to be followed is in no segment."""
        if self._is_cheap:
            state = glimpse(stored)
            if not _is_followed(state):
                return False
            self._questions.answer(state, told, phase)
            truth = self._early(state)
            if truth is not None:
                return truth
        state = decode_state(stored)
        if not _is_followed(state):
            return False
        self._questions.answer(state, told, phase)
        path = Path(state, self._model, max(self._now_ms, state.at_ms) + 1)
        return self._rule.verdict(path, self._now_ms)[0]

    def _early(self, state: PersonState) -> bool | None:
        """What attributes and memories tell."""
        path = Path(state, self._model)

        def leaf(one: Condition) -> bool | None:
            return one.verdict(path, self._now_ms)[0] if isinstance(one, COUNTED) else None

        def by_hand(key: str) -> Decided:
            kept = state.rings_ms.get(key)
            return "nobody" if kept is None else bool(kept[0])

        return early(self._rule, leaf, by_hand)

    def _none_without_events(self, listed: frozenset[str]) -> bool:
        """Whether the rule holds for nobody of whom nothing is found that it asks the record."""
        path = Path(_NOBODY, self._model)
        asking = self._questions.asking

        def leaf(one: Condition) -> bool | None:
            return one.verdict(path, self._now_ms)[0] if one in asking else None

        def by_hand(key: str) -> Decided:
            return None if key in listed else "nobody"

        return early(self._rule, leaf, by_hand) is False

    def _listed(self) -> frozenset[str]:
        """Where the fold keeps what was decided by hand, of segments in the rule that have any."""
        keys = [place.removeprefix(BY_HAND) for place in lists_of(self._rule)]
        row = event.c
        query = (
            select(row.content_id)
            .distinct()
            .where(
                row.workspace_id == self._workspace_id,
                row.type == LISTED,
                row.content_id.in_(keys),
            )
        )
        return frozenset(BY_HAND + key for key in self._connection.execute(query).scalars())

    def _those(self, ids: Iterable[int]) -> _Whom:
        listed = list(ids)
        return lambda column: among(self._connection, column, listed)

    def _rows(self, whom: _Whom) -> Iterable[tuple[int, bytes]]:
        row = person_state.c
        # Guessed: in a range of ids a small workspace's are few among all, and have an index.
        query = select(row.person_id, row.state).where(
            row.workspace_id == self._workspace_id, whom(row.person_id)
        )
        return ((person_id, bytes(state)) for person_id, state in self._connection.execute(query))

    def _holding(self, whom: _Whom, kind: IntervalKind, keys: Sequence[str]) -> list[int]:
        """Those of whom one of some intervals holds now."""
        row = interval.c
        query = select(row.person_id).where(
            row.workspace_id == unguessed(self._workspace_id),
            row.kind == kind,
            row.key.in_(keys),
            whom(row.person_id),
            held(self._now_ms, None),
        )
        return list(self._connection.execute(query).scalars())

    def _present_phases(self, whom: _Whom) -> Mapping[int, tuple[Phase, int]]:
        """The phase that holds now, and since when, where that is asked."""
        if not self._questions.phase:
            return {}
        row = interval.c
        query = select(row.person_id, row.key, row.valid_from_ms).where(
            row.workspace_id == unguessed(self._workspace_id),
            whom(row.person_id),
            row.kind == "phase",
            held(self._now_ms, None),
        )
        return {one[0]: (one[1], one[2]) for one in self._connection.execute(query)}

    def _events(self, whom: _Whom) -> dict[int, list[Event]]:
        """What the record tells of what is asked, by person, in canonical order."""
        if not self._questions.of_events:
            return {}
        found = self._read(whom, self._questions.types)
        counted = self._questions.counted
        if counted is None:
            return found
        clicked = [
            person_id
            for person_id, events in found.items()
            if any(one.click_id is not None and one.type in counted for one in events)
        ]
        return found | self._read(self._those(clicked), None) if clicked else found

    def _read(self, whom: _Whom, types: Collection[str] | None) -> dict[int, list[Event]]:
        link, row = identity_link.c, event.c
        query = (
            select(link.person_id, row.payload)
            .join_from(
                identity_link,
                event,
                (row.workspace_id == link.workspace_id)
                & (row.identity_id == link.identity_id)
                & (link.valid_from_ms.is_(None) | (row.occurred_ms >= link.valid_from_ms))
                & (link.valid_to_ms.is_(None) | (row.occurred_ms < link.valid_to_ms)),
            )
            .where(
                link.workspace_id == unguessed(self._workspace_id),
                whom(link.person_id),
                link.known_to_ms.is_(None),
            )
        )
        if self._questions.within_ms is not None:
            begin_ms = self._now_ms - self._questions.within_ms - WINDOW_MS
            query = query.where(row.occurred_ms >= begin_ms)
        if types is not None:
            query = query.where(row.type.in_(types))
        found: dict[int, list[Event]] = defaultdict(list)
        for person_id, payload in self._connection.execute(query):
            found[person_id].append(envelope.decode(open_payload(bytes(payload))))
        for events in found.values():
            events.sort(key=lambda one: (one.occurred_ms, one.event_id))
        return found


def _between(ids: tuple[int, int]) -> _Whom:
    return lambda column: column.between(*ids)


def _is_followed(state: PersonState) -> bool:
    return state.score is not None or (state.hired_ms is not None and state.left_ms is None)
