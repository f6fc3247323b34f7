"""The envelope of one event, version 1, and the only way it becomes bytes and comes back.

The tracker writes it, the log carries it, the scorer reads it. A change of its shape is a new
version with golden files of its own in ``tests/golden``.
"""

import hashlib
from functools import lru_cache
from typing import Any, Literal, get_args

import msgspec

VERSION = 1

EventType = Literal[
    # what a person did
    "page",
    "site_search",
    "read",
    "play",
    "magazine_page",
    "download",
    "sign_up",
    "question",
    "comment",
    "ambassador_contacted",
    "share",
    "attend",
    "vacancy_viewed",
    "application_started",
    "applied",
    # what an employer's systems know
    "stage_changed",
    "rejected",
    "hired",
    "left",
    # mail
    "sent",
    "delivered",
    "open",
    "click",
    "bounce",
    "unsubscribe",
    "complaint",
    # who somebody is, what is known of them, and what they agreed to or took back
    "identified",
    "consent_changed",
    "custom",
    # somebody was put in a segment, or kept out of it, by hand
    "segment_listed",
    # somebody decided whether two identities are one person's; see services/contract/decision.py
    "identity_decision",
    # a person was erased; see services/contract/erasure.py
    "erased",
]
EVENT_TYPES: frozenset[str] = frozenset(get_args(EventType))

# A browser cannot say these: they come from a mailer, an ATS or another server of the employer.
SERVER_ONLY_TYPES: frozenset[str] = frozenset(
    {"applied", "stage_changed", "rejected", "hired", "left"}
    | {"sent", "delivered", "bounce", "complaint"}
)

LISTED: Literal["segment_listed"] = "segment_listed"
"""Said by the product alone: the segment is the content, ``list`` in, out or none."""

Channel = Literal[
    "website",
    "email",
    "magazine",
    "social",
    "ads",
    "podcast",
    "messaging",
    "meeting",
    "referral",
    "ats",
]
CHANNELS: frozenset[str] = frozenset(get_args(Channel))

MACHINE_THRESHOLD = 0.5
"""From this probability on a hit is taken for software's: kept, shown, but no evidence."""


LINK_SOURCE_ID = -1
"""The source of hits on our own links; no sender has it, so no sender can repeat their ids."""

UNSUBSCRIBED_MARK = "mark"
"""The property of an ``unsubscribe`` that names nobody: the person token of who may not be
followed, see services/tracker/unsubscribe.py."""


