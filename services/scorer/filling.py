"""Segment versions filled for people who are there: as they would be by folding, and cheaper.

Of most people what is stored tells enough (``services/scorer/in_hindsight.py``), of most others
their lives are told anew (``services/scorer/retelling.py``). It writes what folding them would
write: the intervals of the new versions, what the rules ask to be kept, and when the next boundary
is due. Some people are drawn while the database writes those before them and reads the next.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection

from services.contract import tables
from services.model.hindsight import Drawn, Hindsight
from services.model.rulebook import Rulebook
from services.model.state import decode_state, encode_state
from services.model.version import Model
from services.runtime.bulk import Row, update_rows
from services.runtime.database import meanwhile
from services.scorer import intervals
from services.scorer.announce import next_boundary
from services.scorer.in_hindsight import InHindsight
from services.scorer.retelling import Retelling
from services.scorer.segments import Segments
from services.scorer.states import CHECKPOINT_EVENTS
from services.scorer.stored import Stored, stored_of

PARTS = 4
"""Of the persons: one is drawn while the database works on others."""


class Way(Protocol):
    """How rules are drawn for some persons."""

    def read(self, stored: Mapping[int, Stored]) -> Any:
        """What drawing takes, of those of whom this is stored."""

    def draw(self, told: Any) -> dict[int, Drawn]:
        """By what was read, without the database: what came out, of those of whom it was enough."""

    def finish(self, told: Any, drawn: dict[int, Drawn]) -> dict[int, Drawn]:
        """What the database adds to that."""


def fill(
    db: Connection,
    workspace_id: int,
    persons: Sequence[int],
    segments: Segments,
    model: Model,
    now_ms: int,
) -> list[int]:
    """Fill the versions that are drawn for as many of some persons as can be without folding.

    Args:
        db: a transaction that has the persons locked.
        workspace_id: whose.
        persons: none of whom they were filled for.
        segments: of which these versions alone are drawn.
        model: the version in force.
        now_ms: UTC milliseconds.

    Returns:
        Those who have to be folded.
    """
    by_rules: dict[int, list[int]] = defaultdict(list)
    rulebooks: dict[int, Rulebook] = {}
    for person in persons:
        rulebook = segments.rulebook_for(person)
        rulebooks[id(rulebook)] = rulebook
        by_rules[id(rulebook)].append(person)
    left: list[int] = []
    for key, some in by_rules.items():
        # Of its own: what other rules ask to be kept is kept already.
        rulebook = Rulebook(rulebooks[key].segments)
        left += _Filling(db, workspace_id, rulebook, model, now_ms).fill(some)
    return sorted(left)


class _Some(NamedTuple):
    """Some of the persons, read."""

    stored: Mapping[int, Stored]
    told: Any
    """By the way."""


class _Filling:
    def __init__(
        self, db: Connection, workspace_id: int, rulebook: Rulebook, model: Model, now_ms: int
    ) -> None:
        self._db, self._workspace_id, self._now_ms = db, workspace_id, now_ms
        self._keeps = bool(rulebook.memories.keys)
        self._anew = Retelling(db, workspace_id, rulebook, model)
        hindsight = Hindsight(rulebook, model)
        self._way: Way = (
            InHindsight(db, workspace_id, hindsight) if hindsight.is_enough else self._anew
        )
        self._left: list[int] = []

    def fill(self, persons: Sequence[int]) -> list[int]:
        """Who has to be folded."""
        size = -(-len(persons) // PARTS)
        parts = [persons[i : i + size] for i in range(0, len(persons), size)]
        some = self._read(parts[0])
        drawn: dict[int, Drawn] = {}
        before: _Some | None = None
        for following in (*parts[1:], ()):
            read, found = self._turn(before, drawn, some, following)
            before, drawn, some = some, found, read
        self._write(before, drawn)
        return self._left

    def _turn(
        self, before: _Some | None, drawn: dict[int, Drawn], some: _Some, following: Sequence[int]
    ) -> tuple[_Some, dict[int, Drawn]]:
        """Draw some; meanwhile those before are written, and those that follow are read."""

        def asked() -> _Some:
            self._write(before, drawn)
            return self._read(following)

        return meanwhile(self._db, asked, lambda: self._way.draw(some.told))

    def _read(self, persons: Sequence[int]) -> _Some:
        stored = stored_of(self._db, persons) if persons else {}
        short = {person: one for person, one in stored.items() if self._is_short(one)}
        return _Some(stored, self._way.read(short))

    def _write(self, some: _Some | None, drawn: dict[int, Drawn]) -> None:
        if some is None:
            return
        found = self._way.finish(some.told, drawn)
        if self._way is not self._anew:
            found |= self._told_anew(some, found)
        _write(self._db, self._workspace_id, some.stored, found, self._now_ms)
        self._left += sorted(some.stored.keys() - found.keys())

    def _told_anew(self, some: _Some, found: Mapping[int, Drawn]) -> dict[int, Drawn]:
        """Those of whom the cheaper way was not enough."""
        others = {
            person: one
            for person, one in some.stored.items()
            if person not in found and self._is_short(one)
        }
        return self._anew.draw(self._anew.read(others))

    def _is_short(self, one: Stored) -> bool:
        """Checkpoints hold what rules ask to be kept too: of short histories there are none."""
        return one.events < CHECKPOINT_EVENTS or not self._keeps


class _Rows(NamedTuple):
    """Of states to write."""

    kept: list[Row]
    """With what rules ask to be kept."""
    due: list[Row]


def _write(
    db: Connection,
    workspace_id: int,
    stored: Mapping[int, Stored],
    drawn: Mapping[int, Drawn],
    now_ms: int,
) -> None:
    new = [(person, piece) for person, one in sorted(drawn.items()) for piece in one.pieces]
    intervals.add(db, workspace_id, new, now_ms)
    rows = _Rows([], [])
    for person, one in sorted(drawn.items()):
        _add(rows, person, stored[person], one, now_ms)
    columns = ("state", "settled", "version", "due_ms")
    update_rows(db, tables.person_state, "person_id", columns, rows.kept)
    update_rows(db, tables.person_state, "person_id", ("due_ms",), rows.due)


def _add(rows: _Rows, person: int, stored: Stored, drawn: Drawn, now_ms: int) -> None:
    moments = (stored.due_ms, next_boundary(drawn.pieces, now_ms))
    due_ms = min((at_ms for at_ms in moments if at_ms is not None), default=None)
    state = _keeping(stored.state, drawn.rings_ms)
    if state or (drawn.forgot and stored.has_earlier):
        # The earlier state, which lacks it too, is let go: until another is kept a late event is
        # folded from the first one, of 255 at most.
        rows.kept.append((state or stored.state, None, stored.version + 1, due_ms, person))
    elif due_ms != stored.due_ms:
        rows.due.append((due_ms, person))


def _keeping(stored: bytes, rings_ms: Mapping[str, list[int]]) -> bytes | None:
    """A state in which these are kept too; None: they are already."""
    if not rings_ms:
        return None
    state = decode_state(stored)
    if all(state.rings_ms.get(key) == kept for key, kept in rings_ms.items()):
        return None
    state.rings_ms = {**state.rings_ms, **rings_ms}
    return encode_state(state)
