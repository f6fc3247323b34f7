"""Triggers: when somebody who entered is handed to a tool, and whether they are. Pure.

Entering gives somebody a moment; when it has come, what then holds of them decides. So nobody is
handed over who objected, was hired or had enough in between, and nobody with what is not for them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal, NamedTuple

from services.contract.event import Channel
from services.contract.phases import DAY_MS, HOUR_MS
from services.model.next_content import Item, Reader, WhyNot, ranked, why_not
from services.model.rhythm import best_moment, pressure
from services.model.state import Habits, PersonState

Moment = Literal["at_once", "after", "best_moment"]

WhyWithheld = Literal[
    "left",
    "paused",
    "late",
    "not_followed",
    "employed",
    "no_consent",
    "unsubscribed",
    "pressure",
    WhyNot,
]
"""Why somebody who entered was not handed over."""

LATE_MS = DAY_MS
"""Nobody is handed over so long after their moment, or for what was found out so late."""

_MAIL: frozenset[str] = frozenset({"email", "magazine"})
_ASKS = {"email": "contact_mail", "magazine": "contact_mail", "messaging": "contact_messaging"}
"""Channels over which nobody is approached who did not agree to that, with the purpose."""


class Wanted(NamedTuple):
    """What a trigger says of those who are handed over."""

    content_id: str | None
    """None: what comes next for the person."""
    channel: Channel | None
    """Over which the tool approaches them; None: over none."""
    per_week: int
    """From so many contacts in seven days on nobody is."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who is to be handed over, at their moment."""

    state: PersonState
    reader: Reader
    said: Mapping[str, bool]
    """What stands of consent, by purpose."""
    unsubscribed: bool
    """By a mail that followed nobody."""
    handed_ms: Sequence[int]
    """When they were handed over, by whatever trigger, within seven days."""


class Decided(NamedTuple):
    """Exactly one of the two is given."""

    content_id: str | None
    why: WhyWithheld | None


def due_ms(
    moment: Moment, wait_ms: int, entered_ms: int, now_ms: int, habits: Habits | None, zone: tzinfo
) -> int:
    """When somebody who entered is to be handed over, not before now.

    Args:
        moment: which: at once, ``wait_ms`` after entering, or when they are best reached.
        wait_ms: for the best moment the longest wait.
        entered_ms: when they entered.
        now_ms: when that was found out.
        habits: when they come and answer.
        zone: whose clock tells days and hours.
    """
    if moment == "after":
        return max(entered_ms + wait_ms, now_ms)
    if moment == "best_moment":
        return _best_ms(habits, zone, now_ms, wait_ms)
    return now_ms


def _best_ms(habits: Habits | None, zone: tzinfo, from_ms: int, wait_ms: int) -> int:
    """Their best hour on their best weekday, else on the first day within the wait.

    Where nobody knows it, and where neither comes within the wait: at once.
    """
    best = best_moment(habits, zone)
    if best is None:
        return from_ms
    today = datetime.fromtimestamp(from_ms / 1000, UTC).astimezone(zone).date()
    coming: list[tuple[bool, int]] = []
    for days in range(wait_ms // DAY_MS + 2):
        day = today + timedelta(days=days)
        hour = datetime(day.year, day.month, day.day, best.hour, tzinfo=zone)
        begins_ms = round(hour.timestamp() * 1000)
        if begins_ms + HOUR_MS > from_ms and begins_ms <= from_ms + wait_ms:
            other_day = day.isoweekday() != best.weekday
            coming.append((other_day, max(begins_ms, from_ms)))
    return min(coming, default=(True, from_ms))[1]


def decided(
    wanted: Wanted,
    who: Somebody,
    items: Mapping[str, Item],
    offered: Iterable[Item],
    at_ms: int,
) -> Decided:
    """Whether somebody is handed over at their moment, and with what.

    Args:
        wanted: what the trigger says.
        who: the person.
        items: those of the catalogue that a trigger names, by id.
        offered: those that the choice of the next is made among.
        at_ms: UTC milliseconds.
    """
    why = _held_back(wanted, who, at_ms)
    if why is not None:
        return Decided(None, why)
    if wanted.content_id is None:
        best = ranked(offered, who.reader, at_ms)
        return Decided(best[0].item.content_id, None) if best else Decided(None, "no_content")
    item = items.get(wanted.content_id)
    against = "no_content" if item is None else why_not(item, who.reader, at_ms)
    return Decided(wanted.content_id, None) if against is None else Decided(None, against)


def _held_back(wanted: Wanted, who: Somebody, at_ms: int) -> WhyWithheld | None:
    """What speaks against approaching the person at all."""
    state = who.state
    if state.hired_ms is not None and state.left_ms is None:
        return "employed"
    if state.score is None:
        return "not_followed"
    purpose = _ASKS.get(wanted.channel or "")
    said = [who.said[one] for one in ("contact", purpose) if one is not None and one in who.said]
    if not all(said) or (purpose is not None and not said):
        return "no_consent"
    if wanted.channel in _MAIL:
        off = state.score.mail_off if wanted.channel == "email" else state.score.issue_off
        if off or who.unsubscribed:
            return "unsubscribed"
    contacts = pressure(state.habits, at_ms).values()
    last_ms = max((one.last_ms for one in contacts), default=0)
    # Whom a tool was handed may have been sent something that we have not heard of yet.
    unheard = sum(moment_ms > last_ms for moment_ms in who.handed_ms)
    return "pressure" if sum(c.days_7 for c in contacts) + unheard >= wanted.per_week else None
