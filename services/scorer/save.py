"""Persons after a batch, written: their states, checkpoints and first events."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete

from services.contract import tables
from services.model.state import PersonState, encode_state
from services.model.version import Model
from services.runtime.bulk import Row, among, insert_rows, update_rows
from services.scorer.folding import Folded


class States(NamedTuple):
    """The rows of persons' states."""

    made: list[Row]
    kept: list[Row]
    """Of those who had one."""


def states_of(workspace_id: int, folded: Iterable[Folded], model: Model) -> States:
    """The states of persons as they are stored."""
    states = States([], [])
    for one in folded:
        if one.state is not None:
            row = _row(workspace_id, one, one.state, model)
            (states.made if one.is_new else states.kept).append((*row, one.person_id))
    return states


def save(db: Connection, workspace_id: int, folded: Sequence[Folded], states: States) -> None:
    """Write states and checkpoints, and forget those of persons that are no more."""
    gone = [one.person_id for one in folded if one.state is None]
    anew = [one.person_id for one in folded if one.cut_ms is None and one.version > 1]
    for table, persons in ((tables.person_state, gone), (tables.checkpoint, anew)):
        if persons:
            db.execute(delete(table).where(among(db, table.c.person_id, persons)))
    last = [(one.version, one.person_id) for one in folded if one.state is None and not one.is_new]
    update_rows(db, tables.person, "id", ("version",), last)
    insert_rows(db, tables.person_state, (*_STATE, "person_id"), states.made)
    update_rows(db, tables.person_state, "person_id", _STATE, states.kept)
    checkpoints = [
        (one.person_id, *where, workspace_id, state)
        for one in folded
        for where, state in one.checkpoints
    ]
    columns = ("person_id", "occurred_ms", "event_id", "workspace_id", "state")
    insert_rows(db, tables.checkpoint, columns, checkpoints)
    firsts = [(*one.first, one.person_id) for one in folded if one.first is not None]
    update_rows(db, tables.person, "id", ("first_ms", "first_event_id"), firsts)


_STATE = (
    "workspace_id",
    "state",
    "settled",
    "model_version",
    "version",
    "last_ms",
    "last_event_id",
    "events",
    "announced",
    "due_ms",
)


def _row(workspace_id: int, one: Folded, state: PersonState, model: Model) -> Row:
    return (
        workspace_id,
        encode_state(state),
        one.settled,
        model.version,
        one.version,
        state.at_ms,
        state.at_id,
        state.events,
        msgspec.json.encode(one.announced).decode(),
        one.due_ms,
    )
