"""Calls of the Segment HTTP API, read as real SDKs send them."""

import re
from typing import Any, TypeVar

import msgspec

from services.tracker.arrival import Arrival
from services.tracker.clean import clean_id, clean_text, mended
from services.tracker.reasons import RefusedEventError, RefusedRequestError
from services.tracker.request import BATCH_EVENTS_MAX, EVENT_BYTES_MAX

_T = TypeVar("_T")


class Context(msgspec.Struct, gc=False):
    """What is asked of a call's context; SDKs send much more, and none of that is even read."""

    consent: Any = None
    kt_click: Any = None
    kt_person: Any = None
    traits: Any = None
    external_ids: Any = msgspec.field(default=None, name="externalIds")
    campaign: Any = None
    app: Any = None


_MaybeContext = Context | str | float | bool | list[Any] | None


class Call(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    """One call. Every field may be missing, null or of any type: SDKs differ."""

    type: Any = None
    event: Any = None
    name: Any = None
    category: Any = None
    message_id: Any = None
    user_id: Any = None
    anonymous_id: Any = None
    group_id: Any = None
    previous_id: Any = None
    properties: Any = None
    traits: Any = None
    context: _MaybeContext = None
    timestamp: Any = None
    original_timestamp: Any = None
    sent_at: Any = None
    write_key: Any = None
    # What SDKs send beside these and nothing here needs.
    integrations: msgspec.Raw = msgspec.Raw()
    channel: msgspec.Raw = msgspec.Raw()
    version: msgspec.Raw = msgspec.Raw()
    received_at: msgspec.Raw = msgspec.Raw()
    project_id: msgspec.Raw = msgspec.Raw()
    metadata: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="_metadata")


class _CallWithMore(Call, forbid_unknown_fields=False, gc=False):
    """A call that has other fields too."""


class Batch(msgspec.Struct, rename="camel"):
    """Several calls, each still as it was sent."""

    batch: list[msgspec.Raw]
    context: _MaybeContext = None
    """Of every call that has none of its own."""
    sent_at: Any = None
    write_key: Any = None


class _OnlyId(msgspec.Struct, rename="camel"):
    message_id: Any = None


_batch_decoder = msgspec.json.Decoder(Batch)
_call_decoder = msgspec.json.Decoder(Call)
_any_call_decoder = msgspec.json.Decoder(_CallWithMore)
_id_decoder = msgspec.json.Decoder(_OnlyId)

_UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)
_UNKNOWN_FIELD = re.compile(r"unknown field `(.*)`$", re.DOTALL)
_FIELD_LENGTH_MAX = 64


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


def read_single(body: bytes) -> tuple[Call, str | None]:
    """The body of a route that takes one call, and a field of it that calls do not have.

    Raises:
        RefusedRequestError: it is none.
    """
    try:
        return _call_decoder.decode(body), None
    except _UNREADABLE:
        pass
    try:
        return _decode_odd_call(body)
    except _UNREADABLE:
        raise RefusedRequestError("malformed") from None


def read_call(raw: bytes) -> tuple[Call, str | None]:
    """One call of a batch, and a field of it that calls do not have.

    Raises:
        RefusedEventError: it is none, or too large.
    """
    if len(raw) > EVENT_BYTES_MAX:
        raise RefusedEventError("event_too_large")
    try:
        return _call_decoder.decode(raw), None
    except _UNREADABLE:
        pass
    try:
        return _decode_odd_call(raw)
    except _UNREADABLE:
        raise RefusedEventError("event_malformed") from None


def message_id_of(raw: bytes, call: Call | None, arrival: Arrival, index: int) -> str:
    """The id that the answer names this call by: its own, or one made for it."""
    message_id = _id_only(raw) if call is None else call.message_id
    if isinstance(message_id, str) and message_id:
        return message_id
    return clean_id(message_id) or f"{arrival.request_id}-{index}"


def _id_only(raw: bytes) -> Any:
    try:
        return _decode(_id_decoder, raw).message_id
    except _UNREADABLE:
        return None


def _decode_odd_call(body: bytes) -> tuple[Call, str | None]:
    """A call that is broken where that can be mended, or has a field that calls do not have."""
    try:
        return _decode(_call_decoder, body), None
    except msgspec.ValidationError as error:
        unknown = _UNKNOWN_FIELD.search(str(error))
        if unknown is None:
            raise
    return _decode(_any_call_decoder, body), clean_text(unknown[1], _FIELD_LENGTH_MAX)


def _decode(decoder: msgspec.json.Decoder[_T], body: bytes) -> _T:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise  # it is JSON, of another shape
    except msgspec.DecodeError:
        return decoder.decode(mended(bytes(body)))
