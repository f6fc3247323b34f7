"""What is plain of a rule before all that it reads is at hand: what is cheap is looked at first."""

from collections.abc import Callable, Collection, Iterator
from typing import Literal

from services.contract.phases import PHASES, LatencyState, Phase
from services.model.rules.attributes import Attribute, AttributeDate
from services.model.rules.condition import Condition, Node
from services.model.rules.happenings import Events, FirstEvent, LastEvent
from services.model.rules.joined import ByHand, Joined, Turned
from services.model.rules.known import IdentityKnown, MachineShare
from services.model.rules.standing import LatencyStateIs, PhaseIs
from services.model.rules.tree import AnyOf, Not

Decided = bool | None | Literal["nobody"]
"""By hand: in, out; None: it is not known yet; ``nobody``: nothing was decided."""

COUNTED = (Attribute, AttributeDate, Events, FirstEvent, LastEvent, IdentityKnown, MachineShare)
"""Conditions that read nothing of a state but attributes and what rules ask to be kept."""

LATENCY_STATES: tuple[LatencyState, ...] = ("latent_latent", "actively_latent", "active")


def early(
    rule: Node, leaf: Callable[[Condition], bool | None], by_hand: Callable[[str], Decided]
) -> bool | None:
    """Whether a rule holds, as far as some of its conditions tell; None: they do not.

    Args:
        rule: as it is evaluated.
        leaf: whether a condition holds; None: not known yet.
        by_hand: what people decided, by where the fold keeps it.
    """
    if isinstance(rule, ByHand):
        decided = by_hand(rule.key)
        return early(rule.rule, leaf, by_hand) if decided == "nobody" else decided
    parts = rule.parts()
    if not parts:
        return leaf(rule) if isinstance(rule, Condition) else None
    if isinstance(rule, Not | Turned):
        truth = early(parts[0], leaf, by_hand)
        return None if truth is None else not truth
    decisive = rule.decisive if isinstance(rule, Joined) else isinstance(rule, AnyOf)
    open_ = False
    for part in parts:
        truth = early(part, leaf, by_hand)
        if truth is decisive:
            return decisive
        open_ = open_ or truth is None
    return None if open_ else not decisive


def standing(
    rule: Node, listed: Collection[str]
) -> tuple[list[Phase] | None, list[LatencyState] | None]:
    """The phases, and the latency states, in which alone the rule may hold; None: in any, or none.

    Args:
        rule: as it is evaluated.
        listed: where the fold keeps what was decided by hand of anybody.
    """

    def may(kind: type[PhaseIs] | type[LatencyStateIs], key: str | None) -> bool:
        def leaf(one: Condition) -> bool | None:
            return key in one.any_of if isinstance(one, kind) else None

        def by_hand(place: str) -> Decided:
            return None if place in listed else "nobody"

        return early(rule, leaf, by_hand) is not False

    phases = [phase for phase in PHASES if may(PhaseIs, phase)]
    states = [state for state in LATENCY_STATES if may(LatencyStateIs, state)]
    # Whoever is in no phase is in no segment, but who is employed is in no latency state.
    return (
        None if len(phases) == len(PHASES) else phases,
        None if may(LatencyStateIs, None) else states,
    )


def lists_of(rule: Node) -> Iterator[str]:
    """Where the fold keeps what was decided by hand of the segments in a rule."""
    if isinstance(rule, ByHand):
        yield rule.key
    for part in rule.parts():
        yield from lists_of(part)
