"""What is kept of somebody who was erased: that they were, and that there had been consent."""

from dataclasses import dataclass

from services.api.context import Context
from services.api.dashboard.session import Visitor
from services.api.dashboard.texts import Words
from services.api.erasures import lookup_erasure
from services.api.wire import parse_moment
from services.contract.event import Identity

SHOWN_MAX = 50


@dataclass(frozen=True)
class Line:
    """One entry of consent from before."""

    day: str
    purpose: str
    answer: str


@dataclass(frozen=True)
class Proof:
    """What an identity leads to; ``erased`` empty: it was never erased."""

    erased: str
    renewed: str
    lines: list[Line]


def proof_of(here: Context, visitor: Visitor, who: Identity, words: Words) -> Proof:
    """What is kept of who was known by an identity, in words; the newest entries."""
    found = lookup_erasure(here, visitor.credential(), who.namespace, who.value)
    erased = renewed = ""
    if found.erased_at is not None:
        erased = words["privacy_erased"].format(
            moment=words.moment(parse_moment(found.erased_at)),
            reason=words[f"reason_{found.reason}"],
        )
    if found.renewed_at is not None:
        moment = words.moment(parse_moment(found.renewed_at))
        renewed = words["privacy_renewed"].format(moment=moment)
    return Proof(
        erased,
        renewed,
        [
            Line(
                words.day(parse_moment(one.said_at)),
                words[f"purpose_{one.purpose}"],
                words["yes" if one.granted else "no"],
            )
            for one in found.proofs[:SHOWN_MAX]
        ],
    )
