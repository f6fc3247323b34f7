"""What to offer somebody next: the item that fits where they are, or that tells most of them.

Pure: who somebody is at a moment, what there is, and the order of it with the reasons.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from services.contract.event import content_type_of
from services.contract.phases import PHASES, Phase

By = Literal["fit", "telling"]
Why = Literal["phase", "next_phase", "topic", "tells", "of_all_phases"]
WhyNot = Literal["seen", "no_content", "vacancy_before_do", "in_procedure"]

VACANCY = "vacancy"
_PHASE_FIT = {0: 1.0, 1: 0.6}
"""By how many phases an item is ahead of the person; of all phases it is worth a little less."""
_ALL_PHASES_FIT = 0.4
_SHOWN_FROM: Phase = "do"
"""A vacancy is public, but is offered to nobody who is not looking, or is in a procedure."""
SEEING = (
    "page", "read", "play", "magazine_page", "download", "sign_up", "question", "comment",
    "share", "attend", "vacancy_viewed", "application_started", "applied", "click",
)  # fmt: skip
"""What somebody does with an item that they saw; to be sent one is not to see it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the catalogue."""

    content_id: str
    content_type: str
    phase: Phase | None
    """The phase it is meant for; None: all of them."""
    topics: frozenset[str]
    published_ms: int
    closes_ms: int | None

    @property
    def is_vacancy(self) -> bool:
        """However its type was once written."""
        return content_type_of(self.content_type) == VACANCY


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody at a moment."""

    phase: Phase
    shares: Mapping[str, float]
    """Topic to its share (0-1) in what they did."""
    seen: frozenset[str]
    """Ids of content that they saw."""
    in_procedure: bool
    """They applied, and nothing says that it has ended (``procedure.py``)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An item, what speaks for it, and by how much."""

    item: Item
    score: float
    reasons: tuple[tuple[Why, str], ...]
    """What speaks for it: the kind, and which phase or topic, or how many bits."""


def ranked(
    items: Iterable[Item],
    reader: Reader,
    now_ms: int,
    bits: Mapping[str, float] | None = None,
) -> list[Choice]:
    """The items to offer, the best first; of equals the newest.

    Args:
        items: the catalogue, as far as it may be offered.
        reader: to whom.
        now_ms: UTC milliseconds.
        bits: content id to what an answer would tell of this person, for the order by that;
            left out: the order is by fit.
    """
    found = [
        _telling(item, bits) if bits is not None else _fitting(item, reader)
        for item in items
        if _may_be_offered(item, reader, now_ms) and (bits is None or item.content_id in bits)
    ]
    return sorted(found, key=lambda c: (-c.score, -c.item.published_ms, c.item.content_id))


def why_not(item: Item, reader: Reader, now_ms: int) -> WhyNot | None:
    """Why an item is not for somebody whoever chose it; None: nothing speaks against it."""
    if item.content_id in reader.seen:
        return "seen"
    is_over = item.closes_ms is not None and item.closes_ms <= now_ms
    if item.published_ms > now_ms or is_over:
        return "no_content"
    if item.is_vacancy and reader.phase != _SHOWN_FROM:
        return "vacancy_before_do"
    return "in_procedure" if item.is_vacancy and reader.in_procedure else None


def _may_be_offered(item: Item, reader: Reader, now_ms: int) -> bool:
    if why_not(item, reader, now_ms) is not None:
        return False
    if item.is_vacancy or item.phase is None:
        return True
    return _ahead(item.phase, reader.phase) in _PHASE_FIT


def _ahead(phase: Phase, of: Phase) -> int:
    if "care" in {phase, of} and phase != of:
        return -1  # Care is no step beyond Do: nobody is led there by content
    return PHASES.index(phase) - PHASES.index(of)


def _fitting(item: Item, reader: Reader) -> Choice:
    reasons: list[tuple[Why, str]] = []
    if item.is_vacancy:
        score = 1.0
        reasons.append(("phase", reader.phase))
    elif item.phase is None:
        score = _ALL_PHASES_FIT
        reasons.append(("of_all_phases", reader.phase))
    else:
        ahead = _ahead(item.phase, reader.phase)
        score = _PHASE_FIT[ahead]
        reasons.append(("next_phase" if ahead else "phase", item.phase))
    liked = {t: reader.shares[t] for t in item.topics if reader.shares.get(t, 0) > 0}
    score += sum(sorted(liked.values()))
    reasons += [("topic", t) for t in sorted(liked, key=lambda t: (-liked[t], t))]
    return Choice(item, score, tuple(reasons))


def _telling(item: Item, bits: Mapping[str, float]) -> Choice:
    told = bits[item.content_id]
    return Choice(item, told, (("tells", f"{told:.3f}"),))
