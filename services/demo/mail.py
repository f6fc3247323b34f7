"""How people answer the mailings: the day-one rates again, per hidden state."""

from collections.abc import Iterator

import numpy as np

from services.contract.phases import DAY_MS, HOUR_MS
from services.demo.acts import HIRED, Act, Stay, state_at
from services.demo.catalogue import mailing
from services.model.version import load

EVERY_MS = 14 * DAY_MS
SENT_AT_MS = DAY_MS + 8 * HOUR_MS
"""The first mailing goes out so long after the year began."""
UNSUBSCRIBES = 0.003
"""Of those who open and do not click."""

_MODEL = load("day-one").parameters


def mails_of(
    rng: np.random.Generator, person: int, joined_ms: int, stays: list[Stay]
) -> Iterator[Act]:
    """What one person got from joining on, and did with it, not yet in order."""
    start_ms, end_ms = stays[0].from_ms, stays[-1].to_ms
    for number, begun_ms in enumerate(range(start_ms + SENT_AT_MS, end_ms, EVERY_MS)):
        if begun_ms < joined_ms:
            continue
        state = state_at(stays, begun_ms)
        if state == HIRED:
            return
        # A mailing of thousands takes some minutes to leave.
        sent_ms = begun_ms + int(rng.integers(0, 10 * 60_000))
        yield Act(sent_ms, person, "sent", mailing=number)
        acts = answers(rng, person, state, number, sent_ms)
        yield from acts
        if acts and acts[-1].kind == "unsubscribe":
            return


def answers(
    rng: np.random.Generator, person: int, state: int, number: int, sent_ms: int
) -> list[Act]:
    """Open, click and landing page, or unsubscribe, of one mail, in order."""
    rates = _MODEL.magazine_issue if mailing(number).channel == "magazine" else _MODEL.mail
    if rng.random() > rates.open[state]:
        return []
    # Most open within hours, some after days; always before the window of four days closes.
    open_ms = sent_ms + min(int(rng.lognormal(np.log(5), 1.3) * HOUR_MS), 90 * HOUR_MS)
    acts = [Act(open_ms, person, "open", mailing=number)]
    if rng.random() < rates.click_given_open[state]:
        items = mailing(number).items
        item = items[int(rng.integers(len(items)))]
        click_ms = open_ms + int(rng.integers(5_000, 120_000))
        acts.append(Act(click_ms, person, "click", item.content_id, number))
        acts.append(Act(click_ms + 900, person, "landing", item.content_id, number))
    elif rng.random() < UNSUBSCRIBES:
        acts.append(Act(open_ms + 30_000, person, "unsubscribe", mailing=number))
    return acts
