"""What events name, worked out once for all of them that name the same.

A batch names the same people over and over: it is gone through by what its events name.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from services.contract.decision import DECIDED
from services.contract.event import Event, Identity, primary
from services.model.identity import ADDRESS, BROWSER_AFTER_MS, COOKIE, UNIQUE

Identities = tuple[Identity, ...]
ByNames = dict[Identities, list[Event]]
"""Events per what they name, each with at least one identity."""
Tied = tuple[tuple[Identity, Identity], ...]
First = tuple[int, bytes]
"""(told_ms, event_id) of the first event that named a pair; see ``model/identity.Tie``."""


def by_names(events: Iterable[Event]) -> ByNames:
    """Events per what they name; those that name nobody are left out."""
    found: ByNames = defaultdict(list)
    for event in events:
        if event.identities:
            found[event.identities].append(event)
    return dict(found)


def cookie_among(names: Identities) -> Identity | None:
    """The one cookie that is tied to a surer identity; further ones tie nobody."""
    if len(names) < 2:
        return None
    cookies = [i for i in names if i.namespace == COOKIE]
    if not cookies or primary(names).namespace == COOKIE:
        return None
    return min(cookies)


def named_together(event: Event) -> Tied:
    """The pairs that an event ties: its surest identity with the others and with its cookie.

    Of what a browser tells only a user id and a mail address are tied: anybody can send anything
    with the key in a page, so it never joins strangers. A decision is no observation.
    """
    if event.type == DECIDED:
        return ()
    return _tied_among(event.identities, server_only=event.server_only)


def first_told(names: Identities, events: Sequence[Event]) -> Iterator[tuple[First, Tied]]:
    """What events that name the same tie, and when that was told first."""
    if len(names) < 2:
        return
    for server_only in (True, False):
        tied = _tied_among(names, server_only=server_only)
        if tied:
            told = [
                (told_ms(event), event.event_id)
                for event in events
                if event.server_only is server_only and event.type != DECIDED
            ]
            if told:
                yield min(told), tied


def told_ms(event: Event) -> int:
    """The place of an event's ties in their order."""
    return event.received_ms + (0 if event.server_only else BROWSER_AFTER_MS)


def _tied_among(names: Identities, *, server_only: bool) -> Tied:
    if len(names) < 2:
        return ()
    first = primary(names)
    if first.namespace == COOKIE:
        return ()
    cookie = cookie_among(names)
    addresses = [i for i in names if i.namespace == ADDRESS]
    pairs = []
    for other in names:
        trusted = server_only or (first.namespace == UNIQUE and [other] == addresses)
        if other == cookie or (other.namespace != COOKIE and other != first and trusted):
            pairs.append((first, other))
    return tuple(pairs)
