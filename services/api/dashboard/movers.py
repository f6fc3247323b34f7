"""Who moved lately, when and why, in words."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Row, or_

from services.api.dashboard.texts import Words
from services.api.people import identities_of, states_of
from services.api.record import history_of
from services.contract.change import select_changes
from services.contract.event import Identity, primary
from services.contract.phases import DAY_MS, PHASES, Phase
from services.contract.tables import change
from services.model import words as model_words
from services.model.explain import Contribution, explain
from services.model.state import PersonState
from services.model.version import Model

SHOWN_MAX = 12
_LOOKED_AT_MAX = 500
_REASONS_MAX = 2
_RECENT_MS = 30 * DAY_MS
_CACHED_MAX = 1024
_NO_MOVES = {"withdrawn", "erased"}
_WHOLE_NAME = ("name", "full_name")
_NAME_PARTS = (("first_name", "firstName"), ("last_name", "lastName"))
MACHINES = {"anonymous_id", "person_token"}
"""Namespaces of identities that only machines read."""
NAME_KEYS = {*_WHOLE_NAME, *_NAME_PARTS[0], *_NAME_PARTS[1]}


@dataclass(frozen=True)
class Mover:
    """One move of one person."""

    person: str
    name: str
    before: Phase | None
    after: Phase | None
    valid_ms: int
    why: str


class Whys:
    """Reasons in words, remembered: a position's reason is told the same again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._told: OrderedDict[tuple[int, str], str] = OrderedDict()

    def get(self, position: int, language: str) -> str | None:
        """The reason told before."""
        with self._lock:
            return self._told.get((position, language))

    def put(self, position: int, language: str, why: str) -> None:
        """Remember a reason."""
        with self._lock:
            self._told[position, language] = why
            while len(self._told) > _CACHED_MAX:
                self._told.popitem(last=False)


def movers(
    connection: Connection, workspace_id: int, model: Model, words: Words, whys: Whys
) -> list[Mover]:
    """The latest move of each of the latest people who moved.

    Whoever is not followed any more is not shown: neither that they said no, nor where they were.
    """
    query = select_changes(workspace_id).where(
        change.c.kind == "phase",
        # Whoever we only just got to know did not move, unless straight to somewhere.
        or_(change.c.before.is_not(None), change.c.after != "see"),
    )
    rows = connection.execute(query.order_by(change.c.position.desc()).limit(_LOOKED_AT_MAX)).all()
    latest: dict[int, Row[Any]] = {}
    for row in rows:
        latest.setdefault(row.person_id, row)
    # After an import the feed's order is not the order of what happened.
    moved = [row for row in latest.values() if row.after and row.reason not in _NO_MOVES]
    shown = sorted(moved, key=lambda row: -row.valid_ms)[:SHOWN_MAX]
    ids = [row.person_id for row in shown]
    names = identities_of(connection, workspace_id, ids)
    states = states_of(connection, workspace_id, ids)
    return [
        Mover(
            person=row.public_id,
            name=name_of(states.get(row.person_id), names[row.person_id], row.public_id, words),
            before=_phase(row.before),
            after=_phase(row.after),
            valid_ms=row.valid_ms,
            why=_why(connection, row, model, words, whys),
        )
        for row in shown
    ]


def name_of(
    state: PersonState | None, identities: list[Identity], public_id: str, words: Words
) -> str:
    """What to call somebody: a name that was told, else the surest identity that people read."""
    told = state.attributes if state else {}
    for key in _WHOLE_NAME:
        if isinstance(told.get(key), str) and told[key].strip():
            return str(told[key])[:80]
    parts = [told.get(a) or told.get(b) for a, b in _NAME_PARTS]
    whole = " ".join(part.strip() for part in parts if isinstance(part, str))
    known = readable(identities)
    return (whole or known or f"{words['visitor']} {public_id.removeprefix('p_')[:6]}")[:80]


def readable(identities: list[Identity]) -> str:
    """The surest identity, unless it is one that only machines read; then nothing."""
    surest = primary(tuple(identities)) if identities else None
    return "" if surest is None or surest.namespace in MACHINES else surest.value


def _why(connection: Connection, row: Row[Any], model: Model, words: Words, whys: Whys) -> str:
    told = whys.get(row.position, words.language)
    if told is None:
        told = _reason(connection, row, model, words)
        whys.put(row.position, words.language, told)
    return told


def _reason(connection: Connection, row: Row[Any], model: Model, words: Words) -> str:
    if row.after == "care":
        return words["hired"]
    events = history_of(connection, row.workspace_id, row.person_id, row.valid_ms)
    explanation = explain(events, model, row.valid_ms)
    if explanation is None:
        return ""
    rises = _rank(row.after) > _rank(row.before)
    recent = [
        c
        for c in explanation.contributions
        if c.to_ms > row.valid_ms - _RECENT_MS and (c.turning > 0) is rises
    ]
    strongest = sorted(recent, key=lambda c: -abs(c.turning))[:_REASONS_MAX]
    return "; ".join(_phrases(strongest, words))


def _phrases(contributions: list[Contribution], words: Words) -> list[str]:
    ordered = sorted(contributions, key=lambda c: c.to_ms)
    return list(dict.fromkeys(model_words.what(c, words.language) for c in ordered))


def _rank(phase: str | None) -> int:
    return PHASES.index(phase) if phase in PHASES else -1


def _phase(stored: str | None) -> Phase | None:
    return next((phase for phase in PHASES if phase == stored), None)
