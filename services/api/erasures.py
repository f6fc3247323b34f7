"""People who ask to be forgotten."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field
from sqlalchemy import Connection, Row, select

from services.api.audit import NOBODY, note_told
from services.api.auth import Credential
from services.api.context import Context, Here
from services.api.decisions import IdentityIn
from services.api.needs import PersonsEraser
from services.api.people import find_person, spelled
from services.api.problem import Problem, described
from services.api.said import Farewell
from services.api.wire import After, Out, PersonPath, rfc3339, rfc3339_or_none
from services.contract.consent import Purpose
from services.contract.erasure import PROOFS_KEPT_MS, ErasureReason
from services.contract.event import Identity
from services.contract.ledger import Possessions, circles_of, possessions
from services.contract.tables import (
    erased_consent,
    erasure,
    identity,
    link_secret,
    person,
)
from services.contract.tables.unguessed import unguessed
from services.contract.vault import lookup_value
from services.contract.withdrawal import mark_of

router = APIRouter(prefix="/v1", tags=["consent"])

PROOFS_MAX = 1_000
"""Entries shown of one identity: the newest."""

_BY = Field(default=None, min_length=1, max_length=200, description="Who decided.")
_WHOLE = (
    "Where pages alone tied some of the person's identities: true erases all, false leaves these; "
    "left out, the answer is 409 `tied_by_pages`."
)


class ErasureIn(IdentityIn):
    """Whom to erase, by any identity."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"namespace": "email", "value": "anna@example.org", "by": "piet@example.org"}
            ]
        }
    )
    by: Annotated[str | None, _BY] = None
    whole: Annotated[bool | None, Field(description=_WHOLE)] = None


class ErasureTaken(Out):
    """The erasure is on disk; it is done within seconds."""

    person: str | None = Field(description="Null: nobody was known by it; nobody will be.")
    left: int = Field(description="Identities of the person that stay: pages alone tied them.")
    position: str = Field(description="For `after` of reads.")


class ProofOut(Out):
    """That something was agreed to, or refused, by whoever gives this identity."""

    purpose: Purpose
    granted: bool
    said_at: str
    answered: bool
    asserted: bool
    recorded_at: str


class ErasedOut(Out):
    """What is known of an identity that was erased."""

    erased_at: str | None = Field(description="Null: it never was.")
    reason: ErasureReason | None
    renewed_at: str | None = Field(description="When consent was given anew; null: it was not.")
    proofs: list[ProofOut] = Field(description="Of consent before the erasure, newest first.")
    proofs_until: str | None = Field(description="Then they are deleted.")


@router.delete(
    "/persons/{person_id}",
    status_code=202,
    summary="Erase a person",
    responses=described(307, 400, 401, 403, 404, 409, 503),
)
def delete_person(
    here: Here,
    credential: PersonsEraser,
    person_id: PersonPath,
    by: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    whole: Annotated[bool | None, Query(description=_WHOLE)] = None,
) -> ErasureTaken:
    """Events, identities, scores, and what was told of them: all goes, and does not come back.

    What arrives late only counts. Fresh consent begins anew, as somebody nobody knows.
    """
    with here.engine.connect() as connection:
        row = find_person(connection, credential.workspace_id, person_id)
        held = possessions(connection, credential.workspace_id, row.id)
        if not held.identities:
            raise Problem(404, "not_found", "Nothing is known of this person any more.")
        reached = _reached(connection, row, held, None, whole=whole)
    return _tell(here, credential, str(row.public_id), held, reached, by)


@router.post(
    "/erasures",
    status_code=202,
    summary="Erase whoever is known by an identity",
    responses=described(400, 401, 403, 409, 413, 503),
)
def post_erasure(here: Here, credential: PersonsEraser, body: ErasureIn) -> ErasureTaken:
    """The whole person. Where nobody is known by it, nobody will be by what is on its way."""
    who = spelled(body.namespace, body.value)
    with here.engine.connect() as connection:
        known = _known(connection, credential.workspace_id, who)
        held = reached = Possessions((who,), ())
        if known is not None:
            theirs = possessions(connection, credential.workspace_id, known.id)
            is_shared = any(span.identity == who for span in theirs.spans)
            named = dict.fromkeys((*theirs.identities, *(() if is_shared else (who,))))
            held = Possessions(tuple(named), theirs.spans)
            reached = _reached(connection, known, held, who, whole=body.whole)
    public_id = None if known is None else str(known.public_id)
    return _tell(here, credential, public_id, held, reached, body.by)


