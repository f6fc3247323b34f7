"""What the fold remembers of a person after the last event: all that scoring needs."""

from copy import copy
from typing import Any

import msgspec


class Mail(msgspec.Struct):
    """An opportunity: one mail, or magazine issue, to this person, and what came of it so far."""

    message_id: str
    close_ms: int
    """When its window closes, and what did not come is counted."""
    opened: bool = False
    clicked: bool = False
    by_machine: bool = False
    """An open was seen that software may have made: it says nothing either way."""
    issue: bool = False
    """An issue of the magazine, which is answered at rates of its own."""


class Score(msgspec.Struct):
    """The part of the state that needs consent to profile."""

    p: list[float]
    """15 probabilities, frailty point × state."""
    since_ms: int
    """Nothing before it is scored."""
    at_ms: int
    """The moment that ``p`` is for."""
    echo_per_day: float = 0.0
    """Site visits per day that earlier ones called forth, at ``echo_ms``."""
    echo_ms: int = 0
    heard_ms: dict[str, int] = {}
    """When each kind was received that counted last, of what came with a page's key."""
    seen_ms: dict[str, int] = {}
    """When each kind of event was last seen: a burst counts once."""
    mails: list[Mail] = []
    """Those whose window is open."""
    closed_mails: list[str] = []
    """Message ids of the latest whose window has closed."""
    mail_off: bool = False
    """Unsubscribed or bounced: silence after a mail says nothing any more."""
    issue_off: bool = False
    """The same of issues of the magazine."""
    turning_ms: int | None = None
    """Since when the signal is on; None: off."""
    active_ms: int | None = None
    milestone_until_ms: int = 0
    """Until when an observed step (an application, a sign-up) keeps the person in Do."""


class Project(msgspec.Struct, array_like=True, frozen=True):
    """A project of the calendar that somebody looked at; see ``services/model/habits.py``."""

    seen_s: int
    starts_day: int | None = None
    ends_day: int | None = None


class Said(msgspec.Struct, array_like=True, frozen=True):
    """What was said of when somebody could begin."""

    said_s: int
    available: bool
    from_day: int | None = None
    until_day: int | None = None


class Habits(msgspec.Struct, array_like=True):
    """When somebody comes, what they got, when they could; see ``services/model/habits.py``."""

    visits: bytes = b""
    """When the latest visits of their own accord began, as rings are written there."""
    answers: bytes = b""
    """When they last answered mail, likewise."""
    act_s: int = 0
    """The latest of either, begun or going on."""
    contacts: dict[str, bytes] = {}
    """Per channel, when they were last sent something, likewise."""
    projects: dict[str, Project] = {}
    """By content id, the one looked at last in the end."""
    said: Said | None = None
    against: dict[str, float] = {}
    """What speaks against their interest, kept as ``PersonState.engagement`` is."""


class PersonState(msgspec.Struct):
    """A person after ``events`` events, the last at (``at_ms``, ``at_id``)."""

    at_ms: int
    at_id: bytes
    first_ms: int
    events: int = 0
    attributes: dict[str, Any] = {}
    measure: bool = False
    profile: bool = False
    contact: bool | None = None
    clicks_ms: dict[str, int] = {}
    """Recent clicks by id: a redirect and its landing page count once."""
    told_ms: int = -(2**53)
    """The latest event that may tell of hits near it; see ``services/model/behaviour.py``."""
    rings_ms: dict[str, list[int]] = {}
    """Per counted condition of a rule, the newest matching times."""
    engagement: dict[str, float] = {}
    """ln of the decayed sum as of time 0, in all (key ``""``) and per topic."""
    hired_ms: int | None = None
    left_ms: int | None = None
    score: Score | None = None
    habits: Habits | None = None
    """Begun when there is something to keep; it needs consent to profile like the score."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(PersonState)


def encode_state(state: PersonState) -> bytes:
    """The state as MessagePack; floats keep every bit.

    Rings stand in the order of their keys, whenever it was that rules first asked for them.
    """
    if len(state.rings_ms) > 1:
        state.rings_ms = dict(sorted(state.rings_ms.items()))
    return _encoder.encode(state)


def decode_state(stored: bytes) -> PersonState:
    """The state again."""
    return _decoder.decode(stored)


def copy_state(state: PersonState) -> PersonState:
    """A copy that shares nothing which the fold changes (it replaces ``p``, rings, all habits)."""
    copied = copy(state)
    copied.attributes = dict(state.attributes)
    copied.clicks_ms = dict(state.clicks_ms)
    copied.rings_ms = dict(state.rings_ms)
    copied.engagement = dict(state.engagement)
    copied.habits = copy(state.habits)
    if state.score is not None:
        copied.score = copy(state.score)
        copied.score.heard_ms = dict(state.score.heard_ms)
        copied.score.seen_ms = dict(state.score.seen_ms)
        copied.score.mails = [copy(mail) for mail in state.score.mails]
        copied.score.closed_mails = list(state.score.closed_mails)
    return copied
