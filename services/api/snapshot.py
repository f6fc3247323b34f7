"""What trackers fetch: all write keys and link secrets, as one versioned copy."""

import hashlib
import hmac
import json
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import Engine, Row, select

from services.api.auth import key_in
from services.api.context import Context, Here
from services.api.problem import Problem, described
from services.contract import snapshot as wire
from services.contract.hook import HookEntry
from services.contract.keys import digest_of
from services.contract.mapping import Mapping
from services.contract.snapshot import KeyEntry, LinkSecret, Snapshot
from services.contract.tables import api_key, hook, link_secret
from services.contract.vault import open_secret

INTERNAL_SOURCE_ID = 0
"""The source of what the product itself says; workspaces' own sources count from 1."""

router = APIRouter(tags=["internal"])


def load_snapshot(engine: Engine, internal_key: str) -> Snapshot:
    """All keys that may write, the internal one included, all link secrets and webhooks.

    Its version is a hash of its content, so that equal content has equal versions.
    """
    with engine.connect() as connection:
        keys = connection.execute(
            select(api_key)
            .where(api_key.c.kind.in_(("write", "server")), api_key.c.revoked_ms.is_(None))
            .order_by(api_key.c.id)
        ).all()
        secrets = connection.execute(
            select(link_secret).order_by(link_secret.c.workspace_id, link_secret.c.number)
        ).all()
        hooks = tuple(
            _entry_of(row) for row in connection.execute(select(hook).order_by(hook.c.id))
        )
    entries = [
        KeyEntry(row.digest, row.workspace_id, row.kind, row.source_id, row.asserted_consent)
        for row in keys
    ]
    if internal_key:
        entries.append(KeyEntry(digest_of(internal_key), 0, "internal", INTERNAL_SOURCE_ID))
    links = tuple(LinkSecret(row.workspace_id, row.number, row.secret) for row in secrets)
    unnamed = Snapshot(version="", keys=tuple(entries), link_secrets=links, hooks=hooks)
    version = hashlib.blake2b(wire.encode(unnamed), digest_size=16).hexdigest()
    return Snapshot(version=version, keys=unnamed.keys, link_secrets=links, hooks=hooks)


def _entry_of(row: Row[Any]) -> HookEntry:
    return HookEntry(
        id=row.public_id,
        workspace_id=row.workspace_id,
        esp=row.esp,
        url=row.url,
        secrets=json.loads(open_secret(row.secrets)),
        asserted_consent=row.asserted_consent,
        mapping=None if row.mapping is None else msgspec.convert(row.mapping, Mapping),
    )


def need_internal_key(request: Request, here: Context) -> None:
    """Let only the product's own processes through.

    Raises:
        Problem: 401.
    """
    given = key_in(request.headers.get("authorization")) or ""
    if not here.internal_key or not hmac.compare_digest(
        digest_of(given), digest_of(here.internal_key)
    ):
        text = "This needs the internal key that the product's own processes share."
        raise Problem(401, "unauthorized", text, {"WWW-Authenticate": 'Bearer realm="internal"'})


@router.get(
    "/internal/snapshot",
    summary="What a tracker must know to answer",
    response_class=Response,
    responses={
        200: {
            "description": "All write keys' digests and link secrets.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        **described(304, 400, 401, 503),
    },
    openapi_extra={"security": [{"internal": []}]},
)
def get_snapshot(request: Request, here: Here) -> Response:
    """For trackers only, by the internal key. Answers 304 while nothing changed."""
    need_internal_key(request, here)
    snapshot = load_snapshot(here.engine, here.internal_key)
    headers = {"ETag": f'"{snapshot.version}"', "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(wire.encode(snapshot), headers=headers, media_type="application/json")
