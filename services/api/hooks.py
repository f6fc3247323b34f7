"""Webhooks of mailers: where they call, and what proves that it is them."""

import json
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import ConfigDict, Field
from sqlalchemy import Connection, Row, delete, insert, select, update

from services.api.audit import note
from services.api.auth import Credential
from services.api.context import Here
from services.api.hook_checks import checked_mapping, checked_secrets
from services.api.idempotency import OnceOnly
from services.api.needs import HooksReader, HooksWriter
from services.api.one_at_a_time import one_at_a_time
from services.api.problem import Problem, described
from services.api.wire import Body, Moment, Out, rfc3339
from services.contract.hook import PROOFS, Esp
from services.contract.tables import hook
from services.contract.vault import open_secret, seal_secret
from services.runtime.database import writing

router = APIRouter(prefix="/v1", tags=["hooks"])

HOOKS_MAX = 100
HookPath = Annotated[str, Path(min_length=1, max_length=64, examples=["hk_5f0c1b9a2d3e4f50"])]
_SECRETS = (
    "What proves the mailer: `public_key` (sendgrid), `username` and `password` (postmark, brevo), "
    "`signing_key` (mailgun), `topic_arn` (ses), `webhook_key` (mandrill), `secret` (generic). "
    "Never shown again."
)


class HookConsentIn(Body):
    """Your word that those whom you mail agreed, with its proof."""

    text_version: str = Field(min_length=1, max_length=200, description="What they agreed to.")
    source: str = Field(min_length=1, max_length=200, description="Where it is asked, and kept.")
    since: Moment = Field(description="Since when it is asked by this text.")


class HookConsentOut(Out):
    """The same."""

    text_version: str
    source: str
    since: str


