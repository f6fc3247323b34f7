"""Calls of the Segment HTTP API, as real SDKs send them, into events."""

from typing import Any, TypeVar

import msgspec

from services.contract.event import (
    SERVER_ONLY_TYPES,
    VERSION,
    Consent,
    Event,
    EventType,
    Identity,
    event_id_of,
)
from services.tracker import names
from services.tracker.arrival import Arrival
from services.tracker.clean import clean_id, clean_object, without_lone_surrogates
from services.tracker.consent import from_preferences, from_words, with_assertion
from services.tracker.identities import identities_of
from services.tracker.occurred import occurred_ms
from services.tracker.reasons import RefusedEventError, RefusedRequestError
from services.tracker.request import BATCH_EVENTS_MAX, EVENT_BYTES_MAX
from services.tracker.tokens import CLICK_PARAMETER, PERSON_PARAMETER, read_person

_T = TypeVar("_T")


class Call(msgspec.Struct, rename="camel"):
    """One call. Every field may be missing, null or of any type: SDKs differ."""

    type: Any = None
    event: Any = None
    name: Any = None
    message_id: Any = None
    user_id: Any = None
    anonymous_id: Any = None
    properties: Any = None
    traits: Any = None
    context: Any = None
    timestamp: Any = None
    original_timestamp: Any = None
    sent_at: Any = None
    write_key: Any = None


class Batch(msgspec.Struct, rename="camel"):
    """Several calls, each still as it was sent."""

    batch: list[msgspec.Raw]
    sent_at: Any = None
    write_key: Any = None


class _OnlyId(msgspec.Struct, rename="camel"):
    message_id: Any = None


_batch_decoder = msgspec.json.Decoder(Batch)
_call_decoder = msgspec.json.Decoder(Call)
_id_decoder = msgspec.json.Decoder(_OnlyId)

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_MAIL_TYPES = frozenset(
    {"sent", "delivered", "open", "click", "bounce", "unsubscribe", "complaint"}
)
_LIFTED = ("content_id", "content_type", "click_id", "channel")


def read_batch(body: bytes) -> Batch:
    """The body of ``/v1/batch``.

    Raises:
        RefusedRequestError: it is none, or too long.
    """
    try:
        batch = _decode(_batch_decoder, body)
    except _UNREADABLE:
        raise RefusedRequestError("malformed") from None
    if len(batch.batch) > BATCH_EVENTS_MAX:
        raise RefusedRequestError("too_many_events")
    return batch


def read_single(body: bytes) -> Call:
    """The body of a route that takes one call.

    Raises:
        RefusedRequestError: it is none.
    """
    try:
        return _decode(_call_decoder, body)
    except _UNREADABLE:
        raise RefusedRequestError("malformed") from None


def read_call(raw: bytes) -> Call:
    """One call of a batch.

    Raises:
        RefusedEventError: it is none, or too large.
    """
    if len(raw) > EVENT_BYTES_MAX:
        raise RefusedEventError("event_too_large")
    try:
        return _decode(_call_decoder, raw)
    except _UNREADABLE:
        raise RefusedEventError("event_malformed") from None


def message_id_of(raw: bytes, call: Call | None, arrival: Arrival, index: int) -> str:
    """The id that the answer names this call by: its own, or one made for it."""
    message_id = _id_only(raw) if call is None else call.message_id
    if isinstance(message_id, str) and message_id:
        return message_id
    return clean_id(message_id) or f"{arrival.request_id}-{index}"


