"""What people decide about who is who: a word about two identities, and an event like all else.

It is about no person's doings, so it is folded into nobody; it only says whose events are whose.
"""

from typing import Literal, NamedTuple, get_args

from services.contract.event import Event, Identity, PoisonError

DECIDED: Literal["identity_decision"] = "identity_decision"
"""The type of such an event."""

Decision = Literal[
    "same_person",  # whatever else is told, the two are one person's
    "two_people",  # never one person's, whatever was told or will be
    "undecided",  # what was decided is taken back: events alone say it
]
DECISIONS: frozenset[str] = frozenset(get_args(Decision))
COOKIE = "anonymous_id"
_OF_NOBODY = frozenset({DECIDED, "erased"})


class Decided(NamedTuple):
    """One word about two identities."""

    one: Identity
    other: Identity
    decision: Decision


def is_of_a_person(event: Event) -> bool:
    """Whether an event is something of the person it names; else it counts, or says who is who."""
    return bool(event.identities) and event.type not in _OF_NOBODY


def decided_in(event: Event) -> Decided:
    """What an ``identity_decision`` event decides.

    Raises:
        PoisonError: it names not two different identities, two browsers, or decides nothing.
    """
    decision = event.properties.get("decision")
    if decision not in DECISIONS:
        raise PoisonError("an identity_decision without a decision")
    if len(set(event.identities)) != 2 or len(event.identities) != 2:
        raise PoisonError("an identity_decision is about two identities")
    one, other = event.identities
    if one.namespace == other.namespace == COOKIE:
        raise PoisonError("an identity_decision about two browsers")
    return Decided(one, other, decision)
