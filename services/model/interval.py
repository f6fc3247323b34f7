"""From when to when something holds of a person.

It is written down as it is (``services/scorer/shadow.py``), so it is not compiled: of the types of
a compiled tuple's fields only the plain ones can be read again.
"""

from typing import NamedTuple

from services.contract.phases import IntervalKind


class Interval(NamedTuple):
    """``key`` holds in [from_ms, to_ms); ``to_ms`` None: not ending within the horizon.

    ``event_id`` is the event that began it; None: silence did.
    """

    kind: IntervalKind
    key: str
    from_ms: int
    to_ms: int | None
    event_id: bytes | None
