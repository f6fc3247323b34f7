"""What an event says: about a mail, or as something that somebody did of their own accord."""

import math

from services.contract.event import Event, content_type_of
from services.contract.phases import DAY_MS
from services.model.filter import weigh, weigh_organic
from services.model.ledger import Ledger
from services.model.state import Mail, Score
from services.model.version import Model

MAILS_MAX = 64

SITE_TYPES = {
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
_OPENING = frozenset({"open", "click", "magazine_page"})
_CHANNEL_KINDS = {"magazine": "magazine", "social": "social", "podcast": "podcast"}


def weigh_event(score: Score, event: Event, model: Model, ledger: Ledger) -> None:
    """Move the probabilities, in place, by what the event says."""
    mail = _mail_of(score, event, model)
    if event.type in {"unsubscribe", "complaint"}:
        _unsubscribe(score, event, model, ledger)
    elif event.type == "bounce":
        # A mail that bounced softly may still arrive, and the next one will.
        if event.properties.get("kind") != "soft":
            _turn_off(score, event)
    elif mail is not None:
        _answer(score, mail, event, model, ledger)
    else:
        _visit(score, event, model, ledger)
        _milestone(score, event, model)


def _unsubscribe(score: Score, event: Event, model: Model, ledger: Ledger) -> None:
    """It counts once, however many tell of it; from then on silence after a mail says nothing."""
    issue = _turn_off(score, event)
    if issue is not None:
        answers = model.parameters.magazine_issue if issue else model.parameters.mail
        score.p = weigh(score.p, answers.unsubscribe)
        ledger.note("unsubscribe", event.occurred_ms, score.p, event)


def _turn_off(score: Score, event: Event) -> bool | None:
    """Mails reach the person no longer (False), or issues do not (True); None: that was so."""
    issue = event.channel == "magazine" or any(
        mail.issue for mail in score.mails if mail.message_id == event.message_id
    )
    if score.issue_off if issue else score.mail_off:
        return None
    if issue:
        score.issue_off = True
    else:
        score.mail_off = True
    return issue


def _mail_of(score: Score, event: Event, model: Model) -> Mail | None:
    """The open opportunity that a mail event belongs to; its first word opens the window."""
    message_id = event.message_id
    if event.type == "magazine_page":
        return _issue_begun(score, event, model)
    if message_id is None or event.type not in {"sent", "delivered", "open", "click"}:
        return None
    for mail in score.mails:
        if mail.message_id == message_id:
            return mail
    is_told = event.type in {"open", "click"} and _is_anybodys(event)
    if message_id in score.closed_mails or is_told:
        return None
    issue = event.channel == "magazine"
    window_ms = model.issue_window_ms if issue else model.mail_window_ms
    mail = Mail(message_id, close_ms=event.occurred_ms + window_ms, issue=issue)
    score.mails.append(mail)
    del score.mails[:-MAILS_MAX]
    return mail


def _issue_begun(score: Score, event: Event, model: Model) -> Mail | None:
    """The latest issue whose window is open and that nobody opened: its first page opens it."""
    at = event.occurred_ms
    seen = score.seen_ms.get("magazine")
    if seen is not None and at - seen < model.session_ms:
        return None
    for mail in reversed(score.mails):
        if mail.issue and not mail.opened:
            score.seen_ms["magazine"] = at
            return mail
    return None


def _answer(score: Score, mail: Mail, event: Event, model: Model, ledger: Ledger) -> None:
    """What is said of a mail while its window is open; sending says nothing yet."""
    rates = model.answers(mail)
    if event.type in _OPENING and not mail.opened:
        mail.opened = True
        score.p = weigh(score.p, rates.open)
        ledger.note("issue_open" if mail.issue else "mail_open", event.occurred_ms, score.p, event)
    if event.type == "click" and not mail.clicked:
        mail.clicked = True
        score.p = weigh(score.p, rates.click_given_open)
        _raise_echo(score, event.occurred_ms, model)
        kind = "issue_click" if mail.issue else "mail_click"
        ledger.note(kind, event.occurred_ms, score.p, event)


def _kind_of(event: Event) -> str | None:
    """The kind of evidence that an event is by its own accord; None: none that we know of."""
    if event.type == "open":
        return None
    if event.type == "click" and content_type_of(event.content_type or "") == "vacancy":
        return "vacancy_click"
    if event.type == "click" and event.message_id is not None:
        return "page"  # in a mail or an issue whose window has closed, whatever it came over
    kind = "page" if event.type == "click" else SITE_TYPES.get(event.type)
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
    if _is_anybodys(event):
        heard = score.heard_ms.get(kind)
        if heard is not None and abs(event.received_ms - heard) < model.session_ms / 2:
            return
        score.heard_ms[kind] = event.received_ms
    on_site = kind in model.parameters.site_kinds
    level = _echo(score, at, model) if on_site else 0.0
    score.p = weigh_organic(score.p, model.parameters.rates_per_day[kind], level, model)
    if on_site:
        _raise_echo(score, at, model)
    ledger.note(kind, at, score.p, event)


def _is_anybodys(event: Event) -> bool:
    """Whether it came with the key that stands in every page.

    By that anybody can tell as much as they like of somebody whose user id they know, of any time
    and any mailing. So what is heard within half a session counts once, whatever dates it bears,
    and no mail was sent because a page says so.
    """
    return not event.server_only and event.source_id > 0


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
