"""Hits without a body: an open, a click, a page's pixel."""

from functools import lru_cache
from urllib.parse import unquote_to_bytes
from zlib import crc32

import msgspec

from services.contract.event import (
    LINK_SOURCE_ID,
    VERSION,
    Consent,
    Event,
    EventType,
    Identity,
    event_id_of,
)
from services.contract.snapshot import KeyEntry
from services.contract.token import is_safe_target
from services.tracker import answers
from services.tracker.accepted import Accepted
from services.tracker.arrival import Arrival, arrival_of
from services.tracker.calls import taken_of
from services.tracker.consent import NOTHING_SAID, judged
from services.tracker.directory import Directory
from services.tracker.origin import origin_of
from services.tracker.reasons import Reason
from services.tracker.request import Request
from services.tracker.segment import Call, Context, message_id_of
from services.tracker.tokens import Token, channel_of, read_token, with_parameters

_FIELDS_MAX = 50
_REMEMBERED_LENGTH_MAX = 300
_is_safe = lru_cache(maxsize=10_000)(is_safe_target)
_IN_PROPERTIES = ("url", "title", "referrer", "channel", "content_id", "content_type")


def open_(request: Request, directory: Directory, now_ms: int) -> Accepted:
    """Decide ``GET /o/{token}.gif``: a pixel for everybody, an event for a genuine token."""
    token = read_token(request.path[len("/o/") :].removesuffix(".gif"), directory)
    if token is None:
        return _gif(reasons=["bad_token"])
    arrival = arrival_of(request, sender_of_links(token.workspace_id), directory, now_ms)
    return _gif([event_of_token(token, "open", arrival)], arrival.noticed)


def click(request: Request, directory: Directory, now_ms: int) -> Accepted:
    """Decide ``GET /c/{token}``: to where the link was signed for, and nowhere else."""
    token = read_token(request.path[len("/c/") :], directory)
    if token is None:
        return Accepted(answers.NO_SUCH_LINK, reasons=["bad_token"])
    expires_ms = token.link.expires_ms
    if expires_ms is not None and expires_ms <= now_ms:
        return Accepted(answers.LINK_ENDED, reasons=["expired_link"])
    arrival = arrival_of(request, sender_of_links(token.workspace_id), directory, now_ms)
    # A code that is scanned at the door of a meeting: to follow it is to attend.
    kind: EventType = "attend" if token.link.channel == "meeting" else "click"
    event = _with_origin(event_of_token(token, kind, arrival), request, directory)
    reply = redirect_of(token, event)
    if reply is None:
        return Accepted(answers.NO_SUCH_LINK, reasons=["unsafe_target"])
    return Accepted(reply, [event], answers_anyway=True, reasons=arrival.noticed)


def pixel(request: Request, directory: Directory, now_ms: int) -> Accepted:
    """Decide ``GET /p.gif``: the page view of a page without script."""
    try:
        key, call = call_of_pixel(request)
    except ValueError:
        return _gif(reasons=["event_malformed"])
    sender = sender_of_pixel(key, directory)
    if sender is None:
        return _gif(reasons=["bad_key"])
    arrival = arrival_of(request, sender, directory, now_ms)
    message_id = message_id_of(b"", call, arrival, 0)
    _, _, event = taken_of(call, "page", message_id, arrival)
    return _gif([event] if event else [], arrival.noticed)


def _gif(events: list[Event] | None = None, reasons: list[Reason] | None = None) -> Accepted:
    return Accepted(answers.PIXEL, events or [], answers_anyway=True, reasons=reasons or [])


@lru_cache(maxsize=1_000)
def sender_of_links(workspace_id: int) -> KeyEntry:
    """Whoever holds a genuine token speaks for its workspace, as a browser does."""
    return KeyEntry(b"", workspace_id, "write", LINK_SOURCE_ID)


