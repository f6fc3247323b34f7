"""Who moved lately, when and why, in words."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Row, or_

from services.api.dashboard.by_time import before_it, by_time
from services.api.dashboard.reasons import told_of
from services.api.dashboard.steps import Step, steps_of
from services.api.dashboard.texts import Words
from services.api.dashboard.titles import events_named, titles_of
from services.api.people import identities_of, states_of
from services.api.record import history_of
from services.contract.change import select_changes
from services.contract.event import Identity, primary
from services.contract.phases import DAY_MS, Phase
from services.contract.tables import change
from services.model.explain import Contribution, explain
from services.model.state import PersonState
from services.model.version import Model

SHOWN_MAX = 12
_CONSIDERED_MAX = 2 * SHOWN_MAX
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
    after: Phase
    valid_ms: int
    why: str


class Whys:
    """Reasons in words, remembered: a step's is told the same until more is told of the person."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._told: OrderedDict[tuple[int, Step, str], str] = OrderedDict()

    def get(self, position: int, step: Step, language: str) -> str | None:
        """The reason told before."""
        with self._lock:
            return self._told.get((position, step, language))

    def put(self, position: int, step: Step, language: str, why: str) -> None:
        """Remember a reason."""
        with self._lock:
            self._told[position, step, language] = why
            while len(self._told) > _CACHED_MAX:
                self._told.popitem(last=False)


def movers(
    connection: Connection, workspace_id: int, model: Model, words: Words, whys: Whys, now_ms: int
) -> list[Mover]:
    """The latest move of each of the latest people who moved, as it is known now.

    The feed tells of a change against what it told last, which may have been wrong or late; from
    where somebody came is what their phases say. Whoever is not followed any more is not shown:
    neither that they said no, nor where they were.
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
    considered = sorted(moved, key=lambda row: -row.valid_ms)[:_CONSIDERED_MAX]
    ids = [row.person_id for row in considered]
    steps = steps_of(connection, workspace_id, dict.fromkeys(ids, now_ms))
    took = [
        (row, steps[row.person_id])
        for row in considered
        if row.person_id in steps and not _only_came(steps[row.person_id])
    ]
    shown = sorted(took, key=lambda one: -one[1].at_ms)[:SHOWN_MAX]
    names = identities_of(connection, workspace_id, ids)
    states = states_of(connection, workspace_id, ids)
    return [
        Mover(
            person=row.public_id,
            name=name_of(states.get(row.person_id), names[row.person_id], row.public_id, words),
            before=step.before,
            after=step.after,
            valid_ms=step.at_ms,
            why=_why(connection, row, step, model, words, whys),
        )
        for row, step in shown
    ]


def _only_came(step: Step) -> bool:
    return step.before is None and step.after == "see"


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


def _why(
    connection: Connection, row: Row[Any], step: Step, model: Model, words: Words, whys: Whys
) -> str:
    told = whys.get(row.position, step, words.language)
    if told is None:
        told = _reason(connection, row, step, model, words)
        whys.put(row.position, step, words.language, told)
    return told


def _reason(connection: Connection, row: Row[Any], step: Step, model: Model, words: Words) -> str:
    if step.after == "care":
        return words["hired"]
    if step.is_fall:
        events = events_named(connection, row.workspace_id, [before_it(step)])
        titles = titles_of(
            connection, row.workspace_id, [one.content_id for one in events.values()]
        )
        return by_time(step, step.at_ms, events, titles, words)
    history = history_of(connection, row.workspace_id, row.person_id, step.at_ms)
    explanation = explain(history, model, step.at_ms)
    if explanation is None:
        return ""
    recent = [
        c
        for c in explanation.contributions
        if c.to_ms > step.at_ms - _RECENT_MS and _speaks_for(c, step)
    ]
    strongest = sorted(recent, key=lambda c: -abs(c.turning))[:_REASONS_MAX]
    ids = [c.event.content_id for c in strongest if c.event is not None]
    return "; ".join(_phrases(strongest, titles_of(connection, row.workspace_id, ids), words))


def _speaks_for(contribution: Contribution, step: Step) -> bool:
    """Silence is no reason to go on, whatever it did to the estimate."""
    if step.rises:
        return contribution.turning > 0 and contribution.event is not None
    return contribution.turning < 0


def _phrases(contributions: list[Contribution], titles: dict[str, str], words: Words) -> list[str]:
    ordered = sorted(contributions, key=lambda c: c.to_ms)
    return list(dict.fromkeys(told_of(c, titles, words) for c in ordered))
