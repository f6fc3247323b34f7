"""Mailgun: one JSON object a request; its signature covers a moment and a token, not the body.

So each token is remembered with the body that it came with: whoever sees a request cannot use its
signature for a body of their own, and a repeat of the same is taken again and counts once.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import msgspec

from services.contract.hook import HookEntry
from services.tracker.hooks.errand import RememberToken
from services.tracker.hooks.memory import Memory
from services.tracker.hooks.proof import check_moment
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
from services.tracker.request import Request

AGE_MS_MAX = 12 * 3_600_000
"""Mailgun tries again for eight hours."""

_TOKEN_LENGTH_MAX = 200

_KINDS: Mapping[str, Told] = {
    "accepted": "sent",
    "delivered": "delivered",
    "failed": "bounce",
    "rejected": "bounce",
    "opened": "open",
    "clicked": "click",
    "unsubscribed": "unsubscribe",
    "complained": "complaint",
    "stored": "nothing",
}
# Gmail's proxy fetches pictures when somebody looks at them: that is no machine's open.
_BOTS_FOR_PEOPLE = frozenset({"", "gmail", "google"})


def read(request: Request, hook: HookEntry, memory: Memory, now_ms: int) -> Reading:
    """See :data:`services.tracker.hooks.told.Read`."""
    whole = object_of(json_of(request.body))
    token = _verify(object_of(whole.get("signature")), hook.secrets["signing_key"], now_ms)
    said = whole.get("event-data")
    if not isinstance(said, dict):
        raise RefusedRequestError("malformed")
    # Of what is told alone: a repeat may be written otherwise, or signed at another moment.
    told = msgspec.json.encode(said, order="deterministic")
    digest = hashlib.blake2b(told, digest_size=16).digest()
    if memory.body_of_token(token) not in {None, digest}:
        raise RefusedRequestError("used_signature")
    return Reading([_event(said)], (RememberToken(token, digest),))


def _verify(signature: Mapping[str, Any], key: str, now_ms: int) -> str:
    parts = [signature.get(name) for name in ("timestamp", "token", "signature")]
    moment, token, given = (str(part) if isinstance(part, str | int) else "" for part in parts)
    if not moment or not token or not given:
        raise RefusedRequestError("no_signature")
    signed = f"{moment}{token}".encode("utf-8", "surrogatepass")
    expected = hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()
    genuine = hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))
    if not genuine or len(token) > _TOKEN_LENGTH_MAX:
        raise RefusedRequestError("bad_signature")
    check_moment(moment, now_ms, AGE_MS_MAX)
    return token


def _event(said: Mapping[str, Any]) -> Mail | Unread:
    headers = object_of(object_of(said.get("message")).get("headers"))
    message, address, at = headers.get("message-id"), said.get("recipient"), said.get("timestamp")
    kind, client = said.get("event"), object_of(said.get("client-info"))
    # Their ids are unique within a day only.
    event_id = made_id(said.get("id"), kind, at, address, message)
    type_ = meaning(kind, _KINDS, event_id)
    if isinstance(type_, Unread):
        return type_
    return Mail(
        id=event_id,
        type=type_,
        address=address,
        at=at,
        message=message,
        custom=object_of(said.get("user-variables")),
        url=said.get("url"),
        agent=client.get("user-agent"),
        by_machine=str(client.get("bot") or "").lower() not in _BOTS_FOR_PEOPLE,
        hard=said.get("severity") == "permanent",
        reason=said.get("reason"),
    )
