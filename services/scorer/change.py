"""A change before it stands in the feed."""

from typing import NamedTuple

from services.contract.phases import ChangeReason


class Change(NamedTuple):
    """A row of the feed, before it has its position."""

    person_id: int
    person_version: int
    kind: str
    key: str
    before: str | None
    after: str | None
    valid_ms: int
    reason: ChangeReason
    event_id: bytes | None
