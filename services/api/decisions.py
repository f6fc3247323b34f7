"""Who is who by decision: what people decided of two identities."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from sqlalchemy import Connection, Row, Select, and_, select

from services.api.audit import known_by, note
from services.api.auth import Credential
from services.api.context import Context, Here
from services.api.cursors import next_rows, row_place
from services.api.idempotency import Once, OnceOnly
from services.api.needs import IdentitiesWriter, PersonsReader
from services.api.people import meant_namespace, spelled
from services.api.person_view import IdentityOut
from services.api.problem import Problem, described
from services.api.said import Word
from services.api.wire import After, Body, Cursor, Limit, Out, rfc3339
from services.contract import event as envelope
from services.contract.decision import COOKIE, Decision
from services.contract.event import Identity
from services.contract.spelling import NAMESPACE_PATTERN
from services.contract.tables import (
    event,
    identity,
    identity_decision,
    identity_edge,
)
from services.contract.tables.unguessed import unguessed
from services.contract.vault import lookup_value, open_payload, shown_value
from services.runtime.database import writing

router = APIRouter(prefix="/v1/identities", tags=["persons"])

_REASON = Field(min_length=1, max_length=500, description="Why, for whoever asks later.")
_BY = Field(default=None, min_length=1, max_length=200, description="Who decided.")


class IdentityIn(Body):
    """One way to recognise somebody."""

    namespace: Annotated[str, Field(pattern=NAMESPACE_PATTERN, examples=["email"])]
    value: Annotated[str, Field(min_length=1, max_length=254, examples=["anna@example.org"])]


class DecisionIn(Body):
    """A decision about two identities."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "identities": [
                        {"namespace": "user_id", "value": "4711"},
                        {"namespace": "user_id", "value": "0815"},
                    ],
                    "decision": "same_person",
                    "reason": "Registered twice; she told us by telephone",
                    "by": "piet@example.org",
                }
            ]
        }
    )
    identities: Annotated[list[IdentityIn], Field(min_length=2, max_length=2)]
    decision: Decision = Field(
        description="`same_person`: whatever events tell. `two_people`: never one person, by no "
        "detour. `undecided`: takes back what was decided; events alone say it."
    )
    reason: Annotated[str, _REASON]
    by: Annotated[str | None, _BY] = None


class DecisionTaken(Out):
    """The decision is on disk; persons follow within seconds."""

    position: str = Field(description="For `after` of reads.")


class DecisionOut(Out):
    """Something that was decided."""

    id: str = Field(examples=["5f0c2d1e9b8a77665544332211009988"])
    identities: list[IdentityOut]
    decision: Decision
    stands: bool = Field(description="Nothing was decided of the two since.")
    reason: str
    by: str | None
    key: str
    at: str


class DecisionsOut(Out):
    """A page of decisions, newest first."""

    decisions: list[DecisionOut]
    next: str | None


@router.post(
    "/decisions",
    status_code=202,
    summary="Decide whether two identities are one person's",
    responses=described(400, 401, 403, 404, 409, 413, 503),
)
def post_decision(
    here: Here, credential: IdentitiesWriter, body: DecisionIn, once: OnceOnly
) -> DecisionTaken:
    """Of two known identities, or of one and a browser. Both must be known here."""
    one, other = (spelled(i.namespace, i.value) for i in body.identities)
    with here.engine.connect() as connection:
        for who in (one, other):
            id_of(connection, credential.workspace_id, who)
        about = known_by(connection, credential.workspace_id, one)
    word = Word(one, other, body.decision, body.reason, body.by, credential.name, once.name())
    return tell_once(here, credential, word, once, about)


@router.get(
    "/decisions",
    summary="What was decided of who is who",
    responses=described(400, 401, 403, 503),
)
def list_decisions(
    here: Here,
    credential: PersonsReader,
    cursor: Cursor = None,
    limit: Limit = 50,
    after: After = None,
) -> DecisionsOut:
    """With who and why, newest first; also what was taken back."""
    here.waiting.until_folded(credential.workspace_id, after)
    before = row_place(cursor, "decisions")
    query = decisions_query(credential.workspace_id).where(identity_decision.c.id < before)
    with here.engine.connect() as connection:
        rows = connection.execute(
            query.order_by(identity_decision.c.id.desc()).limit(limit + 1)
        ).all()
    return DecisionsOut(
        decisions=[show_decision(row) for row in rows[:limit]],
        next=next_rows(rows, limit, "decisions"),
    )


