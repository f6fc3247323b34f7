"""Why somebody stands where they stand, summing to the score."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from services.api.opening import AskedPerson
from services.api.problem import described
from services.api.record import events_of
from services.api.wire import Moment, Out, rfc3339
from services.contract.phases import LatencyState
from services.model import words
from services.model.explain import Contribution, Explanation, explain
from services.model.summary import summary
from services.model.words import Audience, Language

router = APIRouter(prefix="/v1/persons", tags=["persons"])


class SumOut(Out):
    """In log-odds: `prior` and all contributions add up to `score`."""

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
    """The whole account of a score at a moment."""

    person: str
    at: str
    scored: bool = Field(description="False where there is no consent, or somebody is hired.")
    since: str | None = Field(description="From when on events are scored.")
    latency_state: LatencyState | None = Field(description="That the two signals say.")
    latency_since: str | None = Field(
        description="Since when, in expectation, the person is in it, given all that was heard."
    )
    summary: str | None = Field(description="In a few sentences.")
    active: SumOut | None
    turning: SumOut | None
    contributions: list[ContributionOut]


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
) -> ExplanationOut:
    """Every contribution, one per event and one per stretch of silence, in log-odds.

    Of somebody with more than 20,000 events the newest 20,000 up to the moment are told, as if the
    person began with them: their sum is then not quite the score that is stored.
    """
    at_ms = asked.at_ms if at is None else at
    with asked.opened() as (connection, row):
        events = events_of(connection, asked.workspace_id, row.id, at_ms, asked.known_at_ms)
    explanation = explain(events, asked.here.model, at_ms)
    return _show(row.public_id, explanation, at_ms, lang, audience)


def _show(
    person: str, explanation: Explanation | None, at_ms: int, lang: Language, audience: Audience
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
