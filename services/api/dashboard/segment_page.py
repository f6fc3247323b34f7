"""A segment: its rule in words, who came and went lately and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, Select, select

from services.api.dashboard.because import Because, Told
from services.api.dashboard.movers import name_of
from services.api.dashboard.names import segment_names
from services.api.dashboard.rule_view import Shown, view
from services.api.dashboard.texts import Words
from services.api.latest_in import latest_in
from services.api.people import identities_of, states_of
from services.api.people_in import Asked
from services.api.segment_store import Found
from services.contract.tables import interval, person
from services.contract.tables.unguessed import unguessed
from services.model.rules import RuleTree
from services.model.state import PersonState

SHOWN_MAX = 8
"""Of those who came, and of those who went."""
_LOOKED_AT_MAX = 100


@dataclass(frozen=True)
class Passed:
    """Somebody who came into a segment, or left it."""

    person: str
    name: str
    at_ms: int
    why: str


@dataclass(frozen=True)
class PassedBy:
    """Some of them, the latest first."""

    people: list[Passed]
    shared: list[str]
    """What settles it for all of these."""


@dataclass(frozen=True)
class Passing:
    """Those who came last, and those who left last."""

    came: PassedBy
    went: PassedBy


NOBODY = Passing(PassedBy([], []), PassedBy([], []))


def rule_in_words(
    connection: Connection, workspace_id: int, rule: Any, words: Words
) -> Shown | None:
    """A stored rule as a tree of words; None: it is of later code than ours."""
    try:
        tree = RuleTree.model_validate({"rule": rule})
    except ValidationError:
        return None
    return view(tree.rule, words.language, segment_names(connection, workspace_id))


def passing(
    connection: Connection, found: Found, because: Because, words: Words, now_ms: int
) -> Passing:
    """Who came into a segment lately and who left it, with what settled it.

    Whoever is not followed any more is not told of.
    """
    if found.live is None:
        return NOBODY
    workspace_id, key = found.newest.workspace_id, str(found.live.id)
    asked = Asked("segment", key, now_ms, None)
    came = latest_in(connection, workspace_id, asked, None, SHOWN_MAX).rows
    went = _ended(connection, workspace_id, asked)
    states = states_of(connection, workspace_id, [row.person_id for row in (*came, *went)])
    gone = [row for row in went if _is_followed(states.get(row.person_id))][:SHOWN_MAX]
    names = identities_of(connection, workspace_id, [row.person_id for row in (*came, *gone)])

    def told(rows: Sequence[Row[Any]], why: Told, at: str) -> PassedBy:
        people = [
            Passed(
                person=row.public_id,
                name=name_of(states.get(row.person_id), names[row.person_id], row.public_id, words),
                at_ms=getattr(row, at),
                why=why.own[row.person_id],
            )
            for row in rows
        ]
        return PassedBy(people, why.shared)

    return Passing(
        told(came, because.of(came, states), "valid_from_ms"),
        told(gone, because.of_gone(gone, states), "valid_to_ms"),
    )


def _is_followed(state: PersonState | None) -> bool:
    return state is not None and (state.score is not None or state.hired_ms is not None)


def _ended(connection: Connection, workspace_id: int, asked: Asked) -> Sequence[Row[Any]]:
    """Of those who left last whoever is not in again, the latest first."""
    row = interval.c
    of_key = (
        row.workspace_id == unguessed(workspace_id),
        row.kind == asked.kind,
        row.key == asked.key,
        row.known_to_ms.is_(None),
    )
    ended: Select[Any] = (
        select(row.person_id, row.valid_to_ms, person.c.public_id)
        .join(person, person.c.id == row.person_id)
        .where(
            *of_key,
            row.valid_to_ms <= asked.as_of_ms,
            person.c.workspace_id == unguessed(workspace_id),
        )
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