def tell(here: Context, workspace_id: int, words: Sequence[Word]) -> DecisionTaken:
    """Say decisions to the tracker.

    Raises:
        Problem: they are about no two identities that can be decided about, or the tracker is away.
    """
    for word in words:
        if word.one == word.other:
            raise Problem(400, "one_identity", "A decision is about two different identities.")
        if word.one.namespace == word.other.namespace == COOKIE:
            text = "Two browsers tell nothing of each other: tie each to somebody known."
            raise Problem(400, "two_browsers", text)
    position = here.door.decide(workspace_id, words)
    if position is None:
        raise Problem(400, "unusable_identity", "Nobody can be known by this identity.")
    return DecisionTaken(position=position)


def tell_once(
    here: Context, credential: Credential, word: Word, once: Once, about: str
) -> DecisionTaken:
    """Say a decision to the tracker, unless the same request did so before.

    Args:
        here: the surroundings.
        credential: whose doing it is.
        word: the decision.
        once: the request.
        about: the public id of whose identity the first one is.

    Raises:
        Problem: as :func:`tell`; 409, the Idempotency-Key came with another request.
    """
    workspace_id = credential.workspace_id
    with here.engine.connect() as connection:
        position = once.made_before(connection, workspace_id)
    if position is not None:
        return DecisionTaken(position=position)
    taken = tell(here, workspace_id, [word])
    with writing(here.engine).begin() as connection:
        # Told twice it is one event, whose position is the same.
        if once.made(connection, workspace_id) is not None:
            return taken
        once.remember(connection, workspace_id, taken.position, here.clock())
        what, after = "identity.decided", {"decision": word.decision}
        note(connection, workspace_id, credential.who, what, about, here.clock(), after=after)
    return taken


def id_of(connection: Connection, workspace_id: int, who: Identity) -> int:
    """The row id of an identity.

    Raises:
        Problem: 404, it is not known in this workspace.
    """
    query = select(identity.c.id).where(
        identity.c.workspace_id == unguessed(workspace_id),
        identity.c.namespace == who.namespace,
        identity.c.value == lookup_value(who),
    )
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        text = f"Nobody in this workspace is known by this {who.namespace}."
        raise Problem(404, "not_found", text + meant_namespace(who.namespace))
    return int(found)


ONE, OTHER = identity.alias("one"), identity.alias("other")
"""Of a pair, as :data:`PAIR` reads them."""
PAIR = (
    ONE.c.namespace.label("a_namespace"),
    ONE.c.value.label("a_value"),
    OTHER.c.namespace.label("b_namespace"),
    OTHER.c.value.label("b_value"),
)


def decisions_query(workspace_id: int) -> Select[Any]:
    """Decisions of a workspace, as :func:`show_decision` takes them."""
    row, edge = identity_decision.c, identity_edge.c
    return (
        select(
            identity_decision, event.c.payload, edge.decided_by, edge.decision.label("now"), *PAIR
        )
        .join(
            event, and_(event.c.workspace_id == row.workspace_id, event.c.event_id == row.event_id)
        )
        .join(ONE, ONE.c.id == row.a_id)
        .join(OTHER, OTHER.c.id == row.b_id)
        .outerjoin(
            identity_edge,
            and_(
                edge.workspace_id == row.workspace_id, edge.a_id == row.a_id, edge.b_id == row.b_id
            ),
        )
        .where(row.workspace_id == workspace_id)
    )


def show_decision(row: Row[Any]) -> DecisionOut:
    """A decision as an answer."""
    said = envelope.decode(open_payload(bytes(row.payload))).properties
    stands = row.decided_by is not None and bytes(row.decided_by) == bytes(row.event_id)
    return DecisionOut(
        id=bytes(row.event_id).hex(),
        identities=show_pair(row),
        decision=row.decision,
        stands=stands or (row.decision == "undecided" and row.now is None),
        reason=str(said.get("reason") or ""),
        by=said.get("by"),
        key=str(said.get("key") or ""),
        at=rfc3339(row.said_ms),
    )


def show_pair(row: Row[Any]) -> list[IdentityOut]:
    """The two identities of a row."""
    return [
        IdentityOut(namespace=row.a_namespace, value=shown_value(row.a_value)),
        IdentityOut(namespace=row.b_namespace, value=shown_value(row.b_value)),
    ]
