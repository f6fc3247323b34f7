"""One event more: what is known of a person moves on.

``fold`` is pure. Events come in the canonical order (occurred_ms, event_id); whoever has one
that belongs before the last folds anew from an earlier state.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Protocol

from services.contract.event import MACHINE_THRESHOLD, Event
from services.contract.phases import DAY_MS
from services.model.filter import states, weigh, weigh_organic
from services.model.path import Path, Stretch
from services.model.rules import Events
from services.model.state import Mail, PersonState, Score, copy_state
from services.model.version import Model

MAILS_MAX = 64
CLICKS_MAX = 32
TOPICS_MAX = 100

_SITE_TYPES = {
    "page": "page",
    "read": "page",
    "site_search": "page",
    "download": "page",
    "magazine_page": "magazine",
    "play": "podcast",
    "share": "social",
    "vacancy_viewed": "vacancy_view",
    "sign_up": "sign_up",
    "application_started": "application_start",
    "applied": "application",
}
_CHANNEL_KINDS = {"magazine": "magazine", "social": "social", "podcast": "podcast"}


class Ledger(Protocol):
    """Is told every step that moved the probabilities; see ``services/model/explain.py``."""

    def note(self, kind: str, at_ms: int, p: Sequence[float], event: Event | None) -> None:
        """``kind`` of step ended at ``at_ms`` and left ``p``."""


class _NoLedger:
    def note(self, kind: str, at_ms: int, p: Sequence[float], event: Event | None) -> None:
        pass


NO_LEDGER = _NoLedger()


def fold(
    state: PersonState | None,
    event: Event,
    model: Model,
    counted: Iterable[Events] = (),
    ledger: Ledger = NO_LEDGER,
) -> PersonState:
    """The state after ``event``.

    Args:
        state: after the event before it; None for a person's first. It is not changed.
        event: not before the last one folded.
        model: the version.
        counted: the conditions of rules that count events.
        ledger: is told what moved the probabilities.
    """
    at = event.occurred_ms
    if state is None:
        state = PersonState(at_ms=at, at_id=event.event_id, first_ms=at)
    else:
        state = copy_state(state)
        elapse(state, at, model, ledger)
    state.at_ms, state.at_id = at, event.event_id
    state.events += 1
    _agree(state, event, model, ledger)
    if event.type == "identified":
        state.attributes.update(event.properties)
    _employ(state, event)
    if event.machine.p >= MACHINE_THRESHOLD:
        _machine(state, event)
    elif state.hired_ms is None and not _same_click(state, event):
        _engage(state, event, model)
        for condition in counted:
            if condition.matches(event):
                key = condition.ring_key
                ring = [*state.rings_ms.get(key, ()), at]
                state.rings_ms[key] = ring[-condition.at_least :]
        if state.score is not None:
            _evidence(state.score, event, model, ledger)
    if state.score is not None:
        _judge(state.score, event, model)
    return state


def _agree(state: PersonState, event: Event, model: Model, ledger: Ledger) -> None:
    """What the person agreed to by this event; scoring begins, or ends and is forgotten."""
    said = event.consent
    state.measure = state.measure if said.measure is None else said.measure
    state.contact = state.contact if said.contact is None else said.contact
    employed = state.hired_ms is not None and not (
        state.left_ms is not None and event.type == "identified"
    )
    if said.profile is False:
        state.profile, state.score = False, None
    elif said.profile and not employed:
        state.profile = True
        if state.score is None:
            state.hired_ms = state.left_ms = None
            state.score = Score(
                p=list(model.start), since_ms=event.occurred_ms, at_ms=event.occurred_ms
            )
            ledger.note("start", event.occurred_ms, model.start, None)


def _employ(state: PersonState, event: Event) -> None:
    """Nobody employed is scored or followed; after leaving only with consent given anew."""
    if event.type == "hired" and not _employed(state):
        state.hired_ms, state.left_ms = event.occurred_ms, None
        state.score = None
        state.engagement, state.rings_ms = {}, {}
    elif event.type == "left" and _employed(state):
        state.left_ms = event.occurred_ms


def _employed(state: PersonState) -> bool:
    return state.hired_ms is not None and state.left_ms is None


def elapse(state: PersonState, to_ms: int, model: Model, ledger: Ledger = NO_LEDGER) -> None:
    """Change ``state`` by silence up to ``to_ms``.

    Windows of mails close on the way, and signals go on and off.
    """
    score = state.score
    if score is None:
        return
    path = Path(state, model, until_ms=to_ms)
    for before, stretch in pairwise(path.stretches):
        assert stretch.closed is not None  # noqa: S101  only a closing begins a new one
        if ledger is not NO_LEDGER:
            _note_silence(before, stretch.from_ms, model, ledger)
            ledger.note(_closing_kind(stretch.closed), stretch.from_ms, stretch.p, None)
    last = path.stretches[-1]
    _note_silence(last, to_ms, model, ledger)
    for switch in path.switches():
        setattr(score, f"{switch.signal}_ms", switch.at_ms if switch.on else None)
    score.p, score.at_ms = last.at(to_ms, model), to_ms
    closed = [mail for mail in score.mails if mail.close_ms <= to_ms]
    if closed:
        score.mails = [mail for mail in score.mails if mail.close_ms > to_ms]
        score.closed_mails += [mail.message_id for mail in closed]
        del score.closed_mails[:-MAILS_MAX]


def _note_silence(stretch: Stretch, to_ms: int, model: Model, ledger: Ledger) -> None:
    if ledger is not NO_LEDGER and to_ms > stretch.from_ms:
        ledger.note("silence", to_ms, stretch.at(to_ms, model), None)


def _closing_kind(mail: Mail) -> str:
    return "mail_not_clicked" if mail.opened else "mail_not_opened"


def _same_click(state: PersonState, event: Event) -> bool:
    """Whether this is the landing page of a click already counted, or the other way round."""
    if event.click_id is None:
        return False
    if event.click_id in state.clicks_ms:
        return True
    state.clicks_ms[event.click_id] = event.occurred_ms
    while len(state.clicks_ms) > CLICKS_MAX:
        del state.clicks_ms[next(iter(state.clicks_ms))]
    return False


def _machine(state: PersonState, event: Event) -> None:
    if event.type == "open" and event.message_id and state.score is not None:
        for mail in state.score.mails:
            if mail.message_id == event.message_id:
                mail.by_machine = True


def _engage(state: PersonState, event: Event, model: Model) -> None:
    """Forward decay: ln Σ wᵢ e^(μtᵢ), which does not change by waiting."""
    weight = model.parameters.engagement.weights.get(event.type)
    if not weight:
        return
    term = math.log(weight) + model.engagement_per_ms * event.occurred_ms
    topics = event.properties.get("topics")
    keys = [t for t in topics if isinstance(t, str) and t] if isinstance(topics, list) else []
    for key in ["", *dict.fromkeys(keys)]:
        if key in state.engagement:
            high, low = max(state.engagement[key], term), min(state.engagement[key], term)
            state.engagement[key] = high + math.log1p(math.exp(low - high))
        elif len(state.engagement) < TOPICS_MAX:
            state.engagement[key] = term


def _evidence(score: Score, event: Event, model: Model, ledger: Ledger) -> None:
    """Move the probabilities by what the event says."""
    mail = _mail_of(score, event, model)
    if event.type in {"unsubscribe", "complaint"}:
        score.mail_off = True
        score.p = weigh(score.p, model.parameters.mail.unsubscribe)
        ledger.note("unsubscribe", event.occurred_ms, score.p, event)
    elif event.type == "bounce":
        score.mail_off = True
    elif mail is not None:
        _answer(score, mail, event, model, ledger)
    else:
        _visit(score, event, model, ledger)
        _milestone(score, event, model)


def _mail_of(score: Score, event: Event, model: Model) -> Mail | None:
    """The open opportunity that a mail event belongs to; its first word opens the window."""
    message_id = event.message_id
    if message_id is None or event.type not in {"sent", "delivered", "open", "click"}:
        return None
    for mail in score.mails:
        if mail.message_id == message_id:
            return mail
    if message_id in score.closed_mails:
        return None
    mail = Mail(message_id, close_ms=event.occurred_ms + model.mail_window_ms)
    score.mails.append(mail)
    del score.mails[:-MAILS_MAX]
    return mail


def _answer(score: Score, mail: Mail, event: Event, model: Model, ledger: Ledger) -> None:
    """What is said of a mail while its window is open; sending says nothing yet."""
    rates = model.parameters.mail
    if event.type in {"open", "click"} and not mail.opened:
        mail.opened = True
        score.p = weigh(score.p, rates.open)
        ledger.note("mail_open", event.occurred_ms, score.p, event)
    if event.type == "click" and not mail.clicked:
        mail.clicked = True
        score.p = weigh(score.p, rates.click_given_open)
        _raise_echo(score, event.occurred_ms, model)
        ledger.note("mail_click", event.occurred_ms, score.p, event)


def _kind_of(event: Event) -> str | None:
    """The kind of evidence that an event is by its own accord; None: none that we know of."""
    if event.type == "open":
        return None
    if event.type == "click":
        return "vacancy_click" if event.content_type == "vacancy" else "page"
    kind = _SITE_TYPES.get(event.type)
    return _CHANNEL_KINDS.get(event.channel, kind) if kind == "page" else kind


def _visit(score: Score, event: Event, model: Model, ledger: Ledger) -> None:
    """Something done of one's own accord: its rate, and the echo of earlier visits."""
    kind = _kind_of(event)
    if kind is None:
        return
    at = event.occurred_ms
    seen = score.seen_ms.get(kind)
    score.seen_ms[kind] = at
    if seen is not None and at - seen < model.session_ms:
        return
    on_site = kind in model.parameters.site_kinds
    level = _echo(score, at, model) if on_site else 0.0
    score.p = weigh_organic(score.p, model.parameters.rates_per_day[kind], level, model)
    if on_site:
        _raise_echo(score, at, model)
    ledger.note(kind, at, score.p, event)


