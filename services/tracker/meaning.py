"""What a call of the Segment spec means: one event."""

from typing import Any

import msgspec

from services.contract.decision import DECIDED
from services.contract.erasure import ERASED
from services.contract.event import (
    CHANNELS,
    LISTED,
    NO_PROOF,
    SERVER_ONLY_TYPES,
    VERSION,
    Agreement,
    Channel,
    Consent,
    Event,
    EventType,
    Identity,
    content_type_of,
    event_id_of,
)
from services.contract.special_category import (
    category_of,
    category_of_topic,
    lawful_part,
    names_within,
)
from services.tracker import names
from services.tracker.arrival import Arrival
from services.tracker.clean import clean_id, clean_object, clean_text, is_clean
from services.tracker.consent import (
    from_preferences,
    from_words,
    proof_of,
    proof_with_assertion,
    with_assertion,
)
from services.tracker.identities import id_of, identities_of
from services.tracker.occurred import occurred_ms
from services.tracker.reasons import RefusedEventError
from services.tracker.segment import Call, Context
from services.tracker.tokens import read_person

_MAIL_TYPES = frozenset(
    {"sent", "delivered", "open", "click", "bounce", "unsubscribe", "complaint"}
)
_LIFTED = frozenset({"content_id", "content_type", "click_id", "channel"})
_BY_US: dict[str, EventType] = {DECIDED: DECIDED, LISTED: LISTED, ERASED: ERASED}
"""What only the product itself may say, under these names."""
_WHO = frozenset({"identify", "group", "alias"})
_NAMING: dict[EventType, int] = {DECIDED: 2, LISTED: 1}
"""What the product says of identities, and of how many."""


def event_of_call(call: Call, kind: Any, message_id: str, arrival: Arrival) -> Event:
    """The event that a call means, with all that it says; consent is judged after it.

    Args:
        call: as it came.
        kind: ``track``, ``page``, ``screen``, ``identify``, ``group`` or ``alias``.
        message_id: by :func:`services.tracker.segment.message_id_of`.
        arrival: the request around it; what its sender should hear of is noticed in it.

    Raises:
        RefusedEventError: it is no event, or one that this sender must not send.
    """
    sender = arrival.sender
    context = call.context if isinstance(call.context, Context) else _NO_CONTEXT
    said = _object(call.properties)
    content_type = id_of(said.get("content_type"), "content_type", arrival)
    if content_type is not None:
        content_type = content_type_of(content_type)
    event_type = _type_of(kind, call, content_type, arrival)
    if sender.kind == "write" and event_type in SERVER_ONLY_TYPES:
        raise RefusedEventError("server_only_type")
    identities, consent, agreement = _who(kind, call, context, said, arrival)
    wanted = _NAMING.get(event_type, len(identities))
    if len(identities) != wanted or (event_type == ERASED and not identities):
        raise RefusedEventError("no_identity")
    at_ms, doubt = occurred_ms(
        call.original_timestamp, call.timestamp, call.sent_at, arrival.received_ms
    )
    if doubt is not None:
        arrival.doubt(
            doubt, "timestamp" if call.original_timestamp is None else "originalTimestamp"
        )
    return Event(
        v=VERSION,
        workspace_id=sender.workspace_id,
        event_id=event_id_of(sender.workspace_id, sender.source_id, message_id),
        source_id=sender.source_id,
        type=event_type,
        identities=tuple(identities),
        occurred_ms=at_ms,
        received_ms=arrival.received_ms,
        channel=_channel_of(said, event_type, arrival),
        content_id=id_of(said.get("content_id"), "content_id", arrival),
        content_type=content_type,
        message_id=_mailing_of(said) if event_type in _MAIL_TYPES else None,
        click_id=clean_id(context.kt_click or said.get("click_id")),
        server_only=sender.kind != "write",
        machine=arrival.machine,
        consent=consent,
        agreement=agreement,
        properties=_told(kind, event_type, call, context, said, arrival),
    )


def _type_of(kind: Any, call: Call, content_type: str | None, arrival: Arrival) -> EventType:
    if kind == "track":
        if not isinstance(call.event, str) or not call.event.strip():
            raise RefusedEventError("field_missing")
        event_type = names.type_of_track(call.event)
        if event_type == "custom" and names.is_nearly_known(call.event):
            arrival.doubt("misspelt_name", "event")
        return event_type
    if kind in ("page", "screen"):
        return names.type_of_page(content_type)
    if isinstance(kind, str) and kind in _WHO:
        return "identified"
    if arrival.sender.kind == "internal" and isinstance(kind, str) and kind in _BY_US:
        return _BY_US[kind]
    raise RefusedEventError("unknown_call")


