"""What the simulated world consists of: acts, and stays in hidden states."""

from typing import NamedTuple

HIRED = 3
"""The hidden state after the model's three: found a job with us."""


class Act(NamedTuple):
    """Something that one person did or got; ordered by time."""

    t_ms: int
    person: int
    """Index into the world's people."""
    kind: str
    """A kind of the model's, or joined, sent, open, click, unsubscribe, hired."""
    content_id: str = ""
    mailing: int = -1
    """Number of the mailing that this is part of; -1: none."""


class Stay(NamedTuple):
    """One person in one hidden state for a while."""

    state: int
    from_ms: int
    to_ms: int


def state_at(stays: list[Stay], t_ms: int) -> int:
    """The hidden state at a moment: 0, 1, 2, or HIRED."""
    return next((stay.state for stay in stays if t_ms < stay.to_ms), stays[-1].state)
