"""Brevo: one JSON object a request, or an array of them, under a password of our own."""

from collections.abc import Mapping
from typing import Any

import msgspec

from services.contract.hook import HookEntry
from services.tracker.hooks.memory import Memory
from services.tracker.hooks.proof import check_password
from services.tracker.hooks.told import (
    NOTHING,
    Mail,
    Reading,
    Told,
    Unread,
    json_of,
    made_id,
    meaning,
    object_of,
)
from services.tracker.reasons import RefusedRequestError
from services.tracker.request import BATCH_EVENTS_MAX, Request

_KINDS: Mapping[str, Told] = {
    "request": "sent",
    "sent": "sent",
    "delivered": "delivered",
    "opened": "open",
    "unique_opened": "open",
    "proxy_open": "open",
    "unique_proxy_open": "open",
    "click": "click",
    "hard_bounce": "bounce",
    "soft_bounce": "bounce",
    "blocked": "bounce",
    "invalid_email": "bounce",
    "error": "bounce",
    "spam": "complaint",
    "complaint": "complaint",
    "unsubscribe": "unsubscribe",
    "unsubscribed": "unsubscribe",
    "deferred": "nothing",
    "list_addition": "nothing",
    "contact_updated": "nothing",
    "contact_deleted": "nothing",
}
_HARD = frozenset({"hard_bounce", "blocked", "invalid_email"})
_BY_PROXY = frozenset({"proxy_open", "unique_proxy_open"})
# ``ts`` and ``date`` are in the account's own time zone, so they come last or not at all.
_MOMENTS = ("ts_epoch", "ts_event", "ts")


def read(request: Request, hook: HookEntry, memory: Memory, now_ms: int) -> Reading:
    """See :data:`services.tracker.hooks.told.Read`."""
    del memory, now_ms
    check_password(request, hook)
    said = json_of(request.body)
    items = said if isinstance(said, list) else [said]
    if not isinstance(said, list | dict):
        raise RefusedRequestError("malformed")
    if len(items) > BATCH_EVENTS_MAX:
        raise RefusedRequestError("too_many_events")
    return Reading([_event(object_of(item)) for item in items])


def _event(said: Mapping[str, Any]) -> Mail | Unread:
    kind, address = said.get("event"), said.get("email")
    at = next((said[name] for name in _MOMENTS if said.get(name)), None)
    message, campaign = said.get("message-id"), said.get("camp_id")
    url = said.get("link") or said.get("URL")
    type_ = meaning(kind, _KINDS, made_id(kind, message, campaign, address, at, url))
    if isinstance(type_, Unread):
        return type_
    by_machine, hard = kind in _BY_PROXY, kind in _HARD
    return Mail(
        # There is no id. A first open may come under two names, so it goes by what it means.
        id=made_id(type_, by_machine, hard, message, campaign, address, at, url),
        type=type_,
        address=address,
        at=at,
        message=message,
        campaign=campaign,
        custom=_custom(said.get("X-Mailin-custom")),
        url=url,
        agent=said.get("user_agent"),
        by_machine=by_machine,
        hard=hard,
        reason=said.get("reason"),
    )


def _custom(header: Any) -> Mapping[str, Any]:
    """What the sender wrote into the mail's header of that name, where it is a JSON object."""
    if not isinstance(header, str):
        return NOTHING
    try:
        return object_of(msgspec.json.decode(header.encode("utf-8", "replace")))
    except (msgspec.DecodeError, RecursionError):
        return NOTHING
