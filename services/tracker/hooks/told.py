"""What a mailer told of one mail: the same words for every mailer."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from services.contract.event import EventType, Identity
from services.contract.hook import HookEntry
from services.tracker.clean import mended
from services.tracker.hooks.errand import Errand
from services.tracker.hooks.memory import Memory
from services.tracker.reasons import EventReason, RefusedRequestError
from services.tracker.request import Request

Told = EventType | Literal["nothing"]
"""What a mailer's own kind means; ``nothing``: it says nothing of the person."""

NOTHING: Mapping[str, Any] = {}


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened with a mail to somebody. Values are as the mailer sent them."""

    id: str
    """The same in every repeat of this event."""
    type: EventType
    address: Any
    at: Any
    """Seconds or milliseconds since 1970, or ISO 8601."""
    message: Any = None
    """The mailer's own id of this one mail."""
    other: Identity | None = None
    """The mailer's own id of the person, where it tells no address."""
    campaign: Any = None
    """The mailer's own id of the mailing, where it has such a thing."""
    custom: Mapping[str, Any] = NOTHING
    """What the sender gave the mailer along with the mail."""
    url: Any = None
    agent: Any = None
    """The user agent of whoever opened or clicked."""
    by_machine: bool = False
    """The mailer itself says that software did it."""
    hard: bool = False
    """Of a bounce: this address will not work later either."""
    reason: Any = None
    """Of a bounce: why, in the mailer's words."""


class Unread(msgspec.Struct, frozen=True):
    """An event that comes to nothing."""

    id: str
    reason: EventReason


class Reading(msgspec.Struct, frozen=True):
    """All that a genuine request says, and what must be done for it outside."""

    events: list[Mail | Unread]
    errands: tuple[Errand, ...] = ()


Read = Callable[[Request, HookEntry, Memory, int], Reading]
"""(request, hook, what was fetched and seen, now in UTC milliseconds) → what it says. Pure.

Raises RefusedRequestError where it is not proved to be the mailer's, or cannot be read."""


def json_of(body: bytes) -> Any:
    """The body as JSON.

    Raises:
        RefusedRequestError: it is none.
    """
    try:
        return _decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise RefusedRequestError("malformed") from None


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return msgspec.json.decode(mended(body))


def object_of(value: Any) -> Mapping[str, Any]:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else NOTHING


def text_of(value: Any) -> str:
    """The value if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def list_of(value: Any) -> list[Any]:
    """The value if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def made_id(*parts: Any) -> str:
    """An id for an event whose mailer gives none: the same parts, the same id."""
    text = msgspec.json.encode(parts, order="deterministic")
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def meaning(kind: Any, kinds: Mapping[str, Told], event_id: str) -> EventType | Unread:
    """What the mailer's kind means, or why it comes to nothing."""
    means = kinds.get(kind) if isinstance(kind, str) else None
    if means is None:
        return Unread(event_id, "unknown_kind")
    return Unread(event_id, "unused_kind") if means == "nothing" else means
