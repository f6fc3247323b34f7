"""A person's identities: since when and by what they are tied; tie one more, or take one off."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select

from services.api.audit import note_told
from services.api.context import Here
from services.api.decisions import (
    DecisionOut,
    DecisionTaken,
    IdentityIn,
    decisions_query,
    id_of,
    show_decision,
    tell,
    tell_once,
)
from services.api.idempotency import OnceOnly
from services.api.needs import IdentitiesWriter
from services.api.opening import AskedPerson
from services.api.people import find_person, identities_of, spelled
from services.api.person_view import IdentityOut
from services.api.problem import Problem, described
from services.api.said import Word
from services.api.wire import Out, PersonPath, rfc3339, rfc3339_or_none
from services.contract.decision import COOKIE, Decision
from services.contract.event import Identity, primary
from services.contract.tables import (
    identity,
    identity_decision,
    identity_edge,
    identity_link,
    person,
)
from services.contract.tables.unguessed import unguessed
from services.contract.vault import shown_value
from services.model.identity import BROWSER_AFTER_MS, UNTOLD_MS

router = APIRouter(prefix="/v1/persons", tags=["persons"])

SHOWN_MAX = 1_000
"""Links and ties in one answer, the newest; and ties that are taken off at once."""


class OwnedOut(IdentityOut):
    """An identity that is or was a person's."""

    person: str = Field(description="Whose it was: this person, or one that was merged into it.")
    since: str | None = Field(description="Events from then on are this person's; null: all.")
    until: str | None
    event: str | None = Field(description="The event that made it so; null: the identity itself.")
    known_from: str
    known_to: str | None = Field(description="Until when we believed so; null: we do.")


class TieOut(Out):
    """What ties two identities of a person."""

    identities: list[IdentityOut]
    told_by: Literal["server", "browser"] | None = Field(
        description="Who named both first; null: no event did."
    )
    told_at: str | None
    event: str | None
    decision: Decision | None = Field(description="What was decided of the two last.")


class PersonsIdentitiesOut(Out):
    """By what a person is known, why, and how that came about."""

    person: str
    identities: list[OwnedOut]
    ties: list[TieOut]
    history: list[OwnedOut] = Field(description="Links that are no longer believed, newest first.")
    decisions: list[DecisionOut] = Field(description="About any of the identities, newest first.")


class LinkIn(IdentityIn):
    """An identity that is this person's too."""

    reason: Annotated[str, Field(min_length=1, max_length=500, examples=["told us by telephone"])]
    by: Annotated[str | None, Field(min_length=1, max_length=200)] = None


@router.get(
    "/{person_id}/identities",
    summary="By what a person is known, since when, and why",
    responses=described(307, 400, 401, 403, 404, 503),
)
def get_identities(asked: AskedPerson) -> PersonsIdentitiesOut:
    """As known now, or as it was believed at `known_at`; of merged persons the past is here."""
    with asked.opened() as (connection, row):
        now = _links(connection, row, asked.known_at_ms)
        ids = {link.identity_id for link in now}
        return PersonsIdentitiesOut(
            person=row.public_id,
            identities=[_show_link(link) for link in now],
            ties=[_show_tie(tie) for tie in _ties(connection, row.workspace_id, ids)],
            history=[_show_link(link) for link in _past(connection, row)],
            decisions=_decisions(connection, row.workspace_id, ids),
        )


@router.post(
    "/{person_id}/identities",
    status_code=202,
    summary="Decide that an identity is this person's",
    responses=described(307, 400, 401, 403, 404, 409, 413, 503),
)
def post_identity(
    here: Here,
    credential: IdentitiesWriter,
    person_id: PersonPath,
    body: LinkIn,
    once: OnceOnly,
) -> DecisionTaken:
    """With all that hangs on it: the two persons become one. It need not be known yet."""
    who = spelled(body.namespace, body.value)
    with here.engine.connect() as connection:
        row = find_person(connection, credential.workspace_id, person_id)
        known = identities_of(connection, credential.workspace_id, [row.id])[row.id]
    others = [one for one in known if one != who]
    if not others:
        raise Problem(409, "nothing_to_tie", "The person is known by nothing else.")
    surest = primary(tuple(others))
    by = credential.name
    word = Word(surest, who, "same_person", body.reason, body.by, by, once.name())
    return tell_once(here, credential, word, once, str(row.public_id))


@router.delete(
    "/{person_id}/identities",
    status_code=202,
    summary="Decide that an identity is not this person's",
    responses=described(307, 400, 401, 403, 404, 409, 503),
)
def delete_identity(
    here: Here,
    credential: IdentitiesWriter,
    person_id: PersonPath,
    namespace: Annotated[str, Query(min_length=1, max_length=64, examples=["email"])],
    value: Annotated[str, Query(min_length=1, max_length=254, examples=["anna@example.org"])],
    reason: Annotated[str, Query(min_length=1, max_length=500)],
    by: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
) -> DecisionTaken:
    """A link that was only decided is taken back; from what events tied it to, it is kept apart.

    Persons and scores are then exactly as if the two had never been linked.
    """
    who = spelled(namespace, value)
    with here.engine.connect() as connection:
        row = find_person(connection, credential.workspace_id, person_id)
        one = id_of(connection, credential.workspace_id, who)
        ids = {link.identity_id for link in _links(connection, row, None)}
        if one not in ids:
            raise Problem(404, "not_found", "It is none of this person's identities.")
        ties = _ties(connection, row.workspace_id, ids)
    key = credential.name
    words = [_parting(tie, who, reason, by, key) for tie in ties if _parts(tie, one)]
    if not words:
        text = "Nothing ties it to another identity of this person but browsers."
        raise Problem(409, "nothing_to_part", text)
    taken = tell(here, credential.workspace_id, words)
    after = {"decision": "two_people"}
    note_told(here, credential, "identity.decided", str(row.public_id), after=after)
    return taken


