"""Workspaces: made by the command line, shown by the API."""

import secrets
from dataclasses import dataclass
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy import Connection, Engine, insert, select, update

from services.api.audit import COMMAND_LINE, note
from services.api.auth import Credential
from services.api.conditional import TAGGED, IfMatch, must_match, tag_of, tell_tag
from services.api.context import Here
from services.api.key_store import add_key
from services.api.link_secrets import add_secret
from services.api.needs import WorkspaceReader, WorkspaceWriter
from services.api.one_at_a_time import one_at_a_time
from services.api.problem import Problem, described
from services.api.wire import Body, Moment, Out, rfc3339, rfc3339_or_none
from services.contract.keys import KeyKind
from services.contract.roles import SCOPES
from services.contract.tables import api_key, workspace
from services.runtime.database import writing

NAME_LENGTH_MAX = 200

router = APIRouter(prefix="/v1", tags=["workspace"])


@dataclass(frozen=True)
class NewWorkspace:
    """A fresh workspace with its keys, which are shown once and kept only as digests."""

    workspace: str
    write_key: str
    server_key: str
    api_key: str


@dataclass(frozen=True)
class Declaration:
    """A sender's word that it holds the consent of those it sends events of, with its proof."""

    text_version: str
    """The words that people agreed to."""
    source: str
    """Where that is asked, and kept."""
    since_ms: int
    """Since when."""


def create_workspace(
    engine: Engine, name: str, time_zone: str, asserted: Declaration | None, now_ms: int
) -> NewWorkspace:
    """Make a workspace with one key of each kind and a link secret.

    Args:
        engine: the migrated database.
        name: the employer's name.
        time_zone: an IANA name, as ``Europe/Amsterdam``.
        asserted: of whoever holds the server key; None: calls that say nothing of consent
            follow nobody.
        now_ms: the time.

    Raises:
        ValueError: the name is empty or too long, there is no such time zone, or the
            declaration lacks its text or its source.
    """
    if not name.strip() or len(name) > NAME_LENGTH_MAX or "\x00" in name:
        raise ValueError(f"a workspace's name has 1 to {NAME_LENGTH_MAX} characters")
    if asserted is not None and not all(
        text.strip() and len(text) <= NAME_LENGTH_MAX and "\x00" not in text
        for text in (asserted.text_version, asserted.source)
    ):
        raise ValueError("asserted consent needs its text and its source, each of 1 to 200 letters")
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
        for kind in get_args(KeyKind):
            declared = asserted if kind == "server" else None
            scopes = frozenset(SCOPES if kind == "api" else ())
            _, keys[kind] = add_key(
                connection,
                workspace_id,
                kind,
                f"{kind} key",
                scopes,
                COMMAND_LINE,
                now_ms,
                _declaration_row(declared),
            )
        add_secret(connection, workspace_id, now_ms)
    return NewWorkspace(public_id, keys["write"], keys["server"], keys["api"])


class AssertedConsentIn(Body):
    """The declaration of whoever holds the server keys, with its proof."""

    text_version: str = Field(min_length=1, max_length=NAME_LENGTH_MAX)
    source: str = Field(min_length=1, max_length=NAME_LENGTH_MAX, description="Where it is asked.")
    since: Moment = Field(description="Since when it is asked by this text.")


class AssertedConsentOut(Out):
    """The declaration in force; the three are null where there is none."""

    text_version: str | None
    source: str | None
    since: str | None


class WorkspaceOut(Out):
    """A workspace."""

    id: str
    name: str
    time_zone: str
    created_at: str
    scopes: list[str]
    asserted_consent: AssertedConsentOut


@router.get(
    "/workspace",
    summary="The workspace of this key",
    responses={200: TAGGED, **described(400, 401, 403, 503)},
)
def get_workspace(here: Here, credential: WorkspaceReader, response: Response) -> WorkspaceOut:
    """Its name and time zone, what its server keys declare, and what this key may do.

    The `ETag` is of the declaration, the one thing in it that is edited.
    """
    query = select(workspace).where(workspace.c.id == credential.workspace_id)
    with here.engine.connect() as connection:
        row = connection.execute(query).one()
        declared = _declared(connection, credential.workspace_id)
    tell_tag(response, _tag(declared))
    return WorkspaceOut(
        id=row.public_id,
        name=row.name,
        time_zone=row.time_zone,
        created_at=rfc3339(row.created_ms),
        scopes=sorted(credential.scopes),
        asserted_consent=declared,
    )


@router.put(
    "/workspace/asserted-consent",
    summary="Declare that the senders behind the server keys hold consent",
    responses={200: TAGGED, **described(400, 401, 403, 412, 413, 503)},
)
def put_asserted_consent(
    here: Here,
    credential: WorkspaceWriter,
    body: AssertedConsentIn,
    response: Response,
    if_match: IfMatch = None,
) -> AssertedConsentOut:
    """Their calls that say nothing of consent then say yes to measuring and profiling."""
    if body.since > here.clock():
        raise Problem(400, "in_the_future", "It can be asked by this text since now at the latest.")
    declared = Declaration(body.text_version, body.source, body.since)
    with writing(here.engine).begin() as connection:
        after = _declare(connection, credential, declared, if_match, here.clock())
    tell_tag(response, _tag(after))
    return after


@router.delete(
    "/workspace/asserted-consent",
    summary="Take the declaration back",
    responses={200: TAGGED, **described(400, 401, 403, 412, 503)},
)
def delete_asserted_consent(
    here: Here, credential: WorkspaceWriter, response: Response, if_match: IfMatch = None
) -> AssertedConsentOut:
    """From now on calls with server keys that say nothing of consent follow nobody."""
    with writing(here.engine).begin() as connection:
        after = _declare(connection, credential, None, if_match, here.clock())
    tell_tag(response, _tag(after))
    return after


def _declaration_row(asserted: Declaration | None) -> dict[str, Any]:
    return {
        "asserted_consent": asserted.text_version if asserted else None,
        "asserted_source": asserted.source if asserted else None,
        "asserted_ms": asserted.since_ms if asserted else None,
    }


def _tag(declared: AssertedConsentOut) -> str:
    return tag_of(*declared.model_dump().values())


def _declare(
    connection: Connection,
    credential: Credential,
    asserted: Declaration | None,
    if_match: str | None,
    now_ms: int,
) -> AssertedConsentOut:
    """What holds from now on."""
    row, workspace_id = api_key.c, credential.workspace_id
    one_at_a_time(connection, workspace_id)
    before = _declared(connection, workspace_id)
    must_match(if_match, _tag(before))
    connection.execute(
        update(api_key)
        .where(row.workspace_id == workspace_id, row.kind == "server")
        .values(_declaration_row(asserted))
    )
    after = _declared(connection, workspace_id)
    note(
        connection,
        workspace_id,
        credential.who,
        "asserted_consent.declared",
        "server keys",
        now_ms,
        before=before.model_dump(),
        after=after.model_dump(),
    )
    return after


def _declared(connection: Connection, workspace_id: int) -> AssertedConsentOut:
    row = api_key.c
    query = (
        select(row.asserted_consent, row.asserted_source, row.asserted_ms)
        .where(row.workspace_id == workspace_id, row.kind == "server", row.revoked_ms.is_(None))
        .order_by(row.id.desc())
        .limit(1)
    )
    found = connection.execute(query).one_or_none()
    text, source, since_ms = found or (None, None, None)
    return AssertedConsentOut(text_version=text, source=source, since=rfc3339_or_none(since_ms))
