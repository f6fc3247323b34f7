"""A stored state of which only what is cheap is read: attributes, and what rules asked to be kept.

Many people are told from one another by these alone; of those who are not the rest is read.
"""

from typing import Any

import msgspec

from services.model.state import PersonState, Score


class _Since(msgspec.Struct):
    since_ms: int


class _Glimpse(msgspec.Struct):
    at_ms: int
    at_id: bytes
    first_ms: int
    attributes: dict[str, Any] = {}
    rings_ms: dict[str, list[int]] = {}
    hired_ms: int | None = None
    left_ms: int | None = None
    score: _Since | None = None


_decoder = msgspec.msgpack.Decoder(_Glimpse)


def glimpse(stored: bytes) -> PersonState:
    """Of a stored state its place, attributes, memories, employment and since when it is scored.

    All else is as in somebody of whom nothing is known.
    """
    seen = _decoder.decode(stored)
    score = seen.score
    return PersonState(
        at_ms=seen.at_ms,
        at_id=seen.at_id,
        first_ms=seen.first_ms,
        attributes=seen.attributes,
        rings_ms=seen.rings_ms,
        hired_ms=seen.hired_ms,
        left_ms=seen.left_ms,
        score=None if score is None else Score(p=[], since_ms=score.since_ms, at_ms=seen.at_ms),
    )
