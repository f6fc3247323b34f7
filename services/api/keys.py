"""Keys over REST: listed, made, rotated without a gap, changed, ended."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import ConfigDict, Field, model_validator
from sqlalchemy import Connection, Row

from services.api.conditional import (
    TAGGED,
    IfMatch,
    must_be_given,
    must_match,
    tag_of,
    tell_tag,
)
from services.api.context import Here
from services.api.idempotency import OnceOnly
from services.api.key_store import add_key, change_key, end_key, find_key, keys_of, rotate_key
from services.api.named import names_of
from services.api.needs import KeysReader, KeysWriter
from services.api.one_at_a_time import one_at_a_time
from services.api.problem import Problem, described
from services.api.wire import Body, Out, rfc3339, rfc3339_or_none
from services.contract.keys import KeyKind
from services.contract.roles import SCOPES
from services.runtime.database import writing

router = APIRouter(prefix="/v1/keys", tags=["access"])

KeyPath = Annotated[str, Path(min_length=1, max_length=64, examples=["key_5f0c1b9a2d3e4f50"])]
Scope = Literal[*SCOPES]  # type: ignore[valid-type]
_NAME = Field(min_length=1, max_length=200, description="What people call it.")
_SCOPES_TEXT = "Of an api key: what it may do; no more than whoever makes it."


class KeyCreate(Body):
    """A new key."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "Power BI", "kind": "api", "scopes": ["segments:read", "changes:read"]}
            ]
        }
    )
    name: Annotated[str, _NAME]
    kind: KeyKind = Field(
        description="`write` for web pages, `server` for systems that send events, `api` for "
        "reading and managing."
    )
    scopes: list[Scope] = Field(
        default_factory=list, max_length=len(SCOPES), description=_SCOPES_TEXT
    )

    @model_validator(mode="after")
    def _scopes_of_api_keys(self) -> "KeyCreate":
        if (self.kind == "api") is not bool(self.scopes):
            raise ValueError("an api key has scopes, and no other key has any")
        return self


