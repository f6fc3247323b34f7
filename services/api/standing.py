"""How people stand: their state, their identities and their phase, of all of them in one statement.

Asked one by one, most of an answer's time would go into the asking.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Connection,
    LargeBinary,
    Row,
    Table,
    Text,
    bindparam,
    cast,
    literal,
    null,
    select,
    union_all,
)

from services.api.people import IDENTITIES_SHOWN_MAX, held
from services.contract.event import Identity
from services.contract.tables import identity, interval, person_state
from services.contract.tables.unguessed import workspace_asked
from services.contract.vault import shown_value
from services.model.state import PersonState, decode_state


class Standing(NamedTuple):
    """Of some people, by their ids."""

    states: dict[int, PersonState]
    """After the last event of each who has one."""
    identities: dict[int, list[Identity]]
    """Of everybody who was asked for, in a stable order."""
    phases: dict[int, Row[Any]]
    """The phase that held at the moment: ``key``, ``valid_from_ms``, ``valid_to_ms``."""


def standing_of(
    connection: Connection,
    workspace_id: int,
    person_ids: Sequence[int],
    at_ms: int,
    known_at_ms: int | None,
) -> Standing:
    """State and identities as they are now, the phase as it was at a moment.

    Args:
        connection: the database.
        workspace_id: whose people.
        person_ids: a page of them at most.
        at_ms: the moment of the phase, UTC.
        known_at_ms: as it was believed then; None: as known now.
    """
    told = {"workspace": workspace_id, "persons": list(person_ids)}
    moments = {"as_of": at_ms, "known_at": known_at_ms}
    rows = connection.execute(_rows(now=known_at_ms is None), told | moments).all()
    found = Standing({}, {person_id: [] for person_id in person_ids}, {})
    for row in sorted((row for row in rows if row.what == _IDENTITY), key=lambda row: int(row.id)):
        theirs = found.identities[row.person_id]
        if len(theirs) < IDENTITIES_SHOWN_MAX:
            theirs.append(Identity(row.key, shown_value(row.value)))
    for row in rows:
        if row.what == _STATE:
            found.states[row.person_id] = decode_state(row.state)
        elif row.what == _PHASE:
            found.phases[row.person_id] = row
    return found


_STATE, _IDENTITY, _PHASE = range(3)


@cache
def _rows(*, now: bool) -> CompoundSelect[Any]:
    state, known, phase = person_state.c, identity.c, interval.c
    no_number, no_text = cast(null(), BigInteger), cast(null(), Text)
    no_bytes = cast(null(), LargeBinary)
    known_at = None if now else bindparam("known_at", type_=BigInteger)
    holds = held(bindparam("as_of", type_=BigInteger), known_at)

    def some(what: int, table: Table, *columns: ColumnElement[Any]) -> Any:
        names = ("id", "key", "value", "valid_from_ms", "valid_to_ms", "state")
        labelled = (one.label(name) for name, one in zip(names, columns, strict=True))
        return select(literal(what).label("what"), table.c.person_id, *labelled).where(
            table.c.workspace_id == workspace_asked(),
            table.c.person_id.in_(bindparam("persons", expanding=True)),
        )

    nothing = (no_number, no_text, no_text, no_number, no_number)
    named = (known.id, known.namespace, known.value, no_number, no_number, no_bytes)
    during = (no_number, phase.key, no_text, phase.valid_from_ms, phase.valid_to_ms, no_bytes)
    return union_all(
        some(_STATE, person_state, *nothing, state.state),
        some(_IDENTITY, identity, *named),
        some(_PHASE, interval, *during).where(phase.kind == "phase", holds),
    )
