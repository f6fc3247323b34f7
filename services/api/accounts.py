"""People who log in, over REST: listed, invited, given roles, ended."""

import re
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Path, Response
from pydantic import ConfigDict, Field
from sqlalchemy import Row

from services.api.account_store import (
    accounts_of,
    add_account,
    change_role,
    end_account,
    find_account,
    invite_again,
)
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
from services.api.needs import AccountsReader, AccountsWriter
from services.api.one_at_a_time import one_at_a_time
from services.api.problem import Problem, described
from services.api.wire import Body, Out, rfc3339, rfc3339_or_none
from services.contract.roles import SCOPES_OF, Role
from services.runtime.database import writing

router = APIRouter(prefix="/v1/accounts", tags=["access"])

AccountPath = Annotated[str, Path(min_length=1, max_length=64, examples=["acc_5f0c1b9a2d3e4f50"])]
EMAIL = re.compile(r"^[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}$")
_ROLE = Field(
    description="What they may see and do: "
    + "; ".join(f"`{role}`: {', '.join(sorted(SCOPES_OF[role]))}" for role in get_args(Role))
    + "."
)


class AccountCreate(Body):
    """Somebody who is invited."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "piet@example.org", "role": "recruiter"}]}
    )
    email: str = Field(min_length=3, max_length=254, pattern=EMAIL.pattern)
    role: Annotated[Role, _ROLE]


class AccountEdit(Body):
    """What changes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "reader"}]})
    role: Annotated[Role, _ROLE]


class AccountOut(Out):
    """Somebody who may log in."""

    id: str
    email: str
    role: Role
    has_password: bool = Field(description="False: the invitation was not followed yet.")
    invited_until: str | None = Field(description="Until when an invitation may be followed.")
    created_at: str
    used_at: str | None = Field(description="The last log-in.")


class AccountInvitedOut(AccountOut):
    """The same with the invitation."""

    invitation: str | None = Field(
        description="The link at which they set their password: give it to them alone. Shown "
        "this once; null where the same request made it before."
    )


class AccountsOut(Out):
    """All accounts, the oldest first."""

    accounts: list[AccountOut]


@router.get("", summary="People who log in", responses=described(400, 401, 403, 503))
def list_accounts(here: Here, credential: AccountsReader) -> AccountsOut:
    """All of the workspace, at most 200."""
    with here.engine.connect() as connection:
        rows = accounts_of(connection, credential.workspace_id)
    return AccountsOut(accounts=[_show(row) for row in rows])


@router.post(
    "",
    status_code=201,
    summary="Invite somebody",
    responses={201: TAGGED, **described(400, 401, 403, 409, 413, 503)},
)
def post_account(
    here: Here,
    credential: AccountsWriter,
    body: AccountCreate,
    once: OnceOnly,
    response: Response,
) -> AccountInvitedOut:
    """No mail is sent: the answer has the link. It is good for a week."""
    may_give(credential.scopes, body.role)
    workspace_id, token = credential.workspace_id, None
    with writing(here.engine).begin() as connection:
        made = once.made(connection, workspace_id)
        if made is None:
            made, token = add_account(
                connection, workspace_id, body.email, body.role, credential.who, here.clock()
            )
            once.remember(connection, workspace_id, made, here.clock())
        row = find_account(connection, workspace_id, made)
    tell_tag(response, _tag(row))
    return AccountInvitedOut(**_show(row).model_dump(), invitation=_link(token))


@router.get(
    "/{account_id}",
    summary="Somebody who logs in",
    responses={200: TAGGED, **described(400, 401, 403, 404, 503)},
)
def get_account(
    here: Here, credential: AccountsReader, account_id: AccountPath, response: Response
) -> AccountOut:
    """Their role, and when they were last here."""
    with here.engine.connect() as connection:
        row = find_account(connection, credential.workspace_id, account_id)
    tell_tag(response, _tag(row))
    return _show(row)


@router.patch(
    "/{account_id}",
    summary="Give somebody another role",
    responses={200: TAGGED, **described(400, 401, 403, 404, 409, 412, 413, 428, 503)},
)
def patch_account(
    here: Here,
    credential: AccountsWriter,
    account_id: AccountPath,
    body: AccountEdit,
    response: Response,
    if_match: IfMatch = None,
) -> AccountOut:
    """Needs the `ETag` of what you saw as `If-Match`. Their sessions end at once."""
    with writing(here.engine).begin() as connection:
        one_at_a_time(connection, credential.workspace_id)
        old = find_account(connection, credential.workspace_id, account_id)
        must_match(must_be_given(if_match), _tag(old))
        may_give(credential.scopes, body.role)
        may_give(credential.scopes, old.role)
        change_role(connection, old, body.role, credential.who, here.clock())
        row = find_account(connection, credential.workspace_id, account_id)
    tell_tag(response, _tag(row))
    return _show(row)


@router.delete(
    "/{account_id}",
    status_code=204,
    summary="End somebody's access",
    responses=described(400, 401, 403, 404, 409, 412, 503),
)
def delete_account(
    here: Here, credential: AccountsWriter, account_id: AccountPath, if_match: IfMatch = None
) -> None:
    """Their sessions end at once. The audit keeps what they did."""
    with writing(here.engine).begin() as connection:
        one_at_a_time(connection, credential.workspace_id)
        row = find_account(connection, credential.workspace_id, account_id)
        must_match(if_match, _tag(row))
        may_give(credential.scopes, row.role)
        end_account(connection, row, credential.who, here.clock())


@router.post(
    "/{account_id}/invitation",
    status_code=201,
    summary="Invite somebody again",
    responses={201: TAGGED, **described(400, 401, 403, 404, 409, 503)},
)
def post_invitation(
    here: Here,
    credential: AccountsWriter,
    account_id: AccountPath,
    once: OnceOnly,
    response: Response,
) -> AccountInvitedOut:
    """For who lost the link, or their password, which stays good until the link is followed."""
    workspace_id, token = credential.workspace_id, None
    with writing(here.engine).begin() as connection:
        row = find_account(connection, workspace_id, account_id)
        may_give(credential.scopes, row.role)
        if once.made(connection, workspace_id) is None:
            token = invite_again(connection, row, credential.who, here.clock())
            once.remember(connection, workspace_id, account_id, here.clock())
        row = find_account(connection, workspace_id, account_id)
    tell_tag(response, _tag(row))
    return AccountInvitedOut(**_show(row).model_dump(), invitation=_link(token))


def may_give(scopes: frozenset[str], role: Role) -> None:
    """Nobody gives another, or decides about, a role that may do more than they.

    Raises:
        Problem: 403.
    """
    beyond = sorted(SCOPES_OF[role] - scopes)
    if beyond:
        text = f"The role {role} may do more than you: {', '.join(beyond)}."
        raise Problem(403, "beyond_own_scopes", text)


def _link(token: str | None) -> str | None:
    """Where the invitation is followed; what stands behind # no log sees."""
    return None if token is None else f"/invitation#{token}"


def _tag(row: Row[Any]) -> str:
    return tag_of(row.public_id, row.role)


def _show(row: Row[Any]) -> AccountOut:
    return AccountOut(
        id=row.public_id,
        email=row.email,
        role=row.role,
        has_password=row.password is not None,
        invited_until=rfc3339_or_none(row.invited_until_ms),
        created_at=rfc3339(row.created_ms),
        used_at=rfc3339_or_none(row.used_ms),
    )