def _echo(score: Score, at_ms: int, model: Model) -> float:
    """Visits per day that earlier ones call forth at ``at_ms``."""
    tau = model.parameters.echo.time_constant_days
    return score.echo_per_day * math.exp(-(at_ms - score.echo_ms) / DAY_MS / tau)


def _raise_echo(score: Score, at_ms: int, model: Model) -> None:
    echo = model.parameters.echo
    score.echo_per_day = (
        _echo(score, at_ms, model) + echo.visits_per_visit / echo.time_constant_days
    )
    score.echo_ms = at_ms


def _milestone(score: Score, event: Event, model: Model) -> None:
    """An application, or a sign-up for something meant for Think, is a step into Do."""
    days = model.parameters.milestone_days.get(event.type)
    if days is None:
        return
    if event.type == "sign_up" and event.properties.get("content_phase") != "think":
        return
    until = event.occurred_ms + round(days * DAY_MS)
    score.milestone_until_ms = max(score.milestone_until_ms, until)


def _judge(score: Score, event: Event, model: Model) -> None:
    """Set the two signals by the probabilities after the event."""
    _, turning, active = states(score.p)
    signals = model.parameters.signals
    for name, p, bounds in (
        ("turning", turning + active, signals.turning),
        ("active", active, signals.active),
    ):
        since = getattr(score, f"{name}_ms")
        if since is None:
            if p >= bounds.enter:
                setattr(score, f"{name}_ms", event.occurred_ms)
        elif p < bounds.leave and event.occurred_ms >= since + model.stay_ms:
            setattr(score, f"{name}_ms", None)
