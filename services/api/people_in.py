"""Whom an interval held for at a moment: the members of a segment, the people in a phase."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, bindparam, select

from services.api.people import held
from services.contract.phases import IntervalKind
from services.contract.tables import interval, person


def people_in(
    connection: Connection,
    workspace_id: int,
    kind: IntervalKind,
    key: str,
    after_id: int,
    as_of_ms: int,
    known_at_ms: int,
    limit: int,
) -> Sequence[Row[Any]]:
    """Whom an interval of a kind and key held for at a moment, by their row's id.

    Of each: ``person_id``, ``public_id``, and the interval's bounds.
    """
    asked = {
        "workspace": workspace_id,
        "kind": kind,
        "key": key,
        "after": after_id,
        "as_of": as_of_ms,
        "known_at": known_at_ms,
        "limit": limit,
    }
    return connection.execute(_MEMBERS, asked).all()


# In the order of the index that finds them; only these are looked up as persons.
_PAGE = (
    select(interval.c.person_id, interval.c.valid_from_ms, interval.c.valid_to_ms)
    .where(
        interval.c.workspace_id == bindparam("workspace"),
        interval.c.kind == bindparam("kind"),
        interval.c.key == bindparam("key"),
        interval.c.person_id > bindparam("after"),
        held(bindparam("as_of", type_=BigInteger), bindparam("known_at", type_=BigInteger)),
    )
    .order_by(interval.c.person_id)
    .limit(bindparam("limit"))
    .subquery("page")
)
_MEMBERS = (
    select(_PAGE, person.c.public_id)
    .join(person, person.c.id == _PAGE.c.person_id)
    .where(person.c.workspace_id == bindparam("workspace"))
    .order_by(_PAGE.c.person_id)
)
