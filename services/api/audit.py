"""The audit: who changed what of rules, keys, people and settings, and what it was before.

Whose page was opened in the dashboard stands there too, as ``look.…``: who looked.

Rows are only ever added, in the transaction of the change that they tell of; of what changes a
person, which is an event, right after it is on disk and before it is answered. Of people there
stands the public id, which leads nowhere once they are erased, and nothing that they said or are
known by.
"""

from collections.abc import Collection
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field
from sqlalchemy import ColumnElement, Connection, Row, insert, or_, select

from services.api.auth import Credential
from services.api.context import Context, Here
from services.api.cursors import next_rows, row_place
from services.api.named import names_of
from services.api.needs import AuditReader
from services.api.people import person_of_identity
from services.api.problem import Problem, described
from services.api.wire import Cursor, Limit, Out, rfc3339
from services.contract.event import Identity
from services.contract.tables import audit
from services.runtime.database import writing

router = APIRouter(prefix="/v1", tags=["access"])

COMMAND_LINE = "command line"
"""Who changed what the command line changed."""
NOBODY = "nobody known"
"""Whom it is about, where nobody was known by the identity that was given."""


def note(
    connection: Connection,
    workspace_id: int,
    who: str,
    what: str,
    about: str,
    now_ms: int,
    *,
    before: Any = None,
    after: Any = None,
) -> None:
    """Write down a change, within its own transaction.

    Args:
        connection: the transaction of the change.
        workspace_id: whose.
        who: a credential's ``who``, or :data:`COMMAND_LINE`.
        what: noun and verb, as ``segment.edited``.
        about: the public id or key of what was changed.
        now_ms: the time.
        before: JSON of what it was; never a secret. None: it was not there.
        after: the same of what it is now; None: it is no more.
    """
    row = {
        "workspace_id": workspace_id,
        "at_ms": now_ms,
        "who": who,
        "what": what,
        "about": about,
        "before": before,
        "after": after,
    }
    connection.execute(insert(audit).values(row))


def note_told(
    here: Context, credential: Credential, what: str, about: str, *, after: Any = None
) -> None:
    """Write down what was just told of somebody through the tracker's door.

    Where this fails the caller hears 503, and says the same again, which changes nobody twice.

    Args:
        here: the surroundings.
        credential: whose doing it was.
        what: noun and verb, as ``erasure.asked``.
        about: a public id, :data:`NOBODY`, or a segment's key.
        after: JSON of what was told, without reasons, names or values.
    """
    with writing(here.engine).begin() as connection:
        now_ms = here.clock()
        workspace_id, who = credential.workspace_id, credential.who
        note(connection, workspace_id, who, what, about, now_ms, after=after)


def known_by(connection: Connection, workspace_id: int, who: Identity) -> str:
    """The public id of whoever is known by an identity, or :data:`NOBODY`."""
    try:
        row = person_of_identity(connection, workspace_id, who.namespace, who.value)
    except Problem:
        return NOBODY
    return str(row.public_id)


class ChangeNoted(Out):
    """One change."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "at": "2026-11-22T09:30:00.000Z",
                    "who": "account acc_5f0c1b9a2d3e4f50",
                    "name": "piet@example.org",
                    "what": "account.changed",
                    "about": "acc_0b1c2d3e4f506172",
                    "before": {"role": "reader"},
                    "after": {"role": "recruiter"},
                }
            ]
        }
    )
    at: str
    who: str = Field(description="A key, an account, or the command line.")
    name: str = Field(description="What people call it now: a key's name, a mail address.")
    what: str = Field(description="What was changed, and how.")
    about: str = Field(description="The id or key of what was changed.")
    before: Any = Field(description="What it was; null: it was not there.")
    after: Any = Field(description="What it is now; null: it is no more.")


class AuditOut(Out):
    """A page of the audit, newest first."""

    audit: list[ChangeNoted]
    next: str | None


@router.get("/audit", summary="Who changed what", responses=described(400, 401, 403, 503))
def get_audit(
    here: Here,
    credential: AuditReader,
    about: Annotated[
        str | None, Query(max_length=100, description="Only of what has this id or key.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> AuditOut:
    """Rules, keys, people and settings; newest first. No secret ever stands in it.

    Whose page was opened in the dashboard, and by whom, is told as `look.person`, and as
    `look.known` where all that is known was downloaded.
    """
    below = row_place(cursor, "audit", about)
    with here.engine.connect() as connection:
        rows = audit_page(connection, credential.workspace_id, below, limit + 1, about)
        names = names_of(connection, credential.workspace_id, {row.who for row in rows})
    more = next_rows(rows, limit, "audit", about)
    return AuditOut(audit=[_show(row, names) for row in rows[:limit]], next=more)


def audit_page(
    connection: Connection,
    workspace_id: int,
    below: int,
    limit: int,
    about: str | None = None,
    *,
    who: str | None = None,
    nouns: Collection[str] = (),
    but: Collection[str] = (),
) -> list[Row[Any]]:
    """The newest rows below an id, the newest first.

    Args:
        connection: the database.
        workspace_id: whose.
        below: an id.
        limit: so many at most.
        about: only of what has this id or key.
        who: only what they did, by a credential's ``who``.
        nouns: only of changes of these, as ``segment``; none: of all.
        but: not of these.
    """
    query = select(audit).where(audit.c.workspace_id == workspace_id, audit.c.id < below)
    if about is not None:
        query = query.where(audit.c.about == about)
    if who is not None:
        query = query.where(audit.c.who == who)
    if nouns:
        query = query.where(or_(*map(_is_of, nouns)))
    for noun in but:
        query = query.where(~_is_of(noun))
    return list(connection.execute(query.order_by(audit.c.id.desc()).limit(limit)).all())


def _is_of(noun: str) -> ColumnElement[bool]:
    return audit.c.what.startswith(f"{noun}.", autoescape=True)


def _show(row: Row[Any], names: dict[str, str]) -> ChangeNoted:
    return ChangeNoted(
        at=rfc3339(row.at_ms),
        who=row.who,
        name=names[row.who],
        what=row.what,
        about=row.about,
        before=row.before,
        after=row.after,
    )
