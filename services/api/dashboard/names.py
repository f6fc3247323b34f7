"""People of whom only the public ids are known: what to call them, and their states."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, select

from services.api.dashboard.movers import name_of
from services.api.dashboard.texts import Words
from services.api.people import identities_of, states_of
from services.api.segment_store import find_segments
from services.contract.tables import person
from services.contract.tables.unguessed import unguessed
from services.model.state import PersonState


class Known(NamedTuple):
    """One of them."""

    name: str
    state: PersonState | None


def known_people(
    connection: Connection, workspace_id: int, public_ids: Collection[str], words: Words
) -> dict[str, Known]:
    """By public id; those of whom nothing is known any more are left out."""
    query = select(person.c.id, person.c.public_id).where(
        person.c.workspace_id == unguessed(workspace_id),
        person.c.public_id.in_(public_ids),
        person.c.erased_ms.is_(None),
    )
    rows = connection.execute(query).all()
    ids = [row.id for row in rows]
    identities = identities_of(connection, workspace_id, ids)
    states = states_of(connection, workspace_id, ids)
    return {
        row.public_id: Known(
            name_of(states.get(row.id), identities[row.id], row.public_id, words),
            states.get(row.id),
        )
        for row in rows
    }


def segment_names(connection: Connection, workspace_id: int) -> dict[str, str]:
    """What segments are called, by their keys."""
    found = find_segments(connection, workspace_id)
    return {one.newest.key: one.newest.name for one in found}
