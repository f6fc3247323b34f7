"""Workspaces: made by the command line, shown by the API."""

import secrets
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter
from sqlalchemy import Connection, Engine, insert, select

from services.api.auth import SCOPES
from services.api.context import Here
from services.api.link_secrets import add_secret
from services.api.needs import WorkspaceReader
from services.api.problem import described
from services.api.wire import Out, rfc3339
from services.contract.keys import KeyKind, digest_of, new_key
from services.contract.tables import api_key, workspace
from services.runtime.database import writing

NAME_LENGTH_MAX = 200
_SOURCE_OF: dict[KeyKind, int] = {"write": 1, "server": 2, "api": 3}

router = APIRouter(prefix="/v1", tags=["workspace"])


@dataclass(frozen=True)
class NewWorkspace:
    """A fresh workspace with its keys, which are shown once and kept only as digests."""

    workspace: str
    write_key: str
    server_key: str
    api_key: str


def create_workspace(
    engine: Engine, name: str, time_zone: str, asserted_consent: str | None, now_ms: int
) -> NewWorkspace:
    """Make a workspace with one key of each kind and a link secret.

    Args:
        engine: the migrated database.
        name: the employer's name.
        time_zone: an IANA name, as ``Europe/Amsterdam``.
        asserted_consent: the text by which whoever holds the server key says that it holds the
            consent of those it sends events of; None: calls without consent are refused.
        now_ms: the time.

    Raises:
        ValueError: the name is empty or too long, or there is no such time zone.
    """
    if not name.strip() or len(name) > NAME_LENGTH_MAX or "\x00" in name:
        raise ValueError(f"a workspace's name has 1 to {NAME_LENGTH_MAX} characters")
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no such time zone: {time_zone}") from None
    public_id = f"ws_{secrets.token_hex(8)}"
    with writing(engine).begin() as connection:
        row = {
            "public_id": public_id,
            "name": name,
            "time_zone": time_zone,
            "created_ms": now_ms,
        }
        made = connection.execute(insert(workspace).values(row)).inserted_primary_key
        assert made is not None  # noqa: S101  a row was inserted
        workspace_id: int = made[0]
        keys: dict[KeyKind, str] = {}
        for kind in _SOURCE_OF:
            consent = asserted_consent if kind == "server" else None
            keys[kind] = _add_key(connection, workspace_id, kind, consent, now_ms)
        add_secret(connection, workspace_id, now_ms)
    return NewWorkspace(public_id, keys["write"], keys["server"], keys["api"])


def _add_key(
    connection: Connection, workspace_id: int, kind: KeyKind, consent: str | None, now_ms: int
) -> str:
    key = new_key(kind)
    row = {
        "workspace_id": workspace_id,
        "kind": kind,
        "scopes": sorted(SCOPES) if kind == "api" else [],
        "digest": digest_of(key),
        "source_id": _SOURCE_OF[kind],
        "asserted_consent": consent,
        "created_ms": now_ms,
    }
    connection.execute(insert(api_key).values(row))
    return key


class WorkspaceOut(Out):
    """A workspace."""

    id: str
    name: str
    time_zone: str
    created_at: str
    scopes: list[str]


@router.get(
    "/workspace",
    summary="The workspace of this key",
    responses=described(400, 401, 403, 503),
)
def get_workspace(here: Here, credential: WorkspaceReader) -> WorkspaceOut:
    """Its name and time zone, and what the key may do."""
    query = select(workspace).where(workspace.c.id == credential.workspace_id)
    with here.engine.connect() as connection:
        row = connection.execute(query).one()
    return WorkspaceOut(
        id=row.public_id,
        name=row.name,
        time_zone=row.time_zone,
        created_at=rfc3339(row.created_ms),
        scopes=sorted(credential.scopes),
    )
