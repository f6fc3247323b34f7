"""A person as an answer."""

from typing import Any, get_args

from pydantic import ConfigDict, Field
from sqlalchemy import Row

from services.api.wire import Out, rfc3339, rfc3339_or_none
from services.contract.event import Identity
from services.contract.phases import HORIZON_MS, LatencyState, Phase
from services.model.engagement import present
from services.model.parameters import Three
from services.model.path import Path
from services.model.state import PersonState
from services.model.telling import next_mail
from services.model.version import Model


class IdentityOut(Out):
    """One way to recognise a person."""

    namespace: str = Field(examples=["email"])
    value: str = Field(examples=["anna@example.org"])


class StatesOut(Out):
    """The probability of each hidden state; they sum to 1."""

    latent_latent: float
    actively_latent: float
    active: float


class PhaseOut(Out):
    """Where somebody is in the journey."""

    name: Phase
    since: str
    until: str | None = Field(description="When it ends if nothing more happens; null: not soon.")
    inferred: bool = Field(description="Do by the estimate alone, not by an observed step.")


class AgreedOut(Out):
    """What the person agreed to, as far as we were told."""

    measure: bool
    profile: bool
    contact: bool | None


class NextMailOut(Out):
    """What the answer to one more mail would tell, at the version's rates, in bits."""

    bits: float = Field(description="Of the state, among three.")
    bits_active: float = Field(description="Of whether the person is active or not.")


class PersonOut(Out):
    """A person at a moment. Latency, states and phase are null for who is not scored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "p_6f1c0b9a2d3e4f50",
                    "identities": [{"namespace": "email", "value": "anna@example.org"}],
                    "attributes": {"name": "Anna", "region": "Utrecht"},
                    "as_of": "2026-11-22T09:30:00.000Z",
                    "latency": 0.31,
                    "openness": 0.69,
                    "states": {"latent_latent": 0.31, "actively_latent": 0.52, "active": 0.17},
                    "latency_state": "latent_latent",
                    "latency_since": "2026-06-14T03:20:00.000Z",
                    "phase": {
                        "name": "see",
                        "since": "2026-03-02T08:00:00.000Z",
                        "until": None,
                        "inferred": False,
                    },
                    "consent": {"measure": True, "profile": True, "contact": None},
                    "engagement": 12.4,
                    "topics": {"energy transition": 3.1},
                    "next_mail": {"bits": 0.11, "bits_active": 0.05},
                    "model": "day-one",
                    "first_seen": "2026-03-02T08:00:00.000Z",
                    "last_seen": "2026-11-20T19:12:44.120Z",
                    "horizon": "2027-12-25T19:12:44.120Z",
                }
            ]
        }
    )
    id: str
    identities: list[IdentityOut]
    attributes: dict[str, Any]
    as_of: str
    latency: float | None = Field(description="The probability of being latent-latent.")
    openness: float | None = Field(description="1 − latency: what people are shown.")
    states: StatesOut | None
    latency_state: LatencyState | None
    latency_since: str | None = Field(
        description="Since when, in expectation, the person is in it, given all that was heard; so "
        "it moves, between events too. To tell since when somebody may be turning. When the "
        "estimate passed into the state, which is recorded and stays, is in `/phases`: count, "
        "report and compare by that. Null in lists, and for who has too long a history: see the "
        "explanation."
    )
    phase: PhaseOut | None
    consent: AgreedOut
    engagement: float = Field(description="Decayed sum of what the person did.")
    topics: dict[str, float] = Field(description="The same per topic.")
    next_mail: NextMailOut | None = Field(description="Null also where mail reaches them no more.")
    model: str
    first_seen: str | None
    last_seen: str | None
    horizon: str | None = Field(description="How far ahead `until` looks.")


def show_person(
    row: Row[Any],
    identities: list[Identity],
    state: PersonState | None,
    phase: Row[Any] | None,
    as_of_ms: int,
    model: Model,
    entered_ms: tuple[int, int, int] | None = None,
) -> PersonOut:
    """The answer from a person's rows.

    Args:
        row: of table ``person``.
        identities: the person's, now.
        state: after the last event up to the moment; None before the first.
        phase: the ``interval`` of kind phase that holds then.
        as_of_ms: the moment, not before the state's last event.
        model: the version that made the state.
        entered_ms: when each hidden state was entered, where that was asked.
    """
    path = Path(state, model) if state is not None else None
    engagement = present(state.engagement, as_of_ms, model) if state else {}
    latency_state = path.latency_state_at(as_of_ms)[0] if path else None
    chances = path.states_at(as_of_ms) if path is not None and path.scored else None
    return PersonOut(
        id=row.public_id,
        identities=[IdentityOut(namespace=i.namespace, value=i.value) for i in identities],
        attributes=state.attributes if state else {},
        as_of=rfc3339(as_of_ms),
        latency=chances[0] if chances else None,
        openness=chances[1] + chances[2] if chances else None,
        states=StatesOut(latent_latent=chances[0], actively_latent=chances[1], active=chances[2])
        if chances
        else None,
        latency_state=latency_state,
        latency_since=rfc3339(entered_ms[get_args(LatencyState).index(latency_state)])
        if entered_ms and latency_state
        else None,
        phase=show_phase(phase, state, as_of_ms) if phase is not None else None,
        consent=AgreedOut(
            measure=state.measure if state else False,
            profile=state.profile if state else False,
            contact=state.contact if state else None,
        ),
        engagement=engagement.pop("", 0.0),
        topics=engagement,
        next_mail=_next_mail(state, chances, model),
        model=model.version,
        first_seen=rfc3339(state.first_ms) if state else None,
        last_seen=rfc3339(state.at_ms) if state else None,
        horizon=rfc3339(state.at_ms + HORIZON_MS) if state else None,
    )


def show_phase(row: Row[Any], state: PersonState | None, as_of_ms: int) -> PhaseOut:
    """A phase interval as an answer; it is inferred where no observed step forces it."""
    score = state.score if state else None
    observed = score is not None and as_of_ms < score.milestone_until_ms
    return PhaseOut(
        name=row.key,
        since=rfc3339(row.valid_from_ms),
        until=rfc3339_or_none(row.valid_to_ms),
        inferred=row.key == "do" and not observed,
    )


def _next_mail(
    state: PersonState | None, chances: Three | None, model: Model
) -> NextMailOut | None:
    if chances is None or state is None or state.score is None or state.score.mail_off:
        return None
    told, of_active = next_mail(chances, model)
    return NextMailOut(bits=told, bits_active=of_active)