def event_of_call(call: Call, kind: Any, message_id: str, arrival: Arrival) -> Event:
    """The event that a call means, with all that it says; consent is judged after it.

    Args:
        call: as it came.
        kind: ``track``, ``page`` or ``identify``.
        message_id: by :func:`message_id_of`.
        arrival: the request around it.

    Raises:
        RefusedEventError: it is no event, or one that this sender must not send.
    """
    sender = arrival.sender
    context = _object(call.context)
    said = _object(call.properties)
    content_type = clean_id(said.get("content_type"))
    event_type = _type_of(kind, call, content_type)
    if sender.kind == "write" and event_type in SERVER_ONLY_TYPES:
        raise RefusedEventError("server_only_type")
    identities, consent = _who(call, context, said, arrival)
    return Event(
        v=VERSION,
        workspace_id=sender.workspace_id,
        event_id=event_id_of(sender.workspace_id, sender.source_id, message_id),
        source_id=sender.source_id,
        type=event_type,
        identities=tuple(identities),
        occurred_ms=occurred_ms(
            call.original_timestamp, call.timestamp, call.sent_at, arrival.received_ms
        ),
        received_ms=arrival.received_ms,
        channel=names.channel_of(said.get("channel"), event_type),
        content_id=clean_id(said.get("content_id")),
        content_type=content_type,
        message_id=_mailing_of(said) if event_type in _MAIL_TYPES else None,
        click_id=clean_id(context.get(CLICK_PARAMETER) or said.get("click_id")),
        server_only=sender.kind != "write",
        machine=arrival.machine,
        consent=consent,
        properties=_told(kind, event_type, call, context, said),
    )


def _type_of(kind: Any, call: Call, content_type: str | None) -> EventType:
    if kind == "identify":
        return "identified"
    if kind == "page":
        return names.type_of_page(content_type)
    if kind != "track":
        raise RefusedEventError("unknown_call")
    if not isinstance(call.event, str) or not call.event.strip():
        raise RefusedEventError("event_malformed")
    return names.type_of_track(call.event)


def _who(
    call: Call, context: dict[str, Any], said: dict[str, Any], arrival: Arrival
) -> tuple[list[Identity], Consent]:
    consent = with_assertion(_consent_said(context.get("consent")), arrival.sender)
    identities = identities_of(
        call.user_id,
        call.anonymous_id,
        (
            _object(call.traits).get("email"),
            _object(context.get("traits")).get("email"),
            said.get("email"),
        ),
        context.get("externalIds"),
        arrival.sender,
    )
    half = context.get(PERSON_PARAMETER)
    if not isinstance(half, str) or not half:
        return identities, consent
    recipient = read_person(half, arrival.sender.workspace_id, arrival.directory)
    if recipient is None:
        arrival.noticed.append("bad_person")
    if recipient is None or not recipient.measure:
        return identities, consent
    token = Identity("person_token", recipient.person_token)
    if consent.measure is None:
        # The mail's recipient agreed to be measured; the browser's cookie did not.
        return [token], Consent(measure=True, profile=recipient.profile)
    return [*identities, token], consent


def _consent_said(consent: Any) -> Consent:
    if isinstance(consent, str):
        return from_words(consent)
    return from_preferences(_object(consent).get("categoryPreferences"))


def _mailing_of(said: dict[str, Any]) -> str | None:
    for name in ("campaign_id", "message_id", "email_id"):
        if mailing := clean_id(said.get(name)):
            return mailing
    return None


def _told(
    kind: Any, event_type: EventType, call: Call, context: dict[str, Any], said: dict[str, Any]
) -> dict[str, Any]:
    """What is kept beside the envelope's own fields."""
    if kind == "identify":
        return clean_object({**_object(context.get("traits")), **_object(call.traits)})
    told = clean_object({k: v for k, v in said.items() if k not in _LIFTED})
    name = call.event if event_type == "custom" else call.name
    if name is not None and (text := clean_id(name)):
        told["name"] = text
    if campaign := _object(context.get("campaign")):
        told["campaign"] = clean_object(campaign)
    return told


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else _NOTHING


_NOTHING: dict[str, Any] = {}


def _id_only(raw: bytes) -> Any:
    try:
        return _decode(_id_decoder, raw).message_id
    except _UNREADABLE:
        return None


def _decode(decoder: msgspec.json.Decoder[_T], body: bytes) -> _T:
    try:
        return decoder.decode(body)
    except msgspec.DecodeError:
        repaired = without_lone_surrogates(body)
        if repaired == body:
            raise
        return decoder.decode(repaired)
