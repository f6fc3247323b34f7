"""From the names that senders use to our closed list of types and channels."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from services.contract.event import EVENT_TYPES, LISTED, Channel, EventType

# Our own names, as they are and with blanks; who somebody is, is said by identify alone.
_OWN: dict[str, Any] = {
    name: name
    for name in EVENT_TYPES - {"identified", "identity_decision", LISTED, "erased", "custom"}
}

# The names of Segment's semantic events, and others that are common.
_OTHERS: dict[str, EventType] = {
    "email_sent": "sent",
    "email_delivered": "delivered",
    "email_opened": "open",
    "email_link_clicked": "click",
    "link_clicked": "click",
    "email_bounced": "bounce",
    "email_marked_as_spam": "complaint",
    "unsubscribed": "unsubscribe",
    "email_unsubscribed": "unsubscribe",
    "page_viewed": "page",
    "searched": "site_search",
    "products_searched": "site_search",
    "article_read": "read",
    "story_read": "read",
    "content_read": "read",
    "video_playback_started": "play",
    "video_content_started": "play",
    "video_played": "play",
    "podcast_played": "play",
    "magazine_page_viewed": "magazine_page",
    "downloaded": "download",
    "file_downloaded": "download",
    "signed_up": "sign_up",
    "question_asked": "question",
    "commented": "comment",
    "shared": "share",
    "content_shared": "share",
    "attended": "attend",
    "meeting_attended": "attend",
    "job_viewed": "vacancy_viewed",
    "application_submitted": "applied",
}
_TYPE_OF_NAME: dict[str, EventType] = {**_OWN, **_OTHERS}

_TYPE_OF_CONTENT: dict[str, EventType] = {
    "vacancy": "vacancy_viewed",
    "magazine": "magazine_page",
}

_CHANNEL_OF_TYPE: dict[EventType, Channel] = {
    "sent": "email",
    "delivered": "email",
    "open": "email",
    "click": "email",
    "bounce": "email",
    "unsubscribe": "email",
    "complaint": "email",
    "magazine_page": "magazine",
    "attend": "meeting",
    "applied": "ats",
    "stage_changed": "ats",
    "rejected": "ats",
    "hired": "ats",
    "left": "ats",
}


def type_of_track(name: str) -> EventType:
    """The type of a track call by its event's name; ``custom`` where we do not know it."""
    return _TYPE_OF_NAME.get(name) or _TYPE_OF_NAME.get(_plain(name), "custom")


def is_nearly_known(name: str) -> bool:
    """Whether a name that we do not know differs from one that we know by a slip.

    That is one letter too many, too few or wrong, two that changed places, or words in another
    order.
    """
    return len(name) <= _NAME_LENGTH_MAX and _is_nearly_known(_plain(name))


@lru_cache(maxsize=2048)
def _is_nearly_known(plain: str) -> bool:
    if len(plain) >= _SLIPS_FROM_LENGTH and not _SLIPS.isdisjoint(_slips(plain)):
        return True
    return tuple(sorted(plain.split("_"))) in _WORDS


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _slips(plain: str) -> Iterator[str]:
    """The name, and the name without each of its letters: two names a slip apart share one."""
    yield plain
    for i in range(len(plain)):
        yield plain[:i] + plain[i + 1 :]


_NAME_LENGTH_MAX = 40
_SLIPS_FROM_LENGTH = 6
"""Shorter names are near to too many others."""
_SLIPS = frozenset(
    slip for name in _TYPE_OF_NAME if len(name) >= _SLIPS_FROM_LENGTH for slip in _slips(name)
)
_WORDS = frozenset(tuple(sorted(name.split("_"))) for name in _TYPE_OF_NAME)


def type_of_page(content_type: str | None) -> EventType:
    """The type of a page view by what the page shows."""
    return _TYPE_OF_CONTENT.get(content_type or "", "page")


def channel_of(event_type: EventType) -> Channel:
    """The channel that such events usually come over."""
    return _CHANNEL_OF_TYPE.get(event_type, "website")