class KeyEdit(Body):
    """What changes; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Power BI, head office"}]})
    name: Annotated[str | None, _NAME] = None
    scopes: list[Scope] | None = Field(
        default=None, max_length=len(SCOPES), description=_SCOPES_TEXT
    )


class KeyOut(Out):
    """A key, without what proves it."""

    id: str
    name: str
    kind: KeyKind
    scopes: list[str]
    created_at: str
    created_by: str = Field(description="A key's name, a mail address, or the command line.")
    used_at: str | None = Field(
        description="When it last asked, to the minute. Only of api keys: trackers do not tell."
    )


class KeyMadeOut(KeyOut):
    """The same with the key itself."""

    key: str | None = Field(
        description="Shown this once, and kept nowhere. Null where the same request made it "
        "before: if the answer was lost, end this one and make another."
    )


class KeysOut(Out):
    """All keys in force, the oldest first."""

    keys: list[KeyOut]


@router.get("", summary="Keys", responses=described(400, 401, 403, 503))
def list_keys(here: Here, credential: KeysReader) -> KeysOut:
    """All of the workspace that are in force, at most 100."""
    with here.engine.connect() as connection:
        rows = keys_of(connection, credential.workspace_id)
        names = names_of(connection, credential.workspace_id, (row.created_by for row in rows))
    return KeysOut(keys=[_show(row, names) for row in rows])


@router.post(
    "",
    status_code=201,
    summary="Make a key",
    responses={201: TAGGED, **described(400, 401, 403, 409, 413, 503)},
)
def post_key(
    here: Here, credential: KeysWriter, body: KeyCreate, once: OnceOnly, response: Response
) -> KeyMadeOut:
    """The key is in the answer, once. Trackers know it within seconds."""
    may_give_scopes(credential.scopes, body.scopes)
    workspace_id, who, key = credential.workspace_id, credential.who, None
    with writing(here.engine).begin() as connection:
        made = once.made(connection, workspace_id)
        if made is None:
            scopes = frozenset(body.scopes)
            made, key = add_key(
                connection, workspace_id, body.kind, body.name, scopes, who, here.clock()
            )
            once.remember(connection, workspace_id, made, here.clock())
        row = find_key(connection, workspace_id, made)
        shown = _named(connection, row)
    tell_tag(response, _tag(row))
    return KeyMadeOut(**shown.model_dump(), key=key)


@router.get(
    "/{key_id}",
    summary="A key",
    responses={200: TAGGED, **described(400, 401, 403, 404, 503)},
)
def get_key(here: Here, credential: KeysReader, key_id: KeyPath, response: Response) -> KeyOut:
    """Without what proves it."""
    with here.engine.connect() as connection:
        row = find_key(connection, credential.workspace_id, key_id)
        shown = _named(connection, row)
    tell_tag(response, _tag(row))
    return shown


@router.post(
    "/{key_id}/rotate",
    status_code=201,
    summary="Rotate a key without a gap",
    responses={201: TAGGED, **described(400, 401, 403, 404, 409, 503)},
)
def post_rotation(
    here: Here, credential: KeysWriter, key_id: KeyPath, once: OnceOnly, response: Response
) -> KeyMadeOut:
    """A second key like this one. Both are good until you delete the old one.

    Of two keys like this, one message sent with each is still one message.
    """
    workspace_id, who, key = credential.workspace_id, credential.who, None
    with writing(here.engine).begin() as connection:
        made = once.made(connection, workspace_id)
        if made is None:
            old = find_key(connection, workspace_id, key_id)
            may_give_scopes(credential.scopes, old.scopes)
            made, key = rotate_key(connection, workspace_id, key_id, who, here.clock())
            once.remember(connection, workspace_id, made, here.clock())
        row = find_key(connection, workspace_id, made)
        shown = _named(connection, row)
    tell_tag(response, _tag(row))
    return KeyMadeOut(**shown.model_dump(), key=key)


@router.patch(
    "/{key_id}",
    summary="Change a key's name or scopes",
    responses={200: TAGGED, **described(400, 401, 403, 404, 412, 413, 428, 503)},
)
def patch_key(
    here: Here,
    credential: KeysWriter,
    key_id: KeyPath,
    body: KeyEdit,
    response: Response,
    if_match: IfMatch = None,
) -> KeyOut:
    """Needs the `ETag` of what you saw as `If-Match`. In force within two seconds."""
    with writing(here.engine).begin() as connection:
        one_at_a_time(connection, credential.workspace_id)
        old = find_key(connection, credential.workspace_id, key_id)
        must_match(must_be_given(if_match), _tag(old))
        scopes = old.scopes if body.scopes is None else sorted(set(body.scopes))
        if (old.kind == "api") is not bool(scopes):
            raise Problem(400, "invalid", "An api key has scopes, and no other key has any.")
        may_give_scopes(credential.scopes, [*scopes, *old.scopes])
        name = old.name if body.name is None else body.name
        change_key(connection, old, name, scopes, credential.who, here.clock())
        row = find_key(connection, credential.workspace_id, key_id)
        shown = _named(connection, row)
    here.keys.forget()
    tell_tag(response, _tag(row))
    return shown


@router.delete(
    "/{key_id}",
    status_code=204,
    summary="End a key",
    responses=described(400, 401, 403, 404, 412, 503),
)
def delete_key(
    here: Here, credential: KeysWriter, key_id: KeyPath, if_match: IfMatch = None
) -> None:
    """Nothing comes in with it any more, within seconds. Sessions opened with it end."""
    with writing(here.engine).begin() as connection:
        one_at_a_time(connection, credential.workspace_id)
        old = find_key(connection, credential.workspace_id, key_id)
        must_match(if_match, _tag(old))
        may_give_scopes(credential.scopes, old.scopes)
        end_key(connection, credential.workspace_id, key_id, credential.who, here.clock())
    here.keys.forget()


def may_give_scopes(own: frozenset[str], scopes: Iterable[str]) -> None:
    """Nobody gives, or takes hold of, more than they have.

    Raises:
        Problem: 403.
    """
    beyond = sorted(set(scopes) - own)
    if beyond:
        text = f"You do not have {', '.join(beyond)} yourself."
        raise Problem(403, "beyond_own_scopes", text)


def _tag(row: Row[Any]) -> str:
    return tag_of(row.public_id, row.name, row.scopes)


def _named(connection: Connection, row: Row[Any]) -> KeyOut:
    return _show(row, names_of(connection, row.workspace_id, [row.created_by]))


def _show(row: Row[Any], names: dict[str, str]) -> KeyOut:
    return KeyOut(
        id=row.public_id,
        name=row.name,
        kind=row.kind,
        scopes=row.scopes,
        created_at=rfc3339(row.created_ms),
        created_by=names[row.created_by],
        used_at=rfc3339_or_none(row.used_ms),
    )
