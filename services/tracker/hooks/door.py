"""``POST /hooks/{esp}/{hook id}``: what mailers tell of the mails that they sent."""

from typing import Any

from services.contract.event import Event
from services.contract.hook import PROOFS, Esp, HookEntry
from services.tracker import answers
from services.tracker.accepted import Accepted
from services.tracker.answers import Result
from services.tracker.consent import judged
from services.tracker.directory import Directory
from services.tracker.hooks import brevo, generic, mailgun, mandrill, postmark, sendgrid, ses
from services.tracker.hooks.errand import FetchCertificate
from services.tracker.hooks.event import event_of, heeded, is_own_link
from services.tracker.hooks.sns import CertificateAwaitedError
from services.tracker.hooks.told import Mail, Read, Reading, Unread
from services.tracker.reasons import EventReason, Reason, RefusedRequestError, RequestReason
from services.tracker.request import Request

_PREFIX = "/hooks/"

_READERS: dict[Esp, Read] = {
    "sendgrid": sendgrid.read,
    "postmark": postmark.read,
    "mailgun": mailgun.read,
    "ses": ses.read,
    "brevo": brevo.read,
    "mandrill": mandrill.read,
    "generic": generic.read,
}

_THERE = answers.json_reply(200, b"")
_STORED = Result("stored")


def take(request: Request, directory: Directory, now_ms: int) -> Accepted:
    """Decide a mailer's request.

    Args:
        request: read and decompressed; HEAD and GET ask only whether the address is right.
        directory: the snapshot, arranged for look-ups, with what was fetched and seen.
        now_ms: UTC milliseconds.

    Raises:
        RefusedRequestError: there is no such hook, or its mailer did not send this.
    """
    esp, _, hook_id = request.path[len(_PREFIX) :].partition("/")
    hook = directory.hook_of(hook_id)
    if hook is None or hook.esp != esp:
        raise RefusedRequestError("no_hook")
    if request.method != "POST":
        return Accepted(_THERE)
    if not hook.secrets.keys() >= set(PROOFS[hook.esp]):
        raise RefusedRequestError("hook_unfinished")
    try:
        reading = _READERS[hook.esp](request, hook, directory.memory, now_ms)
    except CertificateAwaitedError as awaited:
        reason: RequestReason = "certificate_awaited"
        fetch = FetchCertificate(awaited.url)
        return Accepted(answers.problem(reason), reasons=[reason], errands=(fetch,))
    return _answer(reading, hook, directory, now_ms)


def _answer(reading: Reading, hook: HookEntry, directory: Directory, now_ms: int) -> Accepted:
    events: list[Event] = []
    noticed: list[Reason] = []
    results: dict[str, Result] = {}
    position: str | None = None
    for told in reading.events:
        event, result = _taken(told, hook, directory, now_ms, noticed)
        results[told.id] = result
        if event is not None:
            events.append(event)
            position = event.event_id.hex() if result is _STORED else position
    reply = answers.collected(position, results)
    return Accepted(reply, events, reasons=noticed, errands=reading.errands)


def _taken(
    told: Mail | Unread,
    hook: HookEntry,
    directory: Directory,
    now_ms: int,
    noticed: list[Reason],
) -> tuple[Event | None, Result]:
    """What one event comes to."""
    refused: EventReason | None = told.reason if isinstance(told, Unread) else None
    if isinstance(told, Mail) and is_own_link(told, hook.workspace_id, directory):
        refused = "own_link"
    if refused is not None or isinstance(told, Unread):
        return None, _noted("refused", refused, noticed)
    event = event_of(told, hook, directory, now_ms, noticed)
    kept, reason = judged(event, directory, privacy_signal=False)
    return heeded(event, kept, directory), _STORED if reason is None else _noted(
        "counted", reason, noticed
    )


def _noted(status: str, reason: Any, noticed: list[Reason]) -> Result:
    noticed.append(reason)
    return Result(status, reason)
