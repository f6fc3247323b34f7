"""People who ask to be forgotten, and how long anybody is kept of whom nothing is heard."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field
from sqlalchemy import Connection, select, update

from services.api.context import Context, Here
from services.api.decisions import IdentityIn, key_name
from services.api.door import Farewell
from services.api.needs import PersonsEraser, WorkspaceReader
from services.api.people import find_person, spelled
from services.api.problem import Problem, described
from services.api.wire import After, Body, Out, PersonPath, rfc3339, rfc3339_or_none
from services.contract.consent import Purpose
from services.contract.erasure import ErasureReason
from services.contract.event import Identity
from services.contract.ledger import Possessions, possessions
from services.contract.tables import (
    erased_consent,
    erasure,
    identity,
    link_secret,
    person,
    workspace,
)
from services.contract.vault import lookup_value
from services.contract.withdrawal import mark_of
from services.runtime.database import writing

router = APIRouter(prefix="/v1", tags=["consent"])

PROOFS_MAX = 1_000
"""Entries shown of one identity: the newest."""
MONTHS_MAX = 120

_BY = Field(default=None, min_length=1, max_length=200, description="Who decided.")


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


class ErasureTaken(Out):
    """The erasure is on disk; it is done within seconds."""

    person: str | None = Field(description="Null: nobody was known by it; nobody will be.")
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


class RetentionIn(Body):
    """How long people are kept."""

    months: Annotated[int, Field(ge=1, le=MONTHS_MAX, strict=True)] | None = Field(
        description="Without any event; null: for ever.", examples=[24]
    )


class RetentionOut(RetentionIn):
    """How long people are kept."""


@router.delete(
    "/persons/{person_id}",
    status_code=202,
    summary="Erase a person",
    responses=described(307, 400, 401, 403, 404, 503),
)
def delete_person(
    here: Here,
    credential: PersonsEraser,
    person_id: PersonPath,
    by: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
) -> ErasureTaken:
    """Events, identities, scores, and what was told of them: all goes, and does not come back.

    What arrives late only counts. Fresh consent begins anew, as somebody nobody knows.
    """
    with here.engine.connect() as connection:
        row = find_person(connection, credential.workspace_id, person_id)
        held = possessions(connection, credential.workspace_id, row.id)
    if not held.identities:
        raise Problem(404, "not_found", "Nothing is known of this person any more.")
    position = _tell(here, credential.workspace_id, held, by, credential.key_id)
    return ErasureTaken(person=row.public_id, position=position)


@router.post(
    "/erasures",
    status_code=202,
    summary="Erase whoever is known by an identity",
    responses=described(400, 401, 403, 413, 503),
)
def post_erasure(here: Here, credential: PersonsEraser, body: ErasureIn) -> ErasureTaken:
    """The whole person. Where nobody is known by it, nobody will be by what is on its way."""
    who = spelled(body.namespace, body.value)
    with here.engine.connect() as connection:
        person_id, public_id = _known(connection, credential.workspace_id, who) or (None, None)
        held = Possessions((who,), ())
        if person_id is not None:
            theirs = possessions(connection, credential.workspace_id, person_id)
            is_shared = any(span.identity == who for span in theirs.spans)
            named = dict.fromkeys((*theirs.identities, *(() if is_shared else (who,))))
            held = Possessions(tuple(named), theirs.spans)
    position = _tell(here, credential.workspace_id, held, body.by, credential.key_id)
    return ErasureTaken(person=public_id, position=position)


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
    return ErasedOut(
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


@router.get(
    "/workspace/retention",
    summary="How long people are kept of whom nothing is heard",
    responses=described(400, 401, 403, 503),
)
def get_retention(here: Here, credential: WorkspaceReader) -> RetentionOut:
    """Counted from a person's last event; then they are erased, reason `retention`."""
    query = select(workspace.c.retention_months).where(workspace.c.id == credential.workspace_id)
    with here.engine.connect() as connection:
        return RetentionOut(months=connection.execute(query).scalar_one())


@router.put(
    "/workspace/retention",
    summary="Set how long people are kept of whom nothing is heard",
    responses=described(400, 401, 403, 413, 503),
)
def put_retention(here: Here, credential: PersonsEraser, body: RetentionIn) -> RetentionOut:
    """A shorter time erases people within the hour, and they do not come back."""
    with writing(here.engine).begin() as connection:
        connection.execute(
            update(workspace)
            .where(workspace.c.id == credential.workspace_id)
            .values(retention_months=body.months)
        )
    return RetentionOut(months=body.months)


def _tell(here: Context, workspace_id: int, held: Possessions, by: str | None, key_id: int) -> str:
    farewell = Farewell(held.identities, held.spans, by, key_name(key_id))
    position = here.door.erase(workspace_id, farewell)
    if position is None:
        raise Problem(400, "unusable_identity", "Nobody can be known by this identity.")
    return position


def _known(connection: Connection, workspace_id: int, who: Identity) -> tuple[int, str] | None:
    """The id, inside and public, of who is known by an identity now."""
    query = (
        select(identity.c.person_id, person.c.public_id)
        .join(person, person.c.id == identity.c.person_id)
        .where(
            identity.c.workspace_id == workspace_id,
            identity.c.namespace == who.namespace,
            identity.c.value == lookup_value(who),
        )
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.person_id, row.public_id)
