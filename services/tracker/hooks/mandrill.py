"""Mailchimp Transactional, which was Mandrill: a signed form that holds a JSON array."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from services.contract.hook import HookEntry
from services.tracker.hooks.memory import Memory
from services.tracker.hooks.told import (
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

_SIGNATURE = b"x-mandrill-signature"
_FIELDS_MAX = 20

_KINDS: Mapping[str, Told] = {
    "send": "sent",
    "delivered": "delivered",
    "hard_bounce": "bounce",
    "soft_bounce": "bounce",
    "reject": "bounce",
    "open": "open",
    "click": "click",
    "spam": "complaint",
    "unsub": "unsubscribe",
    "deferral": "nothing",
    "inbound": "nothing",
    "whitelist": "nothing",
    "allowlist": "nothing",
    "blacklist": "nothing",
    "denylist": "nothing",
}
_HARD = frozenset({"hard_bounce", "reject"})


def read(request: Request, hook: HookEntry, memory: Memory, now_ms: int) -> Reading:
    """See :data:`services.tracker.hooks.told.Read`."""
    del memory, now_ms
    fields = _verified(request, hook)
    items = json_of(fields.get("mandrill_events", "").encode("utf-8", "surrogatepass"))
    if not isinstance(items, list):
        raise RefusedRequestError("malformed")
    if len(items) > BATCH_EVENTS_MAX:
        raise RefusedRequestError("too_many_events")
    return Reading([_event(object_of(item)) for item in items])


def _verified(request: Request, hook: HookEntry) -> dict[str, str]:
    """The form's fields, of a request whose signature is right."""
    given = request.header(_SIGNATURE)
    if not given:
        raise RefusedRequestError("no_signature")
    try:
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=_FIELDS_MAX)
    except ValueError:
        raise RefusedRequestError("malformed") from None
    signed = hook.url + "".join(name + value for name, value in sorted(pairs))
    key = hook.secrets["webhook_key"].encode()
    mac = hmac.new(key, signed.encode("utf-8", "surrogatepass"), hashlib.sha1).digest()
    if not hmac.compare_digest(base64.b64encode(mac), given.encode("latin-1")):
        raise RefusedRequestError("bad_signature")
    return dict(pairs)


def _event(said: Mapping[str, Any]) -> Mail | Unread:
    kind = said.get("event") or said.get("type")
    mail, at, url = object_of(said.get("msg")), said.get("ts"), said.get("url")
    message = mail.get("_id") or said.get("_id")
    # ``_id`` is the mail's, so that opens and clicks share it.
    event_id = made_id(kind, message, mail.get("email"), at, url)
    type_ = meaning(kind, _KINDS, event_id)
    if isinstance(type_, Unread):
        return type_
    return Mail(
        id=event_id,
        type=type_,
        address=mail.get("email"),
        at=at,
        message=message,
        custom=object_of(mail.get("metadata")),
        url=url,
        agent=said.get("user_agent"),
        hard=kind in _HARD,
        reason=mail.get("bounce_description") or mail.get("diag"),
    )