@router.get(
    "/erasures/lookup",
    summary="Whether an identity was erased, and what is kept as proof",
    responses=described(400, 401, 403, 503),
)
def lookup_erasure(
    here: Here,
    credential: PersonsEraser,
    namespace: Annotated[str, Query(min_length=1, max_length=64, examples=["email"])],
    value: Annotated[str, Query(min_length=1, max_length=254, examples=["anna@example.org"])],
    after: After = None,
) -> ErasedOut:
    """For whoever comes with an address. Without it nobody can be found here."""
    here.waiting.until_folded(credential.workspace_id, after)
    row, proof = erasure.c, erased_consent.c
    with here.engine.connect() as connection:
        secret = select(link_secret.c.secret).where(
            link_secret.c.workspace_id == credential.workspace_id
        )
        key = connection.execute(secret.order_by(link_secret.c.number).limit(1)).scalar_one()
        mark = int.from_bytes(mark_of(spelled(namespace, value), bytes(key)), signed=True)
        found = connection.execute(
            select(row.erased_ms, row.reason, row.lifted_ms)
            .where(row.workspace_id == credential.workspace_id, row.mark == mark)
            .order_by(row.erased_ms.desc(), row.to_ms.desc())
            .limit(1)
        ).one_or_none()
        proofs = connection.execute(
            select(erased_consent)
            .where(proof.workspace_id == credential.workspace_id, proof.mark == mark)
            .order_by(proof.said_ms.desc(), proof.id.desc())
            .limit(PROOFS_MAX)
        ).all()
    until_ms = found.erased_ms + PROOFS_KEPT_MS if found and proofs else None
    return ErasedOut(
        proofs_until=rfc3339_or_none(until_ms),
        erased_at=rfc3339_or_none(found.erased_ms if found else None),
        reason=found.reason if found else None,
        renewed_at=rfc3339_or_none(found.lifted_ms if found else None),
        proofs=[
            ProofOut(
                purpose=one.purpose,
                granted=one.granted,
                said_at=rfc3339(one.said_ms),
                answered=one.answered,
                asserted=one.asserted,
                recorded_at=rfc3339(one.recorded_ms),
            )
            for one in proofs
        ],
    )


def _tell(
    here: Context,
    credential: Credential,
    person_id: str | None,
    held: Possessions,
    reached: Possessions,
    by: str | None,
) -> ErasureTaken:
    farewell = Farewell(reached.identities, reached.spans, by, credential.name)
    position = here.door.erase(credential.workspace_id, farewell)
    if position is None:
        raise Problem(400, "unusable_identity", "Nobody can be known by this identity.")
    left = len(held.all - reached.all)
    # Who decided it is somebody of the employer's, and stands nowhere else once the person is gone.
    after = {"left": left, "decided_by": by}
    # Until it is folded the same may be asked again: who asked stands here, not that it is done.
    note_told(here, credential, "erasure.asked", person_id or NOBODY, after=after)
    return ErasureTaken(person=person_id, left=left, position=position)


def _reached(
    connection: Connection,
    row: Row[Any],
    held: Possessions,
    who: Identity | None,
    *,
    whole: bool | None,
) -> Possessions:
    """What of a person's possessions is to be erased.

    Args:
        connection: to the database.
        row: of the person.
        held: all that is theirs.
        who: the identity that was given; None: the person's surest one.
        whole: whether to erase all; None: only if that is surely one human being's.

    Raises:
        Problem: 409, pages alone tied some of it.
    """
    of = circles_of(connection, row.workspace_id, lambda column: column == row.id)
    if whole or row.id not in of:
        return held
    circles, _ = of[row.id]
    surely = held.surely_of(who if who in circles.of else circles.core, circles)
    left = held.all - surely.all
    if left and whole is None:
        names = ", ".join(sorted({one.namespace for one in left}))
        text = (
            f"Pages alone tied {len(left)} of this person's identities ({names}) to what you gave, "
            f"so they may be somebody else's. See /v1/persons/{row.public_id}/identities, and say "
            "whole=true to erase all, or whole=false to leave these."
        )
        raise Problem(409, "tied_by_pages", text)
    return surely


def _known(connection: Connection, workspace_id: int, who: Identity) -> Row[Any] | None:
    """The row of who is known by an identity now."""
    query = (
        select(person)
        .join(identity, person.c.id == identity.c.person_id)
        .where(
            identity.c.workspace_id == unguessed(workspace_id),
            identity.c.namespace == who.namespace,
            identity.c.value == lookup_value(who),
        )
    )
    return connection.execute(query).one_or_none()
