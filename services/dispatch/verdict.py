"""What follows from a receiver's answer: pure, the time and the dice are arguments."""

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal

from services.contract.phases import DAY_MS, HOUR_MS
from services.runtime.outbound import Answer

GIVE_UP_MS = DAY_MS
"""So long a message is tried, and an endpoint at which nothing succeeds."""
BACKOFF_MIN_MS = 1_000
BACKOFF_MAX_MS = HOUR_MS
RETRY_AFTER_MAX_MS = 6 * HOUR_MS
"""How long an endpoint may ask us to wait."""
ANSWERED_TIMES_MAX = 16

Kind = Literal["delivered", "refused", "unwell", "busy", "gone", "void"]
"""``refused``: this message alone; ``unwell``, ``busy``: the endpoint; ``gone``: for good;
``void``: nothing was left to send."""

_REFUSED = frozenset({400, 409, 413, 415, 422})
_BUSY = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer, understood."""

    kind: Kind
    error: str | None
    wait_ms: int
    """What the endpoint asked for; 0: nothing."""


def verdict_on(answer: Answer, now_ms: int) -> Verdict:
    """Any 2xx is a success; a redirect is none, for it would lead past the check."""
    if answer.status is None:
        return Verdict("unwell", answer.error, 0)
    if 200 <= answer.status < 300:
        return Verdict("delivered", None, 0)
    error = f"status {answer.status}"
    if answer.status == 410:
        return Verdict("gone", error, 0)
    if answer.status in _REFUSED:
        return Verdict("refused", error, 0)
    if answer.status in _BUSY:
        return Verdict("busy", error, _asked_ms(answer.retry_after, now_ms))
    return Verdict("unwell", error, 0)


def backoff_ms(failures: int, dice: float) -> int:
    """How long to wait after so many failures in a row.

    Args:
        failures: 1 and more.
        dice: 0-1, evenly; those who failed together shall not come back together.
    """
    longest = min(BACKOFF_MAX_MS, BACKOFF_MIN_MS << min(failures - 1, ANSWERED_TIMES_MAX))
    return round(longest * (0.5 + dice / 2))


def gives_up(first_ms: int, succeeded_ms: int | None, now_ms: int) -> bool:
    """Whether a message was tried for long enough, while others arrived."""
    tried_for_long = now_ms - first_ms >= GIVE_UP_MS
    return tried_for_long and succeeded_ms is not None and succeeded_ms > first_ms


def is_dead(failing_ms: int | None, now_ms: int) -> bool:
    """Whether an endpoint failed for so long that somebody should look at it."""
    return failing_ms is not None and now_ms - failing_ms >= GIVE_UP_MS


def _asked_ms(retry_after: str | None, now_ms: int) -> int:
    """The header as seconds or as a date, within our limit; 0 where it says nothing."""
    if retry_after is None:
        return 0
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]) * 1000, RETRY_AFTER_MAX_MS)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0
    at_ms = round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
    return min(max(at_ms - now_ms, 0), RETRY_AFTER_MAX_MS)
