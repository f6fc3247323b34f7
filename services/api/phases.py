"""A person's phases and latency states through time, those to come included."""

from functools import cache
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import BigInteger, Connection, Row, Select, bindparam, select

from services.api.opening import AskedPersonAt
from services.api.people import believed, held
from services.api.problem import described
from services.api.segment_store import in_force
from services.api.wire import Out, rfc3339, rfc3339_or_none
from services.contract.phases import LatencyState, Phase
from services.contract.tables import interval, segment, segment_version
from services.contract.tables.unguessed import unguessed, workspace_asked

router = APIRouter(prefix="/v1/persons", tags=["persons"])

STRETCHES_MAX = 1000
"""Of one kind in one answer, the newest."""


class StretchOut(Out):
    """A stretch of time in which something holds."""

    since: str
    until: str | None
    because: Literal["event", "silence"]
    event: str | None


class PhaseStretchOut(StretchOut):
    """A stretch in a phase."""

    phase: Phase


class StateStretchOut(StretchOut):
    """A stretch in a latency state."""

    latency_state: LatencyState


class PhasesOut(Out):
    """Oldest first; stretches that begin later than now are what comes if nothing happens."""

    phases: list[PhaseStretchOut]
    latency_states: list[StateStretchOut] = Field(
        description="When the estimate passed from state to state, as recorded and told in the "
        "change feed. It stays, unless something is learned of the past. When the person "
        "entered the state themselves, in expectation, is `latency_since` of the person: another "
        "moment, earlier or later, which moves."
    )


class MembershipOut(Out):
    """A segment that the person is in."""

    segment: str
    name: str
    since: str
    until: str | None


class MembershipsOut(Out):
    """The segments of a person at a moment."""

    as_of: str
    known_at: str | None
    segments: list[MembershipOut]


@router.get(
    "/{person_id}/phases",
    summary="A person's phases, past and ahead",
    responses=described(307, 400, 401, 403, 404, 503),
)
def get_phases(asked: AskedPersonAt) -> PhasesOut:
    """The whole history, or what holds `as_of`; as known now, or as believed at `known_at`."""
    with asked.opened() as (connection, row):
        phases, states = (
            stretches(connection, row, kind, asked.known_at_ms, asked.as_of_ms)
            for kind in ("phase", "latency")
        )
    return PhasesOut(
        phases=[PhaseStretchOut(phase=r.key, **_stretch(r)) for r in phases],
        latency_states=[StateStretchOut(latency_state=r.key, **_stretch(r)) for r in states],
    )


@router.get(
    "/{person_id}/segments",
    summary="The segments a person is in",
    responses=described(307, 400, 401, 403, 404, 503),
)
def get_memberships(asked: AskedPersonAt) -> MembershipsOut:
    """At any moment: past, now, or ahead if nothing more happens."""
    with asked.opened() as (connection, row):
        names = _names(connection, asked.workspace_id, asked.known_at_ms)
        told = {"workspace": asked.workspace_id, "person": row.id}
        told |= {"as_of": asked.at_ms, "known_at": asked.known_at_ms}
        rows = connection.execute(_memberships(now=asked.known_at_ms is None), told).all()
    return MembershipsOut(
        as_of=rfc3339(asked.at_ms),
        known_at=rfc3339_or_none(asked.known_at_ms),
        segments=[
            MembershipOut(
                segment=names[r.key].key,
                name=names[r.key].name,
                since=rfc3339(r.valid_from_ms),
                until=rfc3339_or_none(r.valid_to_ms),
            )
            for r in rows
            if r.key in names
        ],
    )


def _names(
    connection: Connection, workspace_id: int, known_at_ms: int | None
) -> dict[str, Row[Any]]:
    """By interval key, the segments whose version answers."""
    versions: dict[int, list[Row[Any]]] = {}
    for row in connection.execute(_VERSIONS, {"workspace": workspace_id}):
        versions.setdefault(row.segment_id, []).append(row)
    answering = (in_force(rows, known_at_ms) for rows in versions.values())
    return {str(row.id): row for row in answering if row is not None}


# Made once: to put a statement together takes longer than the database needs to answer it.
@cache
def _memberships(*, now: bool) -> Select[Any]:
    """A person's segments at a moment, as known now or as once believed."""
    row = interval.c
    known_at = None if now else bindparam("known_at", type_=BigInteger)
    return (
        select(row.key, row.valid_from_ms, row.valid_to_ms)
        .where(
            row.workspace_id == workspace_asked(),
            row.person_id == bindparam("person"),
            row.kind == "segment",
            held(bindparam("as_of", type_=BigInteger), known_at),
        )
        .order_by(row.valid_from_ms, row.id)
    )


# Without their rules, which are most of them.
_VERSIONS: Select[Any] = (
    select(
        segment_version.c.id,
        segment_version.c.segment_id,
        segment_version.c.status,
        segment_version.c.live_ms,
        segment.c.key,
        segment.c.name,
    )
    .join(segment, segment.c.id == segment_version.c.segment_id)
    .where(segment.c.workspace_id == bindparam("workspace"), segment.c.deleted_ms.is_(None))
)


def stretches(
    connection: Connection,
    row: Row[Any],
    kind: str,
    known_at_ms: int | None,
    as_of_ms: int | None = None,
) -> list[Row[Any]]:
    """A person's intervals of a kind, oldest first; with a moment, the one that holds then."""
    query = (
        select(interval)
        .where(
            interval.c.workspace_id == unguessed(row.workspace_id),
            interval.c.person_id == row.id,
            interval.c.kind == kind,
            believed(known_at_ms) if as_of_ms is None else held(as_of_ms, known_at_ms),
        )
        .order_by(interval.c.valid_from_ms.desc())
        .limit(STRETCHES_MAX)
    )
    return list(reversed(connection.execute(query).all()))


def _stretch(row: Row[Any]) -> dict[str, Any]:
    return {
        "since": rfc3339(row.valid_from_ms),
        "until": rfc3339_or_none(row.valid_to_ms),
        "because": "silence" if row.event_id is None else "event",
        "event": None if row.event_id is None else row.event_id.hex(),
    }
