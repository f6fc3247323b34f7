"""From the names that senders use to our closed list of types and channels."""

from typing import Any

from services.contract.event import CHANNELS, EVENT_TYPES, Channel, EventType

# Our own names, as they are and with blanks; who somebody is, is said by identify alone.
_OWN: dict[str, Any] = {name: name for name in EVENT_TYPES - {"identified", "custom"}}

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
    "page_viewed": "page",
    "searched": "site_search",
    "article_read": "read",
    "story_read": "read",
    "content_read": "read",
    "video_playback_started": "play",
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
    plain = name.strip().lower().replace(" ", "_").replace("-", "_")
    return _TYPE_OF_NAME.get(plain, "custom")


def type_of_page(content_type: str | None) -> EventType:
    """The type of a page view by what the page shows."""
    return _TYPE_OF_CONTENT.get(content_type or "", "page")


def channel_of(said: Any, event_type: EventType) -> Channel:
    """The channel that the sender names, else the one such events usually come over."""
    if isinstance(said, str) and said in CHANNELS:
        return said  # type: ignore[return-value]
    return _CHANNEL_OF_TYPE.get(event_type, "website")