def event_of_token(token: Token, event_type: EventType, arrival: Arrival) -> Event:
    """The open or click that a request for this token means, stripped if it must be."""
    recipient = token.recipient
    if token.person_half and recipient is None:
        arrival.noticed.append("bad_person")
    event = Event(
        v=VERSION,
        workspace_id=token.workspace_id,
        event_id=event_id_of(token.workspace_id, LINK_SOURCE_ID, arrival.request_id),
        source_id=LINK_SOURCE_ID,
        type=event_type,
        identities=(Identity("person_token", recipient.person_token),) if recipient else (),
        occurred_ms=arrival.received_ms,
        received_ms=arrival.received_ms,
        channel=channel_of(token.link),
        content_id=token.link.content_id,
        content_type=token.link.content_type,
        message_id=token.link.campaign_id,
        click_id=None if event_type == "open" else arrival.request_id,
        machine=arrival.machine,
        # What a token says no to was so when the mail was made; it is no answer.
        consent=(
            Consent(recipient.measure, recipient.profile or None) if recipient else NOTHING_SAID
        ),
        properties=_which(token) if event_type == "click" else {},
    )
    event, reason = judged(event, arrival.directory, privacy_signal=arrival.privacy_signal)
    if reason is not None:
        arrival.noticed.append(reason)
    return event


def _with_origin(event: Event, request: Request, directory: Directory) -> Event:
    """The same click, marked with where it came from, if it is somebody's and that is known.

    A code at the door of a meeting is followed by many people from one place.
    """
    secret = directory.mark_secret_of(event.workspace_id)
    address = request.address
    if address is None or secret is None or not event.identities or event.type != "click":
        return event
    agent = request.headers.get(b"user-agent", b"")
    origin = origin_of(address, agent, secret, event.received_ms)
    machine = msgspec.structs.replace(event.machine, origin=origin)
    return msgspec.structs.replace(event, machine=machine)


def _which(token: Token) -> dict[str, str]:
    """What tells links of one mailing apart that name no content, without their address."""
    if token.link.content_id is not None:
        return {}
    return {"link": f"{crc32(token.link.target.encode()):08x}"}


def redirect_of(token: Token, event: Event) -> answers.Reply | None:
    """Where the click goes, or None for a target that we would not send anybody to.

    Only a click that may be followed tells the page behind it which click and who it was.
    """
    target = token.link.target
    if not _is_safe(target):
        return None
    if event.click_id is not None:
        target = with_parameters(target, event.click_id, token.person_half)
    return answers.redirect(target)


def call_of_pixel(request: Request) -> tuple[str, Call]:
    """The write key and the page call that a pixel's query says.

    Raises:
        ValueError: more than ``_FIELDS_MAX`` fields.
    """
    said = _fields(request.query.decode("latin-1"))
    get = said.get
    if "url" not in said:
        said["url"] = request.header(b"referer")
    properties: dict[str, str] = {}
    for name in _IN_PROPERTIES:
        if value := get(name):
            properties[name] = value
    call = Call(
        message_id=get("messageId"),
        anonymous_id=get("anonymousId"),
        user_id=get("userId"),
        context=Context(get("consent"), get("kt_click"), get("kt_person")),
        properties=properties,
    )
    return get("key") or get("writeKey") or "", call


def _fields(query: str) -> dict[str, str]:
    """What ``parse_qs`` makes of a query, the first value of each name; sooner.

    Raises:
        ValueError: more than ``_FIELDS_MAX`` fields.
    """
    pairs = query.split("&", _FIELDS_MAX)
    if len(pairs) > _FIELDS_MAX:
        raise ValueError("too many fields")
    said: dict[str, str] = {}
    for pair in pairs:
        if "%" in pair or "+" in pair:
            read = _read if len(pair) <= _REMEMBERED_LENGTH_MAX else _read.__wrapped__
            name, value = read(pair)
        else:
            name, _, value = pair.partition("=")
        if value and name not in said:
            said[name] = value
    return said


@lru_cache(maxsize=4096)
def _read(pair: str) -> tuple[str, str]:
    """An escaped name and value. Many people see the same few pages."""
    name, _, value = pair.partition("=")
    return _plain(name), _plain(value)


def _plain(text: str) -> str:
    text = text.replace("+", " ")
    return unquote_to_bytes(text).decode(errors="replace") if "%" in text else text


def sender_of_pixel(key: str, directory: Directory) -> KeyEntry | None:
    """The entry of a pixel's key; only keys that may stand in a page are taken."""
    entry = directory.entry_of(key) if key else None
    return entry if entry is not None and entry.kind == "write" else None
