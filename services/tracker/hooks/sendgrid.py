"""Twilio SendGrid: a signed JSON array of events."""

import base64
import binascii
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from services.contract.hook import HookEntry
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
    text_of,
)
from services.tracker.reasons import RefusedRequestError
from services.tracker.request import BATCH_EVENTS_MAX, Request

AGE_MS_MAX = 48 * 3_600_000
"""SendGrid tries again for a day; as long again we may have been away."""

_SIGNATURE = b"x-twilio-email-event-webhook-signature"
_MOMENT = b"x-twilio-email-event-webhook-timestamp"

_KINDS: Mapping[str, Told] = {
    "processed": "sent",
    "delivered": "delivered",
    "open": "open",
    "click": "click",
    "bounce": "bounce",
    "dropped": "bounce",
    "spamreport": "complaint",
    "unsubscribe": "unsubscribe",
    "group_unsubscribe": "unsubscribe",
    "group_resubscribe": "nothing",
    "deferred": "nothing",
    "account_status_change": "nothing",
}
# Why SendGrid does not even try; other reasons are about the mail, not about the address.
_DROPPED_FOR_GOOD = frozenset(
    {"Bounced Address", "Unsubscribed Address", "Spam Reporting Address", "Invalid"}
)
# The mail's id goes on with which of their machines handled it, another one for every event.
_MACHINE = re.compile(r"\.(filter|recv)")


def read(request: Request, hook: HookEntry, memory: Memory, now_ms: int) -> Reading:
    """See :data:`services.tracker.hooks.told.Read`."""
    del memory
    _verify(request, hook.secrets["public_key"], now_ms)
    items = json_of(request.body)
    if not isinstance(items, list):
        raise RefusedRequestError("malformed")
    if len(items) > BATCH_EVENTS_MAX:
        raise RefusedRequestError("too_many_events")
    return Reading([_event(item) for item in items])


def _verify(request: Request, public_key: str, now_ms: int) -> None:
    moment, signature = request.header(_MOMENT), request.header(_SIGNATURE)
    if not moment or not signature:
        raise RefusedRequestError("no_signature")
    key = key_of(public_key)
    try:
        if key is None:
            raise InvalidSignature  # noqa: TRY301  a key that is none proves nothing
        signed = base64.b64decode(signature, validate=True)
        key.verify(signed, moment.encode("latin-1") + request.body, ECDSA(SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        raise RefusedRequestError("bad_signature") from None
    check_moment(moment, now_ms, AGE_MS_MAX)


@lru_cache(maxsize=1000)
def key_of(text: str) -> EllipticCurvePublicKey | None:
    """The verification key as SendGrid shows it (base64 of DER), or None."""
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, EllipticCurvePublicKey) else None


def _event(item: Any) -> Mail | Unread:
    said = object_of(item)
    event_id = said.get("sg_event_id")
    if not isinstance(event_id, str) or not event_id:
        event_id = made_id(said)
    type_ = meaning(said.get("event"), _KINDS, event_id)
    if isinstance(type_, Unread):
        return type_
    message = said.get("sg_message_id")
    return Mail(
        id=event_id,
        type=type_,
        address=said.get("email"),
        at=said.get("timestamp"),
        message=_MACHINE.split(message)[0] if isinstance(message, str) else None,
        campaign=said.get("singlesend_id") or said.get("marketing_campaign_id"),
        # Custom arguments stand beside SendGrid's own fields; some senders see them nested.
        custom={**said, **object_of(said.get("unique_args")), **object_of(said.get("custom_args"))},
        url=said.get("url"),
        agent=said.get("useragent"),
        by_machine=said.get("sg_machine_open") is True,
        hard=_is_hard(said),
        reason=said.get("reason"),
    )


def _is_hard(said: Mapping[str, Any]) -> bool:
    if said.get("event") == "dropped":
        return text_of(said.get("reason")) in _DROPPED_FOR_GOOD
    return said.get("type") != "blocked"
