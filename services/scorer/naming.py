"""The stored events that name somebody who is to be erased, found a few at a time."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, or_, select

from services.contract import tables
from services.contract.decision import DECIDED
from services.contract.erasure import left_of
from services.contract.event import Event, Identity, decode
from services.contract.tables.unguessed import unguessed
from services.contract.vault import open_payload
from services.runtime.bulk import among
from services.scorer.named import told_ms
from services.scorer.reach import Reach

READ_MAX = 2_000
"""Events in memory at a time."""

_event = tables.event.c


class Stored(NamedTuple):
    """An event, and the identity that it is stored under."""

    event: Event
    identity_id: int | None


def naming(
    db: Connection, workspace_id: int, reach: Reach, beside: Collection[int]
) -> tuple[dict[bytes, Stored], list[Event]]:
    """Events of the erased, and those of others that name them.

    An event names whom it is stored under, its cookie, and identities that it ties to the first.
    A browser in a hall was many people's: what nothing goes of is not kept in memory, but for the
    first event that ties the same identities.

    Args:
        db: in the transaction that erases.
        workspace_id: whose.
        reach: what is erased.
        beside: identities under which events may be stored that name an erased one, cookies apart.

    Returns:
        The events of which something may go, and the first ones of those that stay as they are.
    """
    ids = list(reach.ids.values())
    columns = select(_event.payload, _event.identity_id).where(
        _event.workspace_id == unguessed(workspace_id)
    )
    ways = (
        columns.where(among(db, _event.identity_id, {*ids, *beside})),
        columns.where(among(db, _event.cookie_id, ids)),
    )
    erased = reach.ids.keys()
    decisions = tables.identity_decision.c
    words = columns.join(tables.identity_decision, decisions.event_id == _event.event_id).where(
        decisions.workspace_id == unguessed(workspace_id),
        or_(among(db, decisions.a_id, ids), among(db, decisions.b_id, ids)),
    )
    found: dict[bytes, Stored] = {}
    firsts: dict[tuple[tuple[Identity, ...], bool, str], Event] = {}
    for one in (*ways, words):
        for payload, identity_id in db.execute(one.execution_options(yield_per=READ_MAX)):
            event = decode(open_payload(bytes(payload)))
            if erased.isdisjoint(event.identities):
                continue
            if left_of(event, reach.tombs) is not event or event.type == DECIDED:
                found[event.event_id] = Stored(event, identity_id)
                continue
            key = event.identities, event.server_only, event.type
            first = firsts.setdefault(key, event)
            if (told_ms(event), event.event_id) < (told_ms(first), first.event_id):
                firsts[key] = event
    return found, list(firsts.values())
