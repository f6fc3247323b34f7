"""Amazon SES over SNS: a signed JSON message that holds one event, perhaps to several people."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from services.contract.event import EventType
from services.contract.hook import HookEntry
from services.tracker.hooks import sns
from services.tracker.hooks.errand import ConfirmSubscription
from services.tracker.hooks.memory import Memory
from services.tracker.hooks.told import (
    Mail,
    Reading,
    Told,
    Unread,
    json_of,
    list_of,
    meaning,
    object_of,
)
from services.tracker.reasons import RefusedRequestError
from services.tracker.request import Request

_KINDS: Mapping[str, Told] = {
    "Send": "sent",
    "Delivery": "delivered",
    "Bounce": "bounce",
    "Reject": "bounce",
    "Complaint": "complaint",
    "Open": "open",
    "Click": "click",
    "Subscription": "unsubscribe",
    "Rendering Failure": "nothing",
    "DeliveryDelay": "nothing",
}
_RECIPIENTS_MAX = 50


def read(request: Request, hook: HookEntry, memory: Memory, now_ms: int) -> Reading:
    """See :data:`services.tracker.hooks.told.Read`.

    Raises:
        CertificateAwaitedError: also this, see :mod:`services.tracker.hooks.sns`.
    """
    message = object_of(json_of(request.body))
    sns.verify(message, hook.secrets["topic_arn"], memory, now_ms)
    kind, message_id = message["Type"], str(message["MessageId"])
    if kind == "SubscriptionConfirmation":
        return _confirmed(message["SubscribeURL"], hook.secrets["topic_arn"], memory)
    if kind != "Notification":
        return Reading([])
    try:
        said = msgspec.json.decode(message["Message"])
    except (msgspec.DecodeError, RecursionError):
        # Its greeting, when a topic begins to get events, is plain text.
        return Reading([Unread(message_id, "unused_kind")])
    return Reading(_events(object_of(said), message_id))


def _confirmed(url: str, topic_arn: str, memory: Memory) -> Reading:
    """Ask SNS for the messages, at its own address and for this topic only."""
    if not memory.speaks_for_sns(url):
        raise RefusedRequestError("bad_signature")
    asked = parse_qs(urlsplit(url).query)
    if asked.get("Action") != ["ConfirmSubscription"] or asked.get("TopicArn") != [topic_arn]:
        raise RefusedRequestError("bad_signature")
    return Reading([], (ConfirmSubscription(url),))


def _events(said: Mapping[str, Any], message_id: str) -> list[Mail | Unread]:
    kind = said.get("eventType") or said.get("notificationType")
    type_ = meaning(kind, _KINDS, message_id)
    if isinstance(type_, Unread):
        return [type_]
    mail, told = object_of(said.get("mail")), object_of(said.get(str(kind).lower()))
    if type_ == "unsubscribe" and not _leaves(told):
        return [Unread(message_id, "unused_kind")]
    custom = {name: _first(values) for name, values in object_of(mail.get("tags")).items()}
    return [
        Mail(
            id=message_id if i == 0 else f"{message_id}/{i}",
            type=type_,
            address=address,
            at=told.get("timestamp") or mail.get("timestamp"),
            message=mail.get("messageId"),
            custom=custom,
            url=told.get("link"),
            agent=told.get("userAgent") if type_ in {"open", "click"} else None,
            hard=told.get("bounceType") == "Permanent",
            reason=told.get("bounceSubType") or told.get("reason"),
        )
        for i, address in enumerate(_addresses(type_, mail, told))
    ]


def _addresses(type_: EventType, mail: Mapping[str, Any], told: Mapping[str, Any]) -> list[Any]:
    """Whom it happened to; one unknown person where SES cannot tell which of several."""
    for name in ("bouncedRecipients", "complainedRecipients"):
        if people := list_of(told.get(name)):
            return [object_of(person).get("emailAddress") for person in people][:_RECIPIENTS_MAX]
    everybody = list_of(told.get("recipients")) or list_of(mail.get("destination"))
    if type_ in {"open", "click", "unsubscribe"} and len(everybody) != 1:
        return [None]
    return everybody[:_RECIPIENTS_MAX] or [None]


def _leaves(told: Mapping[str, Any]) -> bool:
    """Whether a change of subscriptions leaves no topic subscribed."""
    wanted = object_of(told.get("newTopicPreferences"))
    if wanted.get("unsubscribeAll") is True:
        return True
    topics = list_of(wanted.get("topicSubscriptionStatus"))
    return bool(topics) and all(
        object_of(topic).get("subscriptionStatus") == "OptOut" for topic in topics
    )


def _first(values: Any) -> Any:
    return values[0] if isinstance(values, list) and values else values