def _who(
    kind: Any, call: Call, context: Context, said: dict[str, Any], arrival: Arrival
) -> tuple[list[Identity], Consent, Agreement]:
    consent_said = _consent_said(context.consent, arrival)
    consent = with_assertion(consent_said, arrival.sender)
    agreement = _agreement(context.consent, said, arrival)
    if consent is not consent_said:
        agreement = proof_with_assertion(agreement, consent_said, consent)
    # What a group is told to have is the group's: its mail address names no person.
    traits = call.traits if kind != "group" else None
    emails = (
        None if traits is None else _object(traits).get("email"),
        None if context.traits is None else _object(context.traits).get("email"),
        said.get("email"),
    )
    identities = identities_of(kind, call, emails, context.external_ids, arrival)
    half = context.kt_person
    if not isinstance(half, str) or not half:
        return identities, consent, agreement
    recipient = read_person(half, arrival.sender.workspace_id, arrival.directory)
    if recipient is None:
        arrival.noticed.append("bad_person")
    if recipient is None or not recipient.measure:
        return identities, consent, agreement
    token = Identity("person_token", recipient.person_token)
    if consent.measure is None:
        # The mail's recipient agreed to be measured; the browser's cookie did not.
        return [token], Consent(measure=True, profile=recipient.profile or None), NO_PROOF
    return [*identities, token], consent, agreement


def _agreement(consent: Any, said: dict[str, Any], arrival: Arrival) -> Agreement:
    if not isinstance(consent, dict):
        return NO_PROOF
    if "text_version" in said:  # as the script tells it
        consent = {"textVersion": said["text_version"], **consent}
    proof = proof_of(consent, arrival.received_ms)
    told = {_OURS[name]: clean_id(consent[name]) for name in _OURS.keys() & consent.keys()}
    if arrival.sender.kind != "internal" or not told:
        return proof
    return msgspec.structs.replace(proof, **told)


_OURS = {"askedWhere": "asked_where", "objection": "objection", "objectionBy": "objection_by"}
"""What the product's own key alone may say of consent, and what that is called in events."""


def _consent_said(consent: Any, arrival: Arrival) -> Consent:
    if isinstance(consent, str):
        return from_words(consent)
    preferences = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    read = from_preferences(preferences)
    if preferences is not None and (read.measure is None or read.profile is None):
        told = _object(preferences)
        if not isinstance(preferences, dict) or any(
            getattr(read, purpose) is None and told.get(purpose) is not None
            for purpose in ("measure", "profile")
        ):
            arrival.doubt("consent_unreadable", "consent")
    return read


def _channel_of(said: dict[str, Any], event_type: EventType, arrival: Arrival) -> Channel:
    channel = said.get("channel")
    if isinstance(channel, str) and channel in CHANNELS:
        return channel  # type: ignore[return-value]
    if channel is not None:
        arrival.doubt("unknown_channel", "channel")
    return names.channel_of(event_type)


def _mailing_of(said: dict[str, Any]) -> str | None:
    for name in ("campaign_id", "message_id", "email_id"):
        if mailing := clean_id(said.get(name)):
            return mailing
    return None


def _told(
    kind: Any,
    event_type: EventType,
    call: Call,
    context: Context,
    said: dict[str, Any],
    arrival: Arrival,
) -> dict[str, Any]:
    """What is kept beside the envelope's own fields; of ``identified`` the person's attributes."""
    if event_type == "identified":
        return _attributes(kind, call, context, arrival)
    told = _cleaned(
        {name: value for name, value in said.items() if name not in _LIFTED}, "properties", arrival
    )
    _leave_out_topics(told, arrival)
    name = call.event if event_type == "custom" else call.name
    if name is not None and (text := clean_id(name)):
        told["name"] = text
    if isinstance(call.category, str) and call.category:
        told.setdefault("category", clean_text(call.category))
    if context.campaign and isinstance(context.campaign, dict):
        told["campaign"] = clean_object(context.campaign)
    if kind == "screen" and (app := clean_id(_object(context.app).get("name"))):
        told.setdefault("app", app)
    return told


def _leave_out_topics(told: dict[str, Any], arrival: Arrival) -> None:
    """Nobody's interest in health, age and the like is kept."""
    topics = told.get("topics")
    if not isinstance(topics, list):
        return
    lawful = [one for one in topics if not isinstance(one, str) or category_of_topic(one) is None]
    if len(lawful) < len(topics):
        told["topics"] = lawful
        arrival.doubt("special_category", "topics")


def _attributes(kind: Any, call: Call, context: Context, arrival: Arrival) -> dict[str, Any]:
    if kind == "alias":
        return {}
    if kind == "group":
        return _of_group(call, arrival)
    traits = {**_object(context.traits), **_object(call.traits)}
    told = _cleaned(traits, "traits", arrival)
    if not any(map(category_of, names_within(told))):
        return told
    arrival.doubt("special_category", "traits")
    lawful: dict[str, Any] = lawful_part(told)
    return lawful


def _of_group(call: Call, arrival: Arrival) -> dict[str, Any]:
    """Which group the person is in, and what is known of it, apart from what is known of them."""
    group = id_of(call.group_id, "groupId", arrival)
    if group is None:
        raise RefusedEventError("field_missing")
    traits = _cleaned(_object(call.traits), "traits", arrival)
    return {f"group_{name}": value for name, value in traits.items()} | {"group_id": group}


def _cleaned(told: dict[str, Any], field: str, arrival: Arrival) -> dict[str, Any]:
    if is_clean(told):
        return told
    clean = clean_object(told)
    if clean != told:
        arrival.doubt("shortened", field)
    return clean


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else _NOTHING


_NOTHING: dict[str, Any] = {}
_NO_CONTEXT = Context()
