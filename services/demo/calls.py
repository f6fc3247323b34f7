"""Acts as the calls of the Segment spec that a site, a mailer and an ATS would make of them."""

from datetime import UTC, datetime
from typing import Any

from services.demo.acts import Act
from services.demo.catalogue import ITEMS, mailing
from services.demo.people import Technician

Call = dict[str, Any]

AGREED: Call = {
    "consent": {"categoryPreferences": {"measure": True, "profile": True, "contact": True}}
}
DECLINED: Call = {
    "consent": {"categoryPreferences": {"measure": False, "profile": False, "contact": False}}
}

# Kinds that are views of a page, and the channel over which somebody came to it.
PAGES = {
    "page": "website",
    "landing": "website",
    "vacancy_view": "website",
    "magazine": "magazine",
    "social": "social",
}
# The other kinds: the track call's name, its channel, whether its sender knows the cookie only.
TRACKED: dict[str, tuple[str, str, bool]] = {
    "podcast": ("play", "podcast", True),
    "vacancy_click": ("click", "website", True),
    "sign_up": ("sign_up", "website", True),
    "application_start": ("application_started", "website", True),
    "application": ("applied", "ats", False),
    "hired": ("hired", "ats", False),
}
MAILED = {
    "sent": "Email Sent",
    "open": "Email Opened",
    "click": "Email Link Clicked",
    "unsubscribe": "Unsubscribed",
}


def call_of(act: Act, person: Technician, message_id: str) -> Call:
    """The call that tells of one act."""
    call: Call = {
        "messageId": message_id,
        "timestamp": rfc3339(act.t_ms),
        "context": AGREED,
    }
    if act.kind == "joined":
        return call | {
            "type": "identify",
            "userId": person.user_id,
            "anonymousId": person.anonymous_id,
            "traits": person.traits,
        }
    if act.kind in PAGES:
        return call | page(act, person.anonymous_id)
    if act.kind in MAILED:
        name, channel, by_cookie = MAILED[act.kind], mailing(act.mailing).channel, False
    else:
        name, channel, by_cookie = TRACKED[act.kind]
    who = {"anonymousId": person.anonymous_id} if by_cookie else {"userId": person.user_id}
    properties = _about(act) | {"channel": channel}
    return call | who | {"type": "track", "event": name, "properties": properties}


def page(act: Act, anonymous_id: str) -> Call:
    """A page call without its time and consent: what a visitor's browser says of a page."""
    properties = _about(act) | {"channel": PAGES[act.kind], "title": ITEMS[act.content_id].title}
    return {"type": "page", "anonymousId": anonymous_id, "properties": properties}


def rfc3339(t_ms: int) -> str:
    """UTC milliseconds as they stand on the wire."""
    return datetime.fromtimestamp(t_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _about(act: Act) -> Call:
    about: Call = {}
    if act.kind in MAILED:
        sent = mailing(act.mailing)
        about |= {"campaign_id": sent.mailing_id, "subject": sent.subject}
    if act.kind in {"click", "landing"}:
        # The redirect and the page that it leads to are one click.
        about["click_id"] = f"k-{act.person}-{act.mailing}"
    if act.content_id:
        item = ITEMS[act.content_id]
        about |= {
            "content_id": item.content_id,
            "content_type": item.content_type,
            "topics": list(item.topics),
        }
        if act.kind == "sign_up":
            about["content_phase"] = item.phase
    return about
