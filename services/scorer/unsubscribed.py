"""The list of whom not to mail: marks, each with when its bearer last unsubscribed.

A mark is a keyed hash of the identity that a mail went to. It names nobody by itself, it stands
for a wish that outlives consent and erasure, and the API finds it again for an identity that it
is asked about.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, select, update

from services.contract import tables
from services.contract.event import UNSUBSCRIBED_MARK, Event, Identity
from services.contract.token import person_token_of
from services.runtime.database import insert_new

_MARK_DIGITS = 16
_WISHES = frozenset({"unsubscribe", "complaint"})


def note(db: Connection, workspace_id: int, events: Iterable[Event]) -> None:
    """Enter the wishes among events of one workspace."""
    wishes = [event for event in events if event.type in _WISHES and _is_proven(event)]
    if not wishes:
        return
    secret = _first_secret(db, workspace_id)
    told: dict[bytes, int] = {}
    for event in wishes:
        for mark in _marks(event, secret):
            told[mark] = max(event.occurred_ms, told.get(mark, 0))
    table = tables.unsubscribed
    for mark, told_ms in sorted(told.items()):
        row = {"workspace_id": workspace_id, "mark": mark, "told_ms": told_ms}
        db.execute(insert_new(db, table), row)
        db.execute(
            update(table)
            .where(
                table.c.workspace_id == workspace_id,
                table.c.mark == mark,
                table.c.told_ms < told_ms,
            )
            .values(told_ms=told_ms)
        )


def last_unsubscribed(
    db: Connection, workspace_id: int, names: Mapping[int, Sequence[Identity]]
) -> dict[int, int]:
    """When each of some persons, by what they are known as, last unsubscribed by any mark."""
    row, secret = tables.unsubscribed.c, _first_secret(db, workspace_id)
    whose = {
        bytes.fromhex(text): person
        for person, known in names.items()
        for text in _tokens_of(known, secret)
        if _is_mark(text)
    }
    if not whose:
        return {}
    query = select(row.mark, row.told_ms).where(
        row.workspace_id == workspace_id, row.mark.in_(list(whose))
    )
    found: dict[int, int] = {}
    for mark, told_ms in db.execute(query):
        person = whose[bytes(mark)]
        found[person] = max(told_ms, found.get(person, 0))
    return found


def _is_proven(event: Event) -> bool:
    """Whether a server or a signature stands behind it: a page can say anything of anybody.

    The product's own sources, such as signed links and mailers' webhooks, are not above 0.
    """
    return event.server_only or event.source_id <= 0


def _marks(event: Event, secret: bytes | None) -> list[bytes]:
    texts = _tokens_of(event.identities, secret)
    if not texts:
        texts = [str(event.properties.get(UNSUBSCRIBED_MARK, ""))]
    return [bytes.fromhex(text) for text in texts if _is_mark(text)]


def _tokens_of(names: Iterable[Identity], secret: bytes | None) -> list[str]:
    known = list(names)
    texts = [one.value for one in known if one.namespace == "person_token"]
    if secret is not None:
        others = [one for one in known if one.namespace != "person_token"]
        texts += [person_token_of(one.namespace, one.value, secret) for one in others]
    return texts


def _is_mark(text: str) -> bool:
    return len(text) == _MARK_DIGITS and all(digit in "0123456789abcdef" for digit in text)


def _first_secret(db: Connection, workspace_id: int) -> bytes | None:
    row = tables.link_secret.c
    query = select(row.secret).where(row.workspace_id == workspace_id).order_by(row.number).limit(1)
    secret: bytes | None = db.execute(query).scalar_one_or_none()
    return secret
