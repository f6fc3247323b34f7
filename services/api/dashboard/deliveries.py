"""What was sent to a webhook, as lines of its page."""

from collections import Counter
from dataclasses import dataclass

from services.api.context import Context
from services.api.dashboard.session import Visitor
from services.api.dashboard.strips import Strip, strip
from services.api.dashboard.texts import Words
from services.api.dashboard.webhook_texts import MESSAGES, OUTCOMES, error_in_words
from services.api.deliveries import DeliveryOut, get_deliveries
from services.contract.webhook import DeliveryStatus

PAGE = 50


@dataclass(frozen=True)
class Line:
    """One message."""

    id: str
    when: str
    what: str
    status: DeliveryStatus
    outcome: str
    again: str
    """When it is tried again; empty: it is done, or was not tried yet."""
    attempts: int
    answer: str


@dataclass(frozen=True)
class Deliveries:
    """A page of messages, the newest first, and a picture of them."""

    lines: list[Line]
    strip: Strip
    next: str | None


def deliveries_of(
    here: Context,
    visitor: Visitor,
    webhook_id: str,
    status: DeliveryStatus | None,
    cursor: str | None,
    words: Words,
) -> Deliveries:
    """Up to :data:`PAGE` messages to a webhook.

    Raises:
        Problem: 400, the cursor is none; 404, there is no such webhook.
    """
    found = get_deliveries(here, visitor.credential(), webhook_id, status, cursor, PAGE)
    rows = found.deliveries
    counted = Counter(one.status for one in rows)
    told = words["deliveries_strip"].format(
        delivered=counted["delivered"],
        waiting=counted["waiting"],
        failed=counted["failed"] + counted["gone"],
    )
    bars = strip([(one.status, one.took_ms or 0) for one in reversed(rows)], told)
    return Deliveries([_line(one, words) for one in rows], bars, found.next)


def _line(one: DeliveryOut, words: Words) -> Line:
    again = ""
    if one.attempts and one.next_attempt is not None:
        again = words["delivery_next"].format(moment=words.told_moment(one.next_attempt))
    return Line(
        id=one.id,
        when=words.told_moment(one.created_at),
        what=MESSAGES[one.type][words.language] if one.type else words["delivery_forgotten"],
        status=one.status,
        outcome=OUTCOMES[one.status][words.language],
        again=again,
        attempts=one.attempts,
        answer=_answer(one, words),
    )


def _answer(one: DeliveryOut, words: Words) -> str:
    """What the receiver said to the last attempt; empty: there was none."""
    if one.error is not None:
        return error_in_words(one.error, words.language)
    if one.http_status is None:
        return ""
    return f"{one.http_status}, {words.number(one.took_ms or 0)} ms"
