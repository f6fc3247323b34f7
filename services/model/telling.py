"""How much the answer to a mail tells of somebody's state: mutual information, in bits.

An answer is nothing, an open or a click. What it tells depends on how often each state answers so,
and on how much there is left to learn of a person: of who is almost surely not looking, hardly
anything. Rates per state are measured from answers of people whose states were but probable when
the mail was sent, by expectation and maximisation; where there are few answers the rates stay near
what is usual.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.contract.event import Event
from services.model.filter import states
from services.model.fold import elapse, fold_onto
from services.model.parameters import MailRates, Three
from services.model.state import Mail, PersonState
from services.model.version import Model

Floats = npt.NDArray[np.float64]

NOTHING, OPEN, CLICK = 0, 1, 2
UNSEEN = 3
"""Not clicked, and an open was seen that software may have made: nothing, or an open."""
_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Response:
    """One mail or issue that was sent to somebody, and what came of it."""

    message_id: str
    issue: bool
    shares: Three
    """The probabilities of the states when it was sent."""
    answer: int
    """``NOTHING``, ``OPEN``, ``CLICK`` or ``UNSEEN``."""
    clicked: frozenset[str]
    """Ids of the content that was clicked in it."""


def usual(rates: MailRates) -> Floats:
    """(states, 3): how often each state answers nothing, opens only, clicks."""
    opened, clicked = np.array(rates.open), np.array(rates.click_given_open)
    return np.stack([1 - opened, opened * (1 - clicked), opened * clicked], axis=1)


def bits(shares: Sequence[Three] | Floats, rates: Floats) -> Floats:
    """What an answer tells of a state among three, in bits.

    Args:
        shares: (people, states) the probabilities before it.
        rates: (states, answers).

    Returns:
        (people,)
    """
    return _told(_joint(shares, rates))


def bits_of_active(shares: Sequence[Three] | Floats, rates: Floats) -> Floats:
    """Likewise, what it tells of whether somebody is active or not."""
    joint = _joint(shares, rates)
    return _told(np.stack([joint[:, 0] + joint[:, 1], joint[:, 2]], axis=1))


def _joint(shares: Sequence[Three] | Floats, rates: Floats) -> Floats:
    before = np.asarray(shares, dtype=np.float64)
    return before[:, :, None] * rates[None, :, :]


def _told(joint: Floats) -> Floats:
    """Mutual information of (people, states, answers), per person."""
    apart = joint.sum(axis=2, keepdims=True) * joint.sum(axis=1, keepdims=True)
    ratio = np.divide(joint, apart, out=np.ones_like(joint), where=joint > 0)
    told: Floats = (joint * np.log2(ratio)).sum(axis=(1, 2))
    return np.maximum(told, 0.0)


def measured(
    shares: Sequence[Three] | Floats, answers: Sequence[int], before: Floats, worth: float
) -> Floats:
    """(states, 3) rates: what is most probable of them after so many answers.

    The likelihood has one peak, for the states' probabilities are given; the rounds climb to it.

    Args:
        shares: (responses, states) the probabilities of the states when each was sent.
        answers: (responses,) what came.
        before: (states, 3) what is usual, and stays so where there are no answers.
        worth: how many answers in each state that counts for.
    """
    rates = before
    if not len(answers):
        return rates
    weights, came = np.asarray(shares, dtype=np.float64), np.asarray(answers)
    seen = np.eye(3)[np.where(came == UNSEEN, NOTHING, came)]
    seen[came == UNSEEN, OPEN] = 1.0
    for _ in range(_ROUNDS):
        likely = weights[:, :, None] * rates[None, :, :] * seen[:, None, :]
        expected = (likely / likely.sum(axis=(1, 2), keepdims=True)).sum(axis=0)
        counted = worth * before + expected
        rates = counted / counted.sum(axis=1, keepdims=True)
    return rates


def responses(events: Sequence[Event], model: Model, at_ms: int) -> list[Response]:
    """What somebody answered to each mail and issue whose window has closed by ``at_ms``.

    Only of those that were told to have been sent: of others one hears if they are opened alone.

    Args:
        events: the person's, in canonical order.
        model: the version.
        at_ms: not before the last of ``events``.
    """
    state: PersonState | None = None
    sent: list[tuple[Mail, Three]] = []
    clicked: dict[str, set[str]] = {}
    for event in events:
        state, latest = _folded(state, event, model)
        if latest is not None and event.type in {"sent", "delivered"}:
            assert state.score is not None  # noqa: S101  there is a mail
            sent.append((latest, states(state.score.p)))
        elif event.type == "click" and event.message_id and event.content_id:
            clicked.setdefault(event.message_id, set()).add(event.content_id)
    if state is None or state.score is None:
        return []
    elapse(state, at_ms, model)
    return [
        Response(
            message_id=mail.message_id,
            issue=mail.issue,
            shares=shares,
            answer=_answer(mail),
            clicked=frozenset(clicked.get(mail.message_id, ())) if mail.clicked else frozenset(),
        )
        for mail, shares in sent
        if mail.close_ms <= at_ms
    ]


def _folded(
    state: PersonState | None, event: Event, model: Model
) -> tuple[PersonState, Mail | None]:
    """The state, and the opportunity that this event began."""
    before = state.score.mails if state and state.score else []
    latest = before[-1] if before else None
    state = fold_onto(state, event, model)
    mails = state.score.mails if state.score else []
    return state, mails[-1] if mails and mails[-1] is not latest else None


def _answer(mail: Mail) -> int:
    if mail.clicked:
        return CLICK
    if mail.opened:
        return OPEN
    return UNSEEN if mail.by_machine else NOTHING


def next_mail(shares: Three, model: Model) -> tuple[float, float]:
    """(bits, bits of being active) that the answer to one more mail is expected to tell."""
    rates = usual(model.parameters.mail)
    one = np.array([shares])
    return float(bits(one, rates)[0]), float(bits_of_active(one, rates)[0])
