"""Postmark: one JSON object a request, under a password of our own."""

from collections.abc import Mapping
from typing import Any

from services.contract.hook import HookEntry
from services.tracker.hooks.memory import Memory
from services.tracker.hooks.proof import check_password
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
from services.tracker.request import Request

_KINDS: Mapping[str, Told] = {
    "Delivery": "delivered",
    "Open": "open",
    "Click": "click",
    "Bounce": "bounce",
    "SpamComplaint": "complaint",
    "SubscriptionChange": "unsubscribe",
    "Inbound": "nothing",
    "SMTPApiError": "nothing",
}
_HARD = frozenset({"HardBounce", "BadEmailAddress", "ManuallyDeactivated"})
# Told as bounces, but not because mail did not arrive.
_OTHER_BOUNCES: Mapping[str, Told] = {
    "SpamComplaint": "complaint",
    "Unsubscribe": "unsubscribe",
    "Subscribe": "nothing",
    "AutoResponder": "nothing",
    "AddressChange": "nothing",
    "ChallengeVerification": "nothing",
    "OpenRelayTest": "nothing",
}
_OTHER_SUPPRESSIONS = {"HardBounce": "Bounce", "SpamComplaint": "SpamComplaint"}
_REFINED: Mapping[str, Told] = {**_KINDS, **_OTHER_BOUNCES}
_MOMENTS = ("ReceivedAt", "DeliveredAt", "BouncedAt", "ChangedAt")


def read(request: Request, hook: HookEntry, memory: Memory, now_ms: int) -> Reading:
    """See :data:`services.tracker.hooks.told.Read`."""
    del memory, now_ms
    check_password(request, hook)
    said = json_of(request.body)
    if not isinstance(said, dict):
        raise RefusedRequestError("malformed")
    return Reading([_event(said)])


def _event(said: Mapping[str, Any]) -> Mail | Unread:
    kind, message, url = said.get("RecordType"), said.get("MessageID"), said.get("OriginalLink")
    address = said.get("Recipient") or said.get("Email")
    at = next((said[name] for name in _MOMENTS if said.get(name)), None)
    type_ = meaning(_refined(kind, said), _REFINED, made_id(kind, message, address, at))
    if isinstance(type_, Unread):
        return type_
    hard = _is_hard(said)
    # A hard bounce and a complaint are told twice, as such and as a change of subscription: of
    # one mail to one address each counts once. All else may happen again.
    again = {"bounce": [hard], "complaint": []}.get(type_, [at, url])
    return Mail(
        id=made_id(type_, message, address, *again),
        type=type_,
        address=address,
        at=at,
        message=message,
        custom=object_of(said.get("Metadata")),
        url=url,
        agent=said.get("UserAgent"),
        hard=hard,
        reason=said.get("Description") or said.get("SuppressionReason"),
    )


def _is_hard(said: Mapping[str, Any]) -> bool:
    return (
        said.get("Inactive") is True
        or text_of(said.get("Type")) in _HARD
        or said.get("SuppressionReason") == "HardBounce"
    )


def _refined(kind: Any, said: Mapping[str, Any]) -> Any:
    """The kind, or what it turns out to be."""
    if kind == "Bounce" and text_of(said.get("Type")) in _OTHER_BOUNCES:
        return said["Type"]
    if kind == "SubscriptionChange":
        if said.get("SuppressSending") is not True:
            return "Subscribe"
        return _OTHER_SUPPRESSIONS.get(text_of(said.get("SuppressionReason")), kind)
    return kind
