"""Segments by hand: somebody was put in one, or kept out of it, whatever its rule says.

It is an event of the person like all else, said by the product itself; its content is the segment.
"""

from typing import Literal, get_args

from services.contract.event import Event, PoisonError

Listing = Literal[
    "in",
    "out",
    "none",  # the rule alone says it again
]
LISTINGS: frozenset[str] = frozenset(get_args(Listing))


def check_listing(event: Event) -> None:
    """Whether a ``segment_listed`` event can be one.

    Raises:
        PoisonError: it names no segment, or lists nobody.
    """
    if event.content_id is None or event.properties.get("list") not in LISTINGS:
        raise PoisonError("a segment_listed without its segment or list")
