"""The secrets that sign links: which one signs now, and a new one."""

import secrets as random
from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter
from sqlalchemy import Connection, insert, select

from services.api.audit import note
from services.api.context import Here
from services.api.idempotency import OnceOnly
from services.api.needs import WorkspaceReader, WorkspaceWriter
from services.api.one_at_a_time import one_at_a_time
from services.api.problem import Problem, described
from services.api.wire import Out, rfc3339
from services.contract.event import Identity
from services.contract.tables import link_secret
from services.contract.token import (
    Link,
    Recipient,
    Unsubscribe,
    person_token_of,
    sign_link,
    sign_recipient,
    sign_unsubscribe,
)
from services.runtime.database import writing

LINK_SECRET_BYTES = 32
SIGNS_AFTER_MS = 60_000
"""A new secret signs nothing before every tracker knows it: they ask once a second."""
NUMBER_MAX = 32_767

router = APIRouter(prefix="/v1", tags=["links"])


@dataclass(frozen=True)
class Signer:
    """Signs for one workspace, with the newest secret that trackers know."""

    workspace_id: int
    number: int
    secret: bytes
    first: bytes
    """The workspace's first secret: a person's token stays the same when others follow."""

    def link(self, link: Link) -> str:
        """The link's token."""
        return sign_link(link, self.workspace_id, self.number, self.secret)

    def recipient(self, recipient: Recipient) -> str:
        """The person's token."""
        return sign_recipient(recipient, self.workspace_id, self.number, self.secret)

    def unsubscribe(self, wish: Unsubscribe) -> str:
        """The token by which somebody unsubscribes."""
        return sign_unsubscribe(wish, self.workspace_id, self.number, self.secret)

    def person_token(self, who: Identity) -> str:
        """The ``person_token`` identity of a known one: 16 hex digits."""
        return person_token_of(who.namespace, who.value, self.first)


def signer_of(connection: Connection, workspace_id: int, now_ms: int) -> Signer:
    """The workspace's signer at a time in UTC milliseconds."""
    query = (
        select(link_secret.c.number, link_secret.c.secret, link_secret.c.created_ms)
        .where(link_secret.c.workspace_id == workspace_id)
        .order_by(link_secret.c.number)
    )
    rows = connection.execute(query).all()
    ready = [row for row in rows if row.created_ms <= now_ms - SIGNS_AFTER_MS]
    signing = ready[-1] if ready else rows[0]
    return Signer(workspace_id, signing.number, signing.secret, rows[0].secret)


def add_secret(connection: Connection, workspace_id: int, now_ms: int) -> int:
    """Give a workspace one more secret; its number.

    Raises:
        Problem: 409, it has all that there are numbers for.
    """
    one_at_a_time(connection, workspace_id)
    numbers = select(link_secret.c.number).where(link_secret.c.workspace_id == workspace_id)
    number = max(connection.execute(numbers).scalars(), default=0) + 1
    if number > NUMBER_MAX:
        raise Problem(409, "too_many_secrets", f"A workspace has at most {NUMBER_MAX} secrets.")
    values = {
        "workspace_id": workspace_id,
        "number": number,
        "secret": random.token_bytes(LINK_SECRET_BYTES),
        "created_ms": now_ms,
    }
    connection.execute(insert(link_secret).values(values))
    return number


class LinkSecretOut(Out):
    """A secret that signs links. It never leaves the product."""

    number: int
    status: Literal["verifying", "signing", "waiting"]
    created_at: str
    signs_from: str


class LinkSecretsOut(Out):
    """All of a workspace's, oldest first."""

    link_secrets: list[LinkSecretOut]


@router.get("/link-secrets", summary="Secrets of links", responses=described(400, 401, 403, 503))
def list_link_secrets(here: Here, credential: WorkspaceReader) -> LinkSecretsOut:
    """Their numbers and since when; every one goes on verifying what it signed."""
    with here.engine.connect() as connection:
        return _show(connection, credential.workspace_id, here.clock())


@router.post(
    "/link-secrets",
    status_code=201,
    summary="Rotate the secret of links",
    responses=described(400, 401, 403, 409, 503),
)
def post_link_secret(here: Here, credential: WorkspaceWriter, once: OnceOnly) -> LinkSecretsOut:
    """A minute from now, when all trackers know it, new links are signed with a new secret.

    Links, tokens and codes that were made before go on working.
    """
    workspace_id, now_ms = credential.workspace_id, here.clock()
    with writing(here.engine).begin() as connection:
        if once.made(connection, workspace_id) is None:
            number = str(add_secret(connection, workspace_id, now_ms))
            once.remember(connection, workspace_id, number, now_ms)
            note(connection, workspace_id, credential.who, "link_secret.rotated", number, now_ms)
        return _show(connection, credential.workspace_id, here.clock())


def _show(connection: Connection, workspace_id: int, now_ms: int) -> LinkSecretsOut:
    signing = signer_of(connection, workspace_id, now_ms).number
    query = (
        select(link_secret.c.number, link_secret.c.created_ms)
        .where(link_secret.c.workspace_id == workspace_id)
        .order_by(link_secret.c.number)
    )
    return LinkSecretsOut(
        link_secrets=[
            LinkSecretOut(
                number=row.number,
                status="signing"
                if row.number == signing
                else "verifying"
                if row.number < signing
                else "waiting",
                created_at=rfc3339(row.created_ms),
                signs_from=rfc3339(row.created_ms + (SIGNS_AFTER_MS if row.number > 1 else 0)),
            )
            for row in connection.execute(query)
        ]
    )
