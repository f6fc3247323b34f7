"""Keys in the database: made, rotated, changed and ended. Only their digests are kept."""

import secrets
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from services.api.audit import note
from services.api.one_at_a_time import one_at_a_time
from services.api.problem import Problem
from services.contract.keys import KeyKind, digest_of, new_key
from services.contract.tables import api_key

KEYS_MAX = 100
"""Of one workspace at a time."""
DECLARED = ("asserted_consent", "asserted_source", "asserted_ms")
"""The columns of what a sender declares of consent."""


def add_key(
    connection: Connection,
    workspace_id: int,
    kind: KeyKind,
    name: str,
    scopes: frozenset[str],
    who: str,
    now_ms: int,
    declared: dict[str, Any] | None = None,
) -> tuple[str, str]:
    """Make a key; its public id, and the key, which nobody can read again.

    Args:
        connection: a transaction.
        workspace_id: whose.
        kind: what it is for.
        name: what people call it.
        scopes: of an api key; of others none.
        who: makes it, as the audit says.
        now_ms: the time.
        declared: of a server key, :data:`DECLARED`; None: as the workspace's others say.

    Raises:
        Problem: 409, there are too many.
    """
    one_at_a_time(connection, workspace_id)
    if len(keys_of(connection, workspace_id)) >= KEYS_MAX:
        raise Problem(409, "too_many_keys", f"A workspace has at most {KEYS_MAX} keys. End one.")
    own = api_key.c.workspace_id == workspace_id
    last = connection.execute(select(func.max(api_key.c.source_id)).where(own)).scalar() or 0
    if kind == "server" and declared is None:
        declared = _declared(connection, workspace_id)
    values = {"kind": kind, "name": name, "scopes": sorted(scopes), "source_id": last + 1}
    made = _insert(connection, workspace_id, values | (declared or {}), who, now_ms)
    note(connection, workspace_id, who, "key.made", made[0], now_ms, after=_shown(values))
    return made


def rotate_key(
    connection: Connection, workspace_id: int, public_id: str, who: str, now_ms: int
) -> tuple[str, str]:
    """A second key that is in every way as this one, which goes on; its public id and itself.

    Both give one message the same event id, so that no sender need stop to change over.

    Raises:
        Problem: 404, there is no such key; 409, there are too many.
    """
    one_at_a_time(connection, workspace_id)
    if len(keys_of(connection, workspace_id)) >= KEYS_MAX:
        raise Problem(409, "too_many_keys", f"A workspace has at most {KEYS_MAX} keys. End one.")
    old = find_key(connection, workspace_id, public_id)
    same = ("kind", "name", "scopes", "source_id", *DECLARED)
    values = {name: getattr(old, name) for name in same}
    made = _insert(connection, workspace_id, values, who, now_ms)
    after = _shown(values) | {"beside": public_id}
    note(connection, workspace_id, who, "key.rotated", made[0], now_ms, after=after)
    return made


def change_key(
    connection: Connection, old: Row[Any], name: str, scopes: list[str], who: str, now_ms: int
) -> None:
    """Give a key another name or other scopes."""
    connection.execute(
        update(api_key).where(api_key.c.id == old.id).values(name=name, scopes=scopes)
    )
    before = {"name": old.name, "scopes": old.scopes}
    after = {"name": name, "scopes": scopes}
    note(
        connection,
        old.workspace_id,
        who,
        "key.changed",
        old.public_id,
        now_ms,
        before=before,
        after=after,
    )


def end_key(
    connection: Connection, workspace_id: int, public_id: str, who: str, now_ms: int
) -> None:
    """From now on nothing comes in with it.

    Raises:
        Problem: 404, there is no such key.
    """
    old = find_key(connection, workspace_id, public_id)
    connection.execute(update(api_key).where(api_key.c.id == old.id).values(revoked_ms=now_ms))
    note(connection, workspace_id, who, "key.ended", public_id, now_ms, before=told(old))


def keys_of(connection: Connection, workspace_id: int) -> list[Row[Any]]:
    """All keys that are in force, the oldest first."""
    query = select(api_key).where(
        api_key.c.workspace_id == workspace_id, api_key.c.revoked_ms.is_(None)
    )
    return list(connection.execute(query.order_by(api_key.c.id)).all())


def find_key(connection: Connection, workspace_id: int, public_id: str) -> Row[Any]:
    """A key in force.

    Raises:
        Problem: 404, there is none with this id.
    """
    query = select(api_key).where(
        api_key.c.workspace_id == workspace_id,
        api_key.c.public_id == public_id,
        api_key.c.revoked_ms.is_(None),
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Problem(404, "not_found", "There is no key with this id in this workspace.")
    return row


def told(row: Row[Any]) -> dict[str, Any]:
    """What the audit says of a key."""
    return {"name": row.name, "kind": row.kind, "scopes": row.scopes}


def _insert(
    connection: Connection,
    workspace_id: int,
    values: dict[str, Any],
    who: str,
    now_ms: int,
) -> tuple[str, str]:
    key = new_key(values["kind"])
    public_id = f"key_{secrets.token_hex(8)}"
    row = {
        **dict.fromkeys(DECLARED),
        **values,
        "workspace_id": workspace_id,
        "public_id": public_id,
        "digest": digest_of(key),
        "created_ms": now_ms,
        "created_by": who,
    }
    connection.execute(insert(api_key).values(row))
    return public_id, key


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    """What the audit says of a new key."""
    return {name: values[name] for name in ("name", "kind", "scopes")}


def _declared(connection: Connection, workspace_id: int) -> dict[str, Any]:
    """What the newest server key declares."""
    row = next(
        (row for row in reversed(keys_of(connection, workspace_id)) if row.kind == "server"), None
    )
    return {} if row is None else {name: getattr(row, name) for name in DECLARED}
