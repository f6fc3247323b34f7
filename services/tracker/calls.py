"""Calls of the Segment HTTP API, one or many in a request: which are stored, and the answer."""

from typing import Any

import msgspec

from services.contract.event import MACHINE_THRESHOLD, Event
from services.tracker import answers, meaning, segment
from services.tracker.accepted import Accepted
from services.tracker.answers import Result
from services.tracker.arrival import Arrival, arrival_of
from services.tracker.consent import judged
from services.tracker.directory import Directory
from services.tracker.reasons import Doubt, RefusedEventError
from services.tracker.request import EVENT_BYTES_MAX, Request
from services.tracker.senders import sender_of


def single(kind: str, request: Request, directory: Directory, now_ms: int) -> Accepted:
    """Decide a request that holds one call.

    Args:
        kind: of the call, as ``track``; the route says it.
        request: read and decompressed.
        directory: the snapshot, arranged for look-ups.
        now_ms: UTC milliseconds.

    Raises:
        RefusedRequestError: it is refused as a whole.
    """
    call, unknown_field = segment.read_single(request.body)
    sender = sender_of(request, directory, call.write_key)
    arrival = arrival_of(request, sender, directory, now_ms)
    if unknown_field is not None:
        arrival.doubt("unknown_field", unknown_field)
    message_id = segment.message_id_of(b"", call, arrival, 0)
    if len(request.body) > EVENT_BYTES_MAX:
        return _answer(
            [_refused(message_id, RefusedEventError("event_too_large"), arrival)], arrival
        )
    return _answer([taken_of(call, kind, message_id, arrival)], arrival)


def batch(request: Request, directory: Directory, now_ms: int) -> Accepted:
    """Decide a request that holds several calls, each on its own; see :func:`single`."""
    calls = segment.read_batch(request.body)
    sender = sender_of(request, directory, calls.write_key)
    arrival = arrival_of(request, sender, directory, now_ms)
    return _answer(
        [_from_batch(raw, calls, i, arrival) for i, raw in enumerate(calls.batch)], arrival
    )


def forgotten(request: Request, directory: Directory, now_ms: int) -> Accepted:
    """Decide what browser SDKs post about themselves, without a key: nothing is kept of it."""
    del request, directory, now_ms
    return Accepted(answers.FORGOTTEN)


Taken = tuple[str, Result, Event | None]
"""An event's messageId, what the answer says of it, and the event unless it was refused."""

_STORED = Result("stored")


def taken_of(call: segment.Call, kind: Any, message_id: str, arrival: Arrival) -> Taken:
    """What one call comes to; what is wrong with it is noticed in ``arrival``."""
    try:
        event = meaning.event_of_call(call, kind, message_id, arrival)
    except RefusedEventError as refused:
        return _refused(message_id, refused, arrival)
    event, reason = judged(event, arrival.directory, privacy_signal=arrival.privacy_signal)
    if reason is not None:
        arrival.noticed.append(reason)
    if reason is None and event.machine.p >= MACHINE_THRESHOLD:
        arrival.doubt("taken_for_machine")
    if reason is None and not arrival.doubts:
        return message_id, _STORED, event
    status = "stored" if reason is None else "counted"
    return message_id, Result(status, reason, _doubts(arrival)), event


def _from_batch(raw: msgspec.Raw, calls: segment.Batch, index: int, arrival: Arrival) -> Taken:
    try:
        call, unknown_field = segment.read_call(raw)
    except RefusedEventError as refused:
        return _refused(segment.message_id_of(raw, None, arrival, index), refused, arrival)
    if unknown_field is not None:
        arrival.doubt("unknown_field", unknown_field)
    if call.sent_at is None:
        call.sent_at = calls.sent_at
    if call.context is None:
        call.context = calls.context
    message_id = segment.message_id_of(raw, call, arrival, index)
    return taken_of(call, call.type, message_id, arrival)


def _doubts(arrival: Arrival) -> tuple[Doubt, ...]:
    """Those about the event in hand; the next one begins without."""
    doubts, arrival.doubts = tuple(arrival.doubts), []
    return doubts


def _refused(message_id: str, refused: RefusedEventError, arrival: Arrival) -> Taken:
    arrival.noticed.append(refused.reason)
    return message_id, Result("refused", refused.reason, _doubts(arrival)), None


def _answer(taken: list[Taken], arrival: Arrival) -> Accepted:
    events: list[Event] = []
    results: dict[str, Result] = {}
    followed: Event | None = None
    for message_id, result, event in taken:
        results[message_id] = result
        if event is not None:
            events.append(event)
            if result is _STORED or result.is_stored:
                followed = event
    if len(results) < len(taken):
        results = _merged(taken, arrival)
    reply = answers.collected(None if followed is None else followed.event_id.hex(), results)
    return Accepted(reply, events, reasons=arrival.noticed)


def _merged(taken: list[Taken], arrival: Arrival) -> dict[str, Result]:
    """The results where ids stand more than once: the last that was kept, and the warning."""
    results: dict[str, Result] = {}
    for message_id, result, event in taken:
        before = results.get(message_id)
        if before is None:
            results[message_id] = result
            continue
        arrival.doubt("message_id_repeated", "messageId")
        kept = before if event is None else result
        warnings = before.warnings + result.warnings + _doubts(arrival)
        results[message_id] = Result(kept.status, kept.reason, warnings)
    return results