class HookCreate(Body):
    """A mailer, and what proves that a call is its own."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "esp": "postmark",
                    "secrets": {"username": "postmark", "password": "a-long-password-of-yours"},
                    "asserted_consent": {
                        "text_version": "Terms of May 2026",
                        "source": "the sign-up form",
                        "since": "2026-05-01T00:00:00Z",
                    },
                }
            ]
        }
    )
    esp: Esp = Field(description="`mandrill` is Mailchimp Transactional; `generic` any other.")
    secrets: dict[str, str] = Field(default={}, max_length=10, description=_SECRETS)
    asserted_consent: HookConsentIn | None = Field(
        default=None,
        description="Declares that those who are mailed consented to be measured and profiled. "
        "Without it, only mails that carried our own token of the person are followed.",
    )
    mapping: dict[str, Any] | None = Field(
        default=None, description="For `generic`: how its body is read."
    )


class HookSecrets(Body):
    """What proves the mailer, told later or anew."""

    secrets: dict[str, str] = Field(max_length=10, description=_SECRETS)


class HookOut(Out):
    """A webhook, without its secrets."""

    id: str
    esp: Esp
    url: str = Field(description="Give this address to the mailer.")
    complete: bool = Field(description="Whether all that proves the mailer was told.")
    asserted_consent: HookConsentOut | None
    mapping: dict[str, Any] | None
    created_at: str


class HooksOut(Out):
    """All webhooks of the workspace."""

    hooks: list[HookOut]


@router.post(
    "/hooks",
    status_code=201,
    summary="Make a mailer's webhook",
    responses=described(400, 401, 403, 404, 409, 413, 503),
)
def post_hook(here: Here, credential: HooksWriter, body: HookCreate, once: OnceOnly) -> HookOut:
    """Its address is for the mailer alone. Trackers know it within seconds."""
    given = checked_secrets(body.esp, body.secrets) if body.secrets else {}
    held = body.asserted_consent
    public_id, workspace_id = f"hk_{secrets.token_hex(16)}", credential.workspace_id
    row = {
        "workspace_id": credential.workspace_id,
        "public_id": public_id,
        "esp": body.esp,
        "url": f"{here.public_url}/hooks/{body.esp}/{public_id}",
        "secrets": _sealed(given),
        "asserted_consent": held.text_version if held else None,
        "asserted_source": held.source if held else None,
        "asserted_ms": held.since if held else None,
        "mapping": checked_mapping(body.esp, body.mapping),
        "created_ms": here.clock(),
    }
    with writing(here.engine).begin() as connection:
        made = once.made(connection, workspace_id)
        if made is not None:
            return _show(_find(connection, workspace_id, made))
        one_at_a_time(connection, workspace_id)
        mine = select(hook.c.id).where(hook.c.workspace_id == workspace_id)
        if len(connection.execute(mine.limit(HOOKS_MAX)).all()) == HOOKS_MAX:
            raise Problem(409, "too_many_hooks", f"A workspace has at most {HOOKS_MAX} webhooks.")
        connection.execute(insert(hook).values(row))
        once.remember(connection, workspace_id, public_id, here.clock())
        shown = _show(_find(connection, workspace_id, public_id))
        _note(connection, credential, "hook.made", public_id, here.clock(), after=shown)
    return shown


@router.get(
    "/hooks",
    summary="Webhooks of mailers",
    responses=described(400, 401, 403, 503),
)
def get_hooks(here: Here, credential: HooksReader) -> HooksOut:
    """All of them, the oldest first."""
    query = select(hook).where(hook.c.workspace_id == credential.workspace_id).order_by(hook.c.id)
    with here.engine.connect() as connection:
        rows = connection.execute(query.limit(HOOKS_MAX)).all()
    return HooksOut(hooks=[_show(row) for row in rows])


@router.put(
    "/hooks/{hook_id}/secrets",
    summary="Tell what proves the mailer",
    responses=described(400, 401, 403, 404, 413, 503),
)
def put_secrets(
    here: Here, credential: HooksWriter, hook_id: HookPath, body: HookSecrets
) -> HookOut:
    """For mailers that make their key only when they have the address, and for a new key."""
    workspace_id = credential.workspace_id
    given = checked_secrets(_read(here, workspace_id, hook_id).esp, body.secrets)
    change = update(hook).where(hook.c.workspace_id == workspace_id, hook.c.public_id == hook_id)
    with writing(here.engine).begin() as connection:
        connection.execute(change.values(secrets=_sealed(given)))
        _note(connection, credential, "hook.secrets_told", hook_id, here.clock())
    return _read(here, workspace_id, hook_id)


@router.delete(
    "/hooks/{hook_id}",
    status_code=204,
    summary="Delete a mailer's webhook",
    responses=described(400, 401, 403, 404, 503),
)
def delete_hook(here: Here, credential: HooksWriter, hook_id: HookPath) -> None:
    """Within seconds trackers answer its mailer 404. What it told before stays."""
    query = delete(hook).where(
        hook.c.workspace_id == credential.workspace_id, hook.c.public_id == hook_id
    )
    with writing(here.engine).begin() as connection:
        shown = _show(_find(connection, credential.workspace_id, hook_id))
        connection.execute(query)
        _note(connection, credential, "hook.deleted", hook_id, here.clock(), before=shown)


def _sealed(given: dict[str, str]) -> bytes:
    return seal_secret(json.dumps(given).encode())


def _read(here: Here, workspace_id: int, public_id: str) -> HookOut:
    with here.engine.connect() as connection:
        return _show(_find(connection, workspace_id, public_id))


def _find(connection: Connection, workspace_id: int, public_id: str) -> Row[Any]:
    query = select(hook).where(hook.c.workspace_id == workspace_id, hook.c.public_id == public_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Problem(404, "not_found", "There is no webhook with this id in this workspace.")
    return row


def _note(
    connection: Connection,
    credential: Credential,
    what: str,
    public_id: str,
    now_ms: int,
    *,
    before: HookOut | None = None,
    after: HookOut | None = None,
) -> None:
    """Let the audit tell of a change, without what proves the mailer."""
    note(
        connection,
        credential.workspace_id,
        credential.who,
        what,
        public_id,
        now_ms,
        before=None if before is None else before.model_dump(),
        after=None if after is None else after.model_dump(),
    )


def _held(row: Row[Any]) -> HookConsentOut | None:
    if row.asserted_consent is None:
        return None
    since = rfc3339(row.asserted_ms)
    return HookConsentOut(
        text_version=row.asserted_consent, source=row.asserted_source, since=since
    )


def _show(row: Row[Any]) -> HookOut:
    told = json.loads(open_secret(row.secrets))
    return HookOut(
        id=row.public_id,
        esp=row.esp,
        url=row.url,
        complete=told.keys() >= set(PROOFS[row.esp]),
        asserted_consent=_held(row),
        mapping=row.mapping,
        created_at=rfc3339(row.created_ms),
    )
