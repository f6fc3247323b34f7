"""What is known of the people that a file names: since when they may be followed and scored."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, and_, or_, select

from services.api.people import states_of
from services.contract.event import Identity
from services.contract.tables import consent, identity
from services.contract.tables.unguessed import unguessed
from services.contract.vault import lookup_value, shown_value

_AT_ONCE = 200


class Agreed(NamedTuple):
    """Of one person; UTC milliseconds, None: not now."""

    measure_ms: int | None
    profile_ms: int | None


def agreed_of(
    db: Connection, workspace_id: int, named: Iterable[Identity]
) -> dict[Identity, Agreed]:
    """Since when each of these may be followed and scored; who is not in it is not known.

    It counts from the first yes behind the last no: what happened before was before consent.
    """
    persons = persons_named(db, workspace_id, list(dict.fromkeys(named)))
    ids = sorted(set(persons.values()))
    states = states_of(db, workspace_id, ids)
    said = _said(db, workspace_id, ids)
    found: dict[Identity, Agreed] = {}
    for one, person_id in persons.items():
        state = states.get(person_id)
        measure = state is not None and state.measure
        profile = measure and state is not None and state.profile
        found[one] = Agreed(
            _since(said.get((person_id, "measure"), ())) if measure else None,
            _since(said.get((person_id, "profile"), ())) if profile else None,
        )
    return found


def _since(said: Iterable[tuple[int, bool]]) -> int | None:
    since: int | None = None
    for said_ms, granted in sorted(said):
        since = (since or said_ms) if granted else None
    return since


def persons_named(db: Connection, workspace_id: int, named: list[Identity]) -> dict[Identity, int]:
    """The row of the person who bears each of these; whose are nobody's are not in it."""
    found: dict[Identity, int] = {}
    row = identity.c
    for i in range(0, len(named), _AT_ONCE):
        by_namespace: dict[str, list[str]] = {}
        for one in named[i : i + _AT_ONCE]:
            by_namespace.setdefault(one.namespace, []).append(lookup_value(one))
        ways = (
            and_(row.namespace == namespace, row.value.in_(values))
            for namespace, values in by_namespace.items()
        )
        query = select(row.namespace, row.value, row.person_id).where(
            row.workspace_id == unguessed(workspace_id), row.person_id.is_not(None), or_(*ways)
        )
        for namespace, value, person_id in db.execute(query).all():
            found[Identity(namespace, shown_value(value))] = person_id
    return found


def _said(
    db: Connection, workspace_id: int, persons: list[int]
) -> dict[tuple[int, str], list[tuple[int, bool]]]:
    found: dict[tuple[int, str], list[tuple[int, bool]]] = {}
    for i in range(0, len(persons), _AT_ONCE):
        query = (
            select(identity.c.person_id, consent.c.purpose, consent.c.said_ms, consent.c.granted)
            .join(
                consent,
                and_(
                    consent.c.workspace_id == identity.c.workspace_id,
                    consent.c.identity_id == identity.c.id,
                ),
            )
            .where(
                identity.c.workspace_id == unguessed(workspace_id),
                identity.c.person_id.in_(persons[i : i + _AT_ONCE]),
                consent.c.purpose.in_(("measure", "profile")),
            )
        )
        for person_id, purpose, said_ms, granted in db.execute(query).all():
            found.setdefault((person_id, purpose), []).append((said_ms, granted))
    return found
