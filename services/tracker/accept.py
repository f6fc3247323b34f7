"""The tracker's decision: one request in, events and an answer out. No I/O, no clock, no chance.

The way of a request: its route; who sends it; its calls or its token; per event what happened,
who it was, and whether that may be kept; then the answer. The answer is sent after the events
are stored.
"""

from typing import Any

import msgspec

from services.contract.event import Event
from services.contract.snapshot import KeyEntry
from services.tracker import answers, hits, segment
from services.tracker.answers import Reply, Result
from services.tracker.arrival import Arrival
from services.tracker.consent import has_privacy_signal, judged
from services.tracker.directory import Directory
from services.tracker.machine import UNJUDGED, label
from services.tracker.reasons import Reason, RefusedEventError, RefusedRequestError
from services.tracker.request import EVENT_BYTES_MAX, Request
from services.tracker.senders import sender_of
from services.tracker.tokens import read_token


class Accepted(msgspec.Struct, frozen=True):
    """What one request came to."""

    reply: Reply
    """Sent once the events are stored."""
    events: list[Event] = []
    answers_anyway: bool = False
    """Whether the reply is sent even if the events cannot be stored: pixels and redirects."""
    reasons: list[Reason] = []
    """Everything refused, counted or found wrong, each to be counted in the metrics."""


def accept(request: Request, directory: Directory, now_ms: int) -> Accepted:
    """Decide one request to a collecting route.

    Args:
        request: read and decompressed.
        directory: the snapshot, arranged for look-ups.
        now_ms: UTC milliseconds; every event is received now.
    """
    path = request.path
    if path.startswith("/c/"):
        return _click(request, path[3:], directory, now_ms)
    if path.startswith("/o/"):
        return _open(request, path[3:].removesuffix(".gif"), directory, now_ms)
    if path == "/p.gif":
        return _pixel(request, directory, now_ms)
    try:
        return _calls(request, directory, now_ms)
    except RefusedRequestError as refused:
        return Accepted(answers.problem(refused.reason), reasons=[refused.reason])


def _calls(request: Request, directory: Directory, now_ms: int) -> Accepted:
    route = request.path.removeprefix("/v1/")
    if route == "batch":
        batch = segment.read_batch(request.body)
        sender = sender_of(request, directory, batch.write_key)
        arrival = _arrival(request, sender, directory, now_ms)
        return _answer(
            [_from_batch(raw, batch, i, arrival) for i, raw in enumerate(batch.batch)], arrival
        )
    call = segment.read_single(request.body)
    sender = sender_of(request, directory, call.write_key)
    arrival = _arrival(request, sender, directory, now_ms)
    message_id = segment.message_id_of(b"", call, arrival, 0)
    if len(request.body) > EVENT_BYTES_MAX:
        return _answer(
            [_refused(message_id, RefusedEventError("event_too_large"), arrival)], arrival
        )
    return _answer([_from_call(call, route, message_id, arrival)], arrival)


_Taken = tuple[str, Result, Event | None]
"""An event's messageId, what the answer says of it, and the event unless it was refused."""

_STORED = Result("stored")


def _from_batch(raw: msgspec.Raw, batch: segment.Batch, index: int, arrival: Arrival) -> _Taken:
    body = bytes(raw)
    try:
        call = segment.read_call(body)
    except RefusedEventError as refused:
        return _refused(segment.message_id_of(body, None, arrival, index), refused, arrival)
    if call.sent_at is None:
        call.sent_at = batch.sent_at
    message_id = segment.message_id_of(body, call, arrival, index)
    return _from_call(call, call.type, message_id, arrival)


def _from_call(call: segment.Call, kind: Any, message_id: str, arrival: Arrival) -> _Taken:
    try:
        event = segment.event_of_call(call, kind, message_id, arrival)
    except RefusedEventError as refused:
        return _refused(message_id, refused, arrival)
    event, reason = judged(event, privacy_signal=arrival.privacy_signal)
    if reason is None:
        return message_id, _STORED, event
    arrival.noticed.append(reason)
    return message_id, Result("counted", reason), event


def _refused(message_id: str, refused: RefusedEventError, arrival: Arrival) -> _Taken:
    arrival.noticed.append(refused.reason)
    return message_id, Result("refused", refused.reason), None


def _answer(taken: list[_Taken], arrival: Arrival) -> Accepted:
    events = [event for _, _, event in taken if event is not None]
    followed = [event for _, result, event in taken if event is not None and result is _STORED]
    reply = answers.collected(
        followed[-1].event_id.hex() if followed else None,
        {message_id: result for message_id, result, _ in taken},
    )
    return Accepted(reply, events, reasons=arrival.noticed)


def _open(request: Request, text: str, directory: Directory, now_ms: int) -> Accepted:
    token = read_token(text, directory)
    if token is None:
        return _gif(reasons=["bad_token"])
    sender = hits.sender_of_links(token.workspace_id)
    arrival = _arrival(request, sender, directory, now_ms)
    event = hits.event_of_token(token, "open", arrival)
    return _gif([event], arrival.noticed)


def _click(request: Request, text: str, directory: Directory, now_ms: int) -> Accepted:
    token = read_token(text, directory)
    if token is None:
        return Accepted(answers.NO_SUCH_LINK, reasons=["bad_token"])
    sender = hits.sender_of_links(token.workspace_id)
    arrival = _arrival(request, sender, directory, now_ms)
    event = hits.event_of_token(token, "click", arrival)
    reply = hits.redirect_of(token, event)
    if reply is None:
        return Accepted(answers.NO_SUCH_LINK, reasons=["unsafe_target"])
    return Accepted(reply, [event], answers_anyway=True, reasons=arrival.noticed)


def _pixel(request: Request, directory: Directory, now_ms: int) -> Accepted:
    try:
        key, call = hits.call_of_pixel(request)
    except ValueError:
        return _gif(reasons=["event_malformed"])
    sender = hits.sender_of_pixel(key, directory)
    if sender is None:
        return _gif(reasons=["bad_key"])
    arrival = _arrival(request, sender, directory, now_ms)
    message_id = segment.message_id_of(b"", call, arrival, 0)
    _, _, event = _from_call(call, "page", message_id, arrival)
    return _gif([event] if event else [], arrival.noticed)


def _gif(events: list[Event] | None = None, reasons: list[Reason] | None = None) -> Accepted:
    return Accepted(answers.PIXEL, events or [], answers_anyway=True, reasons=reasons or [])


def _arrival(request: Request, sender: KeyEntry, directory: Directory, now_ms: int) -> Arrival:
    from_browser = sender.kind == "write"
    return Arrival(
        sender=sender,
        directory=directory,
        request_id=request.request_id,
        received_ms=now_ms,
        machine=label(request.method, request.headers) if from_browser else UNJUDGED,
        privacy_signal=has_privacy_signal(request.headers),
        noticed=[],
    )