def _parts(tie: Row[Any], one: int) -> bool:
    """Whether a tie is to be taken off an identity: its browsers go with it."""
    ends = {tie.a_id: tie.a_namespace, tie.b_id: tie.b_namespace}
    if one not in ends or tie.decision == "two_people":
        return False
    return ends.pop(one) == COOKIE or COOKIE not in ends.values()


def _parting(tie: Row[Any], who: Identity, reason: str, by: str | None, key: str) -> Word:
    pair = [
        Identity(tie.a_namespace, shown_value(tie.a_value)),
        Identity(tie.b_namespace, shown_value(tie.b_value)),
    ]
    other = pair[1] if pair[0] == who else pair[0]
    decision: Decision = "undecided" if tie.told_ms == UNTOLD_MS else "two_people"
    return Word(who, other, decision, reason, by, key)


def _links(connection: Connection, row: Row[Any], known_at_ms: int | None) -> Sequence[Row[Any]]:
    query = _select_links(row.workspace_id).where(
        identity_link.c.person_id == row.id, _believed(known_at_ms)
    )
    order = identity_link.c.identity_id, identity_link.c.valid_from_ms, identity_link.c.id
    return connection.execute(query.order_by(*order).limit(SHOWN_MAX)).all()


def _believed(known_at_ms: int | None) -> ColumnElement[bool]:
    link = identity_link.c
    if known_at_ms is None:
        return link.known_to_ms.is_(None)
    return and_(
        link.known_from_ms <= known_at_ms,
        or_(link.known_to_ms.is_(None), link.known_to_ms > known_at_ms),
    )


def _past(connection: Connection, row: Row[Any]) -> Sequence[Row[Any]]:
    query = _select_links(row.workspace_id).where(
        or_(person.c.id == row.id, person.c.merged_into == row.id),
        identity_link.c.known_to_ms.is_not(None),
    )
    order = identity_link.c.known_to_ms.desc(), identity_link.c.id.desc()
    return connection.execute(query.order_by(*order).limit(SHOWN_MAX)).all()


def _select_links(workspace_id: int) -> Select[Any]:
    mine = unguessed(workspace_id)
    return (
        select(identity_link, identity.c.namespace, identity.c.value, person.c.public_id)
        .join(identity, identity.c.id == identity_link.c.identity_id)
        .join(person, person.c.id == identity_link.c.person_id)
        .where(identity_link.c.workspace_id == mine, person.c.workspace_id == mine)
    )


def _ties(connection: Connection, workspace_id: int, ids: Iterable[int]) -> Sequence[Row[Any]]:
    """Edges between two of these."""
    a, b, wanted = identity.alias("a"), identity.alias("b"), sorted(ids)
    query = (
        select(
            identity_edge,
            a.c.namespace.label("a_namespace"),
            a.c.value.label("a_value"),
            b.c.namespace.label("b_namespace"),
            b.c.value.label("b_value"),
        )
        .join(a, a.c.id == identity_edge.c.a_id)
        .join(b, b.c.id == identity_edge.c.b_id)
        .where(
            identity_edge.c.workspace_id == unguessed(workspace_id),
            identity_edge.c.a_id.in_(wanted),
            identity_edge.c.b_id.in_(wanted),
        )
        .order_by(identity_edge.c.a_id, identity_edge.c.b_id)
        .limit(SHOWN_MAX)
    )
    return connection.execute(query).all()


def _decisions(connection: Connection, workspace_id: int, ids: Iterable[int]) -> list[DecisionOut]:
    wanted, row = sorted(ids), identity_decision.c
    query = decisions_query(workspace_id).where(or_(row.a_id.in_(wanted), row.b_id.in_(wanted)))
    rows = connection.execute(query.order_by(row.id.desc()).limit(SHOWN_MAX)).all()
    return [show_decision(one) for one in rows]


def _show_link(row: Row[Any]) -> OwnedOut:
    return OwnedOut(
        namespace=row.namespace,
        value=shown_value(row.value),
        person=row.public_id,
        since=rfc3339_or_none(row.valid_from_ms),
        until=rfc3339_or_none(row.valid_to_ms),
        event=None if row.event_id is None else bytes(row.event_id).hex(),
        known_from=rfc3339(row.known_from_ms),
        known_to=rfc3339_or_none(row.known_to_ms),
    )


def _show_tie(row: Row[Any]) -> TieOut:
    told = row.told_ms < UNTOLD_MS
    by_browser = row.told_ms >= BROWSER_AFTER_MS
    at_ms = row.told_ms - BROWSER_AFTER_MS if by_browser else row.told_ms
    return TieOut(
        identities=[
            IdentityOut(namespace=row.a_namespace, value=shown_value(row.a_value)),
            IdentityOut(namespace=row.b_namespace, value=shown_value(row.b_value)),
        ],
        told_by=None if not told else "browser" if by_browser else "server",
        told_at=rfc3339(at_ms) if told else None,
        event=bytes(row.event_id).hex() if told else None,
        decision=row.decision,
    )
