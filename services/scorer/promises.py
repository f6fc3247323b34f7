"""What the tracker promises of every event, held for whoever else writes to the log."""

from services.contract.decision import DECIDED, decided_in
from services.contract.erasure import ERASED, erased_in
from services.contract.event import LISTED, Event, PoisonError
from services.contract.listing import check_listing

TIME_MAX_MS = 2**53
TEXT_BYTES_MAX = 1_200
"""In UTF-8; twice this still fits an index row of PostgreSQL, which takes 2,700 bytes."""


def check(event: Event, value: bytes) -> None:
    """Hold that the database can take an event.

    Args:
        event: as it was read.
        value: the JSON that it was read from.

    Raises:
        PoisonError: a time or a text that the database cannot hold, or words that mean nothing.
    """
    if not 0 <= event.occurred_ms <= event.received_ms < TIME_MAX_MS:
        raise PoisonError("times are not 0 <= occurred_ms <= received_ms < 2**53")
    # No text is longer than the JSON that it stands in, and there NUL is always spelt out.
    if (len(value) > TEXT_BYTES_MAX or b"\\u0000" in value) and _is_unfit(event):
        raise PoisonError("a text holds NUL or is too long")
    if not 0 < event.workspace_id < 2**31:
        raise PoisonError("there is no such workspace")
    if event.type == DECIDED:
        decided_in(event)
    elif event.type == LISTED:
        check_listing(event)
    elif event.type == ERASED:
        erased_in(event)


def _is_unfit(event: Event) -> bool:
    """Whether a text that stands in a column of its own holds NUL, or is too long for an index."""
    texts = [event.content_id, event.content_type, event.message_id, event.click_id]
    for identity in event.identities:
        texts += (identity.namespace, identity.value)
    return any("\0" in text or len(text.encode()) > TEXT_BYTES_MAX for text in texts if text)
