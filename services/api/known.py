"""Everything that is known of a person, in one answer: for whoever asks what is held of them."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from services.api.consent import ConsentOut, consent_of
from services.api.explain import ExplanationOut, get_explanation
from services.api.identities import PersonsIdentitiesOut, get_identities
from services.api.interests import InterestsOut, get_interests
from services.api.opening import Asked, AskedPerson
from services.api.person_view import PersonOut
from services.api.persons import show_one
from services.api.phases import MembershipsOut, PhasesOut, get_memberships, get_phases
from services.api.problem import described
from services.api.record import EVENTS_FOLDED_MAX, events_of
from services.api.timeline import EventOut, show_event
from services.api.wire import Out
from services.model.words import Language

router = APIRouter(prefix="/v1/persons", tags=["persons"])


class KnownOut(Out):
    """All of one person; each part is as its own route tells it."""

    person: PersonOut
    identities: PersonsIdentitiesOut
    consent: ConsentOut
    interests: InterestsOut
    phases: PhasesOut
    segments: MembershipsOut
    explanation: ExplanationOut = Field(description="In words for the person concerned.")
    events: list[EventOut] = Field(
        description=f"Oldest first; of more than {EVENTS_FOLDED_MAX:,} the newest. The older ones "
        "are in the timeline."
    )


@router.get(
    "/{person_id}/export",
    summary="Everything that is known of a person",
    responses=described(307, 400, 401, 403, 404, 503),
)
def get_known(
    asked: AskedPerson,
    lang: Annotated[Language, Query(description="Language of the words.")] = "en",
) -> KnownOut:
    """What somebody may have who asks what is held of them (GDPR 15, 20)."""
    return everything_known(asked, lang)


def everything_known(asked: Asked, language: Language) -> KnownOut:
    """The same, for a page too.

    Raises:
        Problem: 404, there is no such person in this workspace.
        MovedError: the person was merged into another.
    """
    with asked.opened() as (connection, row):
        person = show_one(connection, asked.here, row, asked.as_of_ms, asked.known_at_ms)
        consent = consent_of(connection, row)
        events = events_of(connection, row.workspace_id, row.id, None, asked.known_at_ms)
    return KnownOut(
        person=person,
        identities=get_identities(asked),
        consent=consent,
        interests=get_interests(asked),
        phases=get_phases(asked),
        segments=get_memberships(asked),
        explanation=get_explanation(asked, None, language, "person"),
        events=[show_event(one) for one in events],
    )