class Identity(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """One way to recognise somebody.

    ``namespace`` is ``user_id``, ``anonymous_id`` (a cookie), ``email``, ``person_token`` (from a
    mail link) or the name of another system; ``value`` is that system's own id.
    """

    namespace: str
    value: str


class Machine(msgspec.Struct, frozen=True, gc=False):
    """How probably software made this hit (0-1), and why we think so."""

    p: float = 0.0
    reasons: tuple[str, ...] = ()
    origin: str | msgspec.UnsetType = msgspec.UNSET
    """Where a click came from, as a mark that many places share and that is another one every
    day: see ``services/tracker/origin.py``. Only clicks on links that name a person have one."""


class Consent(msgspec.Struct, frozen=True, gc=False):
    """What the sender said the person agreed to; ``None`` where nothing was said.

    Purposes: ``measure`` (count me as a person), ``profile`` (score me), ``contact``.
    """

    measure: bool | None = None
    profile: bool | None = None
    contact: bool | None = None


class Agreement(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """How consent was said: its proof, and purposes that scoring does not ask about."""

    text_version: str | None = None
    """Of the words that were agreed to."""
    given_ms: int | None = None
    """When; never after ``received_ms``. Dated consent is an answer, undated a repetition."""
    asked_where: str | None = None
    """Where it was asked and is kept, as whoever told it to the API says."""
    specific: bool = False
    """It was given on this very site, where the browser says no for its user in general."""
    asserted: bool = False
    """Nothing was said of this person; the sender's standing declaration spoke."""
    objection: str | None = None
    """Of a no to ``profile`` that is an objection (GDPR 21): why, as somebody recorded it."""
    objection_by: str | None = None
    """Who recorded it."""
    purposes: dict[str, bool] = {}
    """``share``, ``contact_mail``, ``contact_phone``, ``contact_messaging``, as far as said."""


NO_PROOF = Agreement()
"""The one that is not written: a default is left out only where it is the same object."""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One thing that happened.

    An event without identities is one that counts but does not follow anybody: its sender had
    no consent for more. Times are UTC milliseconds since 1970.
    """

    v: int
    workspace_id: int
    event_id: bytes
    """16 bytes, see :func:`event_id_of`."""
    source_id: int
    type: EventType
    identities: tuple[Identity, ...] = ()
    occurred_ms: int
    """When it happened by its sender's corrected clock; never after ``received_ms``."""
    received_ms: int
    channel: Channel
    content_id: str | None = None
    content_type: str | None = None
    message_id: str | None = None
    """The mailing that this is an answer to: with the person it names one opportunity."""
    click_id: str | None = None
    """Shared by a redirect and the page it lands on, so that the two count once."""
    server_only: bool = False
    """True where a server key vouched for it; a browser cannot set it."""
    machine: Machine = Machine()
    consent: Consent = Consent()
    agreement: Agreement = NO_PROOF
    properties: dict[str, Any] = {}
    """What else the sender told; for ``identified`` the person's attributes."""


def content_type_of(told: str) -> str:
    """A type of content as it is kept and compared: `Vacancy` is no other one than `vacancy`."""
    return told.strip().lower()


class PoisonError(Exception):
    """A record that cannot be an event, with the reason that the dead letter shows."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def encode(event: Event) -> bytes:
    """The event as UTF-8 JSON, ``bytes`` in base64."""
    return _encoder.encode(event)


def decode(value: bytes) -> Event:
    """The event in a log record.

    Raises:
        PoisonError: the record is no event of a version that we can read.
    """
    try:
        event = _decoder.decode(value)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise PoisonError(f"not an event: {error}"[:300]) from None
    if event.v != VERSION:
        raise PoisonError(f"unknown envelope version {event.v}")
    if len(event.event_id) != 16:
        raise PoisonError("event_id is not 16 bytes")
    return event


def event_id_of(workspace_id: int, source_id: int, message_id: str) -> bytes:
    """16 bytes that are the same for every copy of one message from one source (BLAKE2b-128)."""
    hasher = _hasher(workspace_id, source_id, 16).copy()
    hasher.update(message_id.encode("utf-8", "surrogatepass"))
    return hasher.digest()


def nobodys_id(event_id: bytes, secret: bytes) -> bytes:
    """The id of an event that is about nobody, keyed (BLAKE2b-128): the same for every copy.

    Senders write user ids and addresses into their messageId. Whoever guesses one would find
    the plain hash of it.

    Args:
        event_id: as it would be of somebody's.
        secret: of the workspace, which stays; at most 64 bytes of it count.
    """
    key = secret[: hashlib.blake2b.MAX_KEY_SIZE]
    return hashlib.blake2b(event_id, digest_size=16, key=key, person=b"nobody").digest()


def record_key(event: Event) -> bytes:
    """The log's partitioning key: one identity's events share a partition, in order.

    A pseudonym, so that the broker's keys name nobody; events of nobody spread by their id.
    """
    if not event.identities:
        return event.event_id[:8]
    first = primary(event.identities)
    hasher = _hasher(event.workspace_id, first.namespace, 8).copy()
    hasher.update(first.value.encode())
    return hasher.digest()


@lru_cache(maxsize=1024)
def _hasher(workspace_id: int, within: int | str, size: int) -> hashlib.blake2b:
    """A hash that has taken in a text's beginning, to be copied: half of the cost of making one."""
    return hashlib.blake2b(f"{workspace_id}\x1f{within}\x1f".encode(), digest_size=size)


_STRENGTH = {"user_id": 0, "email": 1, "person_token": 8, "anonymous_id": 9}
_MIDDLING = 2


def strength(namespace: str) -> int:
    """How surely a namespace names one human being: smaller is surer."""
    return _STRENGTH.get(namespace, _MIDDLING)


def primary(identities: tuple[Identity, ...]) -> Identity:
    """The surest of an event's identities: the one that the event is stored under."""
    best = identities[0]
    if len(identities) == 1:
        return best
    least = _STRENGTH.get(best.namespace, _MIDDLING)
    for one in identities[1:]:
        own = _STRENGTH.get(one.namespace, _MIDDLING)
        if own < least or (own == least and one < best):
            best, least = one, own
    return best
