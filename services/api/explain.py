"""Why somebody stands where they stand, summing to the score."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field

from services.api.cursors import CursorMoment, bad_cursor, pack_cursor, unpack_cursor
from services.api.opening import AskedPerson
from services.api.problem import described
from services.api.record import history_of
from services.api.wire import Cursor, Moment, Out, rfc3339
from services.contract.phases import LatencyState
from services.model import words
from services.model.explain import CONTRIBUTIONS_MAX, Contribution, Explanation, explain
from services.model.summary import summary
from services.model.words import Audience, Language

router = APIRouter(prefix="/v1/persons", tags=["persons"])


class SumOut(Out):
    """In log-odds: `prior` and all contributions of the page add up to `score`."""

    prior: float
    score: float


class ContributionOut(Out):
    """What one event, or one stretch of silence, said."""

    kind: str = Field(examples=["vacancy_view"])
    since: str
    until: str
    event: str | None
    active: float = Field(description="Log-odds by which being active became likelier.")
    turning: float = Field(description="Likewise for being actively latent or active.")
    what: str = Field(examples=["looked at a vacancy: Mechanic"])
    strength: str = Field(examples=["a strong sign"])


class ExplanationOut(Out):
    """The account of a score at a moment."""

    person: str
    at: str
    scored: bool = Field(description="False where there is no consent, or somebody is hired.")
    since: str | None = Field(description="From when on events are scored.")
    latency_state: LatencyState | None = Field(description="That the two signals say.")
    latency_since: str | None = Field(
        description="Since when, in expectation, the person is in it, given all that was heard; so "
        "it moves, between events too. `/phases` has when the estimate passed into it."
    )
    summary: str | None = Field(description="In a few sentences.")
    active: SumOut | None
    turning: SumOut | None
    contributions: list[ContributionOut] = Field(description="Oldest first.")
    next: str | None = Field(
        description="For the contributions before these. Their `score` is the `prior` here."
    )


class _AccountCursor(msgspec.Struct, array_like=True):
    at_ms: CursorMoment
    known_at_ms: CursorMoment | None
    until: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    """The number of the last contribution to tell."""


@router.get(
    "/{person_id}/explain",
    summary="Why a person stands where they stand",
    responses=described(307, 400, 401, 403, 404, 503),
)
def get_explanation(
    asked: AskedPerson,
    at: Annotated[Moment | None, Query(description="Past, now (when left out) or ahead.")] = None,
    lang: Annotated[Language, Query(description="Language of the words.")] = "en",
    audience: Annotated[
        Audience, Query(description="Who reads the words; to the person they say *you*.")
    ] = "recruiter",
    cursor: Cursor = None,
    limit: Annotated[
        int, Query(ge=1, le=CONTRIBUTIONS_MAX, description="Contributions on a page.")
    ] = CONTRIBUTIONS_MAX,
) -> ExplanationOut:
    """Every contribution, one per event and one per stretch of silence, in log-odds.

    The newest are on the first page; `next` leads to those before. With a cursor, `at` and
    `known_at` are those of the first page.
    """
    at_ms = asked.at_ms if at is None else at
    known_at_ms, until = asked.known_at_ms, None
    with asked.opened() as (connection, row):
        if cursor is not None:
            place = unpack_cursor(cursor, _AccountCursor, row.public_id)
            same_moments = at in {None, place.at_ms} and known_at_ms in {None, place.known_at_ms}
            if not same_moments:
                raise bad_cursor()
            at_ms, known_at_ms, until = place.at_ms, place.known_at_ms, place.until
        events = history_of(connection, asked.workspace_id, row.id, at_ms, known_at_ms)
        explanation = explain(events, asked.here.model, at_ms, until=until, limit=limit)
    following = None
    if explanation is not None and explanation.earlier:
        earlier = _AccountCursor(at_ms, known_at_ms, explanation.earlier)
        following = pack_cursor(earlier, row.public_id)
    return _show(row.public_id, explanation, at_ms, lang, audience, following)


def _show(
    person: str,
    explanation: Explanation | None,
    at_ms: int,
    lang: Language,
    audience: Audience,
    following: str | None,
) -> ExplanationOut:
    if explanation is None:
        return ExplanationOut(
            person=person,
            at=rfc3339(at_ms),
            scored=False,
            since=None,
            latency_state=None,
            latency_since=None,
            summary=None,
            active=None,
            turning=None,
            contributions=[],
            next=None,
        )
    return ExplanationOut(
        person=person,
        at=rfc3339(at_ms),
        scored=True,
        since=rfc3339(explanation.since_ms),
        latency_state=explanation.latency_state,
        latency_since=rfc3339(explanation.latency_since_ms),
        summary=summary(explanation, lang, audience),
        active=SumOut(prior=explanation.prior_active, score=explanation.active),
        turning=SumOut(prior=explanation.prior_turning, score=explanation.turning),
        contributions=[_contribution(c, lang, audience) for c in explanation.contributions],
        next=following,
    )


def _contribution(
    contribution: Contribution, lang: Language, audience: Audience
) -> ContributionOut:
    return ContributionOut(
        kind=contribution.kind,
        since=rfc3339(contribution.from_ms),
        until=rfc3339(contribution.to_ms),
        event=contribution.event.event_id.hex() if contribution.event else None,
        active=contribution.active,
        turning=contribution.turning,
        what=words.what(contribution, lang, audience),
        strength=words.strength(contribution.turning, lang),
    )
