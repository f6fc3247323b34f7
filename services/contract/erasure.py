"""Erasing a person: an event like all else, and what it leaves of the events of whom it names.

The event names the person's identities as they were known. Kept of it are marks alone: keyed
hashes by which events of an erased identity are known again, late and repeated ones too, and by
which nobody is found who is not known already. Fresh consent lifts the mark of who says it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

import msgspec

from services.contract.circles import COOKIE, TOKEN
from services.contract.consent import is_answer, said_ms, stripped
from services.contract.decision import DECIDED
from services.contract.event import (
    Consent,
    Event,
    Identity,
    Machine,
    PoisonError,
    primary,
)
from services.contract.phases import DAY_MS
from services.contract.terms import NEVER_MS
from services.contract.withdrawal import mark_of

ERASED: Literal["erased"] = "erased"
"""The type of such an event."""

ErasureReason = Literal[
    "erased",  # somebody asked for it
    "retention",  # nothing was heard of the person for as long as the workspace keeps people
]
REASONS: frozenset[str] = frozenset(get_args(ErasureReason))
PROOFS_KEPT_MS = 5 * 365 * DAY_MS + DAY_MS
"""After an erasure: as long as somebody may claim that there had been no consent."""
_REFUSED = Consent(measure=False, profile=False)
_OWN = frozenset({COOKIE, TOKEN})
_NOBODY = Machine()


class Span(NamedTuple):
    """A browser that several people used, as long as it was the person's: [from_ms, to_ms)."""

    identity: Identity
    from_ms: int
    to_ms: int


class Erasure(NamedTuple):
    """What is to be erased, and why."""

    identities: tuple[Identity, ...]
    """Those that were the person's alone."""
    spans: tuple[Span, ...]
    at_ms: int
    reason: ErasureReason


class Tomb(NamedTuple):
    """Of one identity: nothing of [from_ms, to_ms) is kept, until consent was given anew."""

    from_ms: int
    to_ms: int
    """``NEVER_MS``: of the identity, whatever comes."""
    erased_ms: int
    lifted_ms: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the identity was the person's alone."""
        return self.to_ms == NEVER_MS

    def covers(self, at_ms: int) -> bool:
        """Whether what happened then is erased."""
        end_ms = self.to_ms if self.lifted_ms is None else self.lifted_ms
        return self.from_ms <= at_ms < end_ms


Tombs = Mapping[Identity, Sequence[Tomb]]


def erased_in(event: Event) -> Erasure:
    """What an ``erased`` event erases.

    Raises:
        PoisonError: it names nobody, or no reason or spans that we know.
    """
    reason = event.properties.get("reason")
    if reason not in REASONS or not (event.identities or event.properties.get("marks")):
        raise PoisonError("an erasure without a reason, or of nobody")
    try:
        listed = msgspec.convert(event.properties.get("spans", []), list[tuple[str, str, int, int]])
    except msgspec.ValidationError:
        raise PoisonError("an erasure with spans that are none") from None
    spans = tuple(
        Span(Identity(namespace, value), from_ms, min(to_ms, event.occurred_ms))
        for namespace, value, from_ms, to_ms in listed
    )
    return Erasure(event.identities, spans, event.occurred_ms, reason)


def kept_of_word(event: Event, secret: bytes) -> Event:
    """An ``erased`` event as it is stored: why, by which key, and marks that name nobody."""
    named = [*event.identities, *(span.identity for span in erased_in(event).spans)]
    told: dict[str, Any] = {
        name: value
        for name, value in event.properties.items()
        if name in {"reason", "by", "key"} and value is not None
    }
    marks = [mark_of(identity, secret).hex() for identity in named]
    return msgspec.structs.replace(event, identities=(), properties={**told, "marks": marks})


def left_of(event: Event, tombs: Tombs) -> Event | None:
    """What erasures leave of an event; the same object where nothing changes, None: nothing.

    An event is of the surest identity that it names: erased, it counts on its day and no more.
    Of an event of somebody else it is left out that it named the person.
    """
    if not event.identities or tombs.keys().isdisjoint(event.identities):
        return event
    at_ms = event.occurred_ms
    whole = {i for i in event.identities if _covered(tombs.get(i, ()), at_ms, whole=True)}
    if event.type == DECIDED:
        return None if whole else event
    if _covered(tombs.get(primary(event.identities), ()), at_ms, whole=False):
        left = stripped(event, _REFUSED)
        return msgspec.structs.replace(left, content_id=None, content_type=None, machine=_NOBODY)
    if not whole:
        return event
    others = tuple(i for i in event.identities if i not in whole)
    return msgspec.structs.replace(event, identities=others)


def _covered(tombs: Iterable[Tomb], at_ms: int, *, whole: bool) -> bool:
    return any(tomb.covers(at_ms) and (tomb.is_whole or not whole) for tomb in tombs)


def renewed_by(event: Event) -> tuple[Identity, ...]:
    """The identities for which an event gives fresh consent to be measured."""
    if event.consent.measure is not True or not is_answer(event):
        return ()
    if event.server_only:
        return event.identities
    return tuple(i for i in event.identities if i.namespace in _OWN)


def renewed_ms(event: Event) -> int:
    """From when on fresh consent in an event holds."""
    return min(said_ms(event), event.occurred_ms)
