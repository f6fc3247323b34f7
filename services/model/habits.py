"""What the fold keeps of habits: when somebody comes, what they got, when they could begin.

All of it is bounded, costs little per event, and is read by ``services/model/rhythm.py``. Values
are replaced, never changed, so that copies may share them. Times are whole seconds since 1970
(UTC); the latest few stand one after another in a ring, four bytes each, which is coded at no
cost. Days are counted from 0001-01-01 as ``date.toordinal`` does.
"""

from datetime import date

from services.contract.event import Event, content_type_of
from services.model.state import Habits, Mail, PersonState, Project, Said
from services.model.version import Model

MOMENTS_MAX = 32
"""Visits, and answers to mail, each the latest."""
CONTACTS_MAX = 64
"""Per channel, the latest."""
PROJECTS_MAX = 8
"""Looked at latest."""

_BYTES = 4
_LAST_S = (1 << 8 * _BYTES) - 1

_VISITS = frozenset(
    {"page", "site_search", "read", "play", "magazine_page", "download", "sign_up", "question"}
    | {"comment", "ambassador_contacted", "share", "vacancy_viewed", "application_started"}
)
_ANSWERS = frozenset({"open", "click"})
_SAID = ("available", "available_from", "available_until")
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1).toordinal(), date(2199, 12, 31).toordinal()


def keep(state: PersonState, event: Event, model: Model) -> None:
    """Keep, in place, when somebody came, and what they said or showed of when they are free."""
    if event.type in _VISITS:
        _come(state, event, model, answer=False)
    elif event.type in _ANSWERS:
        _come(state, event, model, answer=event.message_id is not None)
    elif event.type == "sent" and event.message_id is None:
        contact(state, event)
    if event.content_id is not None and content_type_of(event.content_type or "") == "project":
        _look(state, event, event.content_id)
    if event.properties and not event.properties.keys().isdisjoint(_SAID):
        _say(state, event)


def habits_of(state: PersonState) -> Habits:
    """Those kept so far; they begin when there is something to keep."""
    if state.habits is None:
        state.habits = Habits()
    return state.habits


def contact(state: PersonState, event: Event) -> None:
    """Something was sent to the person: this event is the first that tells of it."""
    kept = habits_of(state)
    ring = push(kept.contacts.get(event.channel, b""), event.occurred_ms // 1000, CONTACTS_MAX)
    kept.contacts = {**kept.contacts, event.channel: ring}


def uncontact(state: PersonState, mail: Mail, model: Model) -> None:
    """What was sent never arrived."""
    window_ms = model.issue_window_ms if mail.issue else model.mail_window_ms
    sent_s = (mail.close_ms - window_ms) // 1000
    kept = habits_of(state)
    for channel, ring in kept.contacts.items():
        times = times_s(ring)
        if sent_s in times:
            times.remove(sent_s)
            rest = b"".join(at_s.to_bytes(_BYTES, "little") for at_s in times)
            kept.contacts = {**kept.contacts, channel: rest}
            return


def push(ring: bytes, at_s: int, most: int) -> bytes:
    """The ring with one time more, of which it keeps so many."""
    kept_s = min(max(at_s, 0), _LAST_S)
    return (ring + kept_s.to_bytes(_BYTES, "little"))[-_BYTES * most :]


def times_s(ring: bytes) -> list[int]:
    """The times in a ring, oldest first."""
    return [int.from_bytes(ring[i : i + _BYTES], "little") for i in range(0, len(ring), _BYTES)]


def _come(state: PersonState, event: Event, model: Model, *, answer: bool) -> None:
    """A visit, or an answer to a mail, where neither came in the half hour before."""
    kept = habits_of(state)
    at_s = event.occurred_ms // 1000
    fresh = at_s - kept.act_s >= model.session_ms // 1000
    kept.act_s = at_s
    if not fresh:
        return
    if answer:
        kept.answers = push(kept.answers, at_s, MOMENTS_MAX)
    else:
        kept.visits = push(kept.visits, at_s, MOMENTS_MAX)


def _look(state: PersonState, event: Event, content_id: str) -> None:
    """At a project of the calendar, which begins and ends on days that the event may tell."""
    kept = habits_of(state)
    others = {key: value for key, value in kept.projects.items() if key != content_id}
    project = Project(
        seen_s=event.occurred_ms // 1000,
        starts_day=_day(event.properties.get("starts_on")),
        ends_day=_day(event.properties.get("ends_on")),
    )
    kept.projects = dict([*others.items(), (content_id, project)][-PROJECTS_MAX:])


def _say(state: PersonState, event: Event) -> None:
    """What is said last counts; what cannot be read was not said."""
    told = event.properties
    from_day, until_day = _day(told.get("available_from")), _day(told.get("available_until"))
    available = told.get("available")
    if isinstance(available, bool) or from_day is not None or until_day is not None:
        habits_of(state).said = Said(
            said_s=event.occurred_ms // 1000,
            available=available is not False,
            from_day=from_day,
            until_day=until_day,
        )


def _day(told: object) -> int | None:
    """The day in ``2026-11-22``, or at the beginning of a moment written so."""
    if not isinstance(told, str):
        return None
    try:
        day = date.fromisoformat(told[:10]).toordinal()
    except ValueError:
        return None
    return day if _FIRST_DAY <= day <= _LAST_DAY else None
