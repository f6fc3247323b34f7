"""Unsubscribing by a signed link: asked on a page, or by one click of the mail program (RFC 8058).

Looking never unsubscribes: scanners and previews open every link. A wish is heeded whatever was
agreed to. Of somebody who may not be followed it keeps nothing but the mark, a keyed hash of the
identity that the mail went to, and when: enough to leave that address out, and no more.
"""

import hashlib
from base64 import b64encode
from email import policy
from email.parser import BytesParser
from urllib.parse import parse_qsl

from msgspec.structs import replace

from services.contract.event import (
    LINK_SOURCE_ID,
    UNSUBSCRIBED_MARK,
    VERSION,
    Agreement,
    Event,
    Identity,
    event_id_of,
)
from services.contract.token import Unsubscribe, read_unsubscribe
from services.tracker.accepted import Accepted
from services.tracker.answers import NO_SUCH_LINK, Reply
from services.tracker.consent import has_privacy_signal
from services.tracker.directory import Directory
from services.tracker.request import Request

PREFIX = "/u/"
_FIELD, _ONE_CLICK = "List-Unsubscribe", "One-Click"
_BODY_BYTES_MAX = 4_096
_SAME_MS = 60_000

_STYLE = (
    "body{font:1.1em/1.5 sans-serif;max-width:32em;margin:15vh auto;padding:0 1em}"
    "button{font:inherit;padding:.5em 1em}"
)
_POLICY = (
    "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; style-src "
    f"'sha256-{b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)
_WORDS = {
    "en": (
        ("Unsubscribe", "Do you no longer want to get these mails?", "Unsubscribe me"),
        ("Unsubscribed", "You will get no more of these mails."),
    ),
    "nl": (
        ("Afmelden", "Wilt u deze mails niet meer ontvangen?", "Meld mij af"),
        ("Afgemeld", "U ontvangt deze mails niet meer."),
    ),
}


def _page(language: str, title: str, text: str, button: str | None = None) -> Reply:
    form = (
        f'<form method=post><input type=hidden name="{_FIELD}" value="{_ONE_CLICK}">'
        f"<button>{button}</button></form>"
    )
    body = (
        f'<!doctype html><html lang={language}><meta charset=utf-8><meta name=viewport content="'
        f'width=device-width"><title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>'
        f"<p>{text}</p>{form if button else ''}"
    ).encode()
    headers = (
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"content-security-policy", _POLICY.encode()),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-robots-tag", b"noindex"),
        (b"vary", b"accept-language"),
        (b"cache-control", b"no-store"),
    )
    return Reply(200, headers, body)


ASK = {language: _page(language, *words[0]) for language, words in _WORDS.items()}
DONE = {language: _page(language, *words[1]) for language, words in _WORDS.items()}


def unsubscribe(request: Request, directory: Directory, now_ms: int) -> Accepted:
    """Decide ``/u/{token}``: a page that asks, or the wish of who was asked."""
    read = read_unsubscribe(request.path[len(PREFIX) :], directory.secret_of)
    if read is None:
        return Accepted(NO_SUCH_LINK, reasons=["bad_token"])
    language = language_of(request.header(b"accept-language"))
    if request.method != "POST" or not is_wish(request):
        return Accepted(ASK[language])
    workspace_id, wish = read
    who = (Identity("person_token", wish.person_token),)
    followed = (
        wish.measure
        and not has_privacy_signal(request.headers)
        and directory.withdrawn(workspace_id, who)[0] is None
    )
    return Accepted(DONE[language], [event_of(wish, workspace_id, now_ms, followed=followed)])


def event_of(wish: Unsubscribe, workspace_id: int, now_ms: int, *, followed: bool) -> Event:
    """The event of a wish; said twice within a minute from the same mail it is one.

    No longer: between the two they may have agreed again.
    """
    words = f"unsubscribe:{wish.person_token}:{wish.message_id}:{now_ms // _SAME_MS}"
    event = Event(
        v=VERSION,
        workspace_id=workspace_id,
        event_id=event_id_of(workspace_id, LINK_SOURCE_ID, words),
        source_id=LINK_SOURCE_ID,
        type="unsubscribe",
        occurred_ms=now_ms,
        received_ms=now_ms,
        channel="email",
    )
    if not followed:
        return replace(event, properties={UNSUBSCRIBED_MARK: wish.person_token})
    return replace(
        event,
        identities=(Identity("person_token", wish.person_token),),
        message_id=wish.message_id,
        agreement=Agreement(given_ms=now_ms, purposes={"contact_mail": False}),
    )


def is_wish(request: Request) -> bool:
    """Whether the body is what the form and mail programs send, in either of a form's encodings."""
    if len(request.body) > _BODY_BYTES_MAX:
        return False
    kind = request.header(b"content-type")
    if kind.lower().startswith("multipart/form-data"):
        return _is_wish_in_parts(kind, request.body)
    fields = parse_qsl(request.body.decode("latin-1").strip(), keep_blank_values=True)
    return fields == [(_FIELD, _ONE_CLICK)]


def _is_wish_in_parts(content_type: str, body: bytes) -> bool:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1")
    try:
        message = BytesParser(policy=policy.HTTP).parsebytes(head + body)
        fields = [
            (part.get_param("name", header="content-disposition"), part.get_payload(decode=True))
            for part in message.walk()
            if not part.is_multipart()
        ]
    except (IndexError, ValueError):  # its parser falls over headers that break off
        return False
    return [(name, value.strip()) for name, value in fields if isinstance(value, bytes)] == [
        (_FIELD, _ONE_CLICK.encode())
    ]


def language_of(accepted: str) -> str:
    """Dutch where the browser names it before English, else English."""
    for part in accepted.lower().split(","):
        language = part.strip()[:2]
        if language in _WORDS:
            return language
    return "en"
