"""Who is who: from what events named together, to whose each identity is, and when.

Everything here is a function of the set of observations, never of the order in which they came,
so late and repeated events lead to the same people.

- Two *known* identities (a user id, a mail address, an id of another system, a mail's person
  token) that an event named together belong to one person, unless that would give one person two
  user ids: then the tie that was told earlier stands, and the later one is left for people to
  judge. Time of receipt decides, for anybody can write an early date.
- What a server of the employer told comes before all that browsers told. A browser ties a user id
  and a mail address only, and never two persons who each have a mail address.
- A *cookie* belongs to the known identity that used it: before the first one, to that one too;
  from a second one on, to the second. A person token is weak: mail gets forwarded, so it counts
  only where nobody surer ever used the cookie.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

COOKIE = "anonymous_id"
WEAK = "person_token"
UNIQUE = "user_id"
"""A person has at most one identity of this namespace."""
ADDRESS = "email"
"""A person has at most one of these as far as browsers have a say."""
BROWSER_AFTER_MS = 2**52
"""Added to the time of what a browser told: later than all that a server ever tells."""


class Tie(NamedTuple):
    """An event named two known identities, ``a`` and ``b``."""

    told_ms: int
    """When it was received; see :data:`BROWSER_AFTER_MS`."""
    event_id: bytes
    a: int
    b: int


class Use(NamedTuple):
    """An event named a cookie together with ``known``."""

    occurred_ms: int
    event_id: bytes
    known: int


class Slice(NamedTuple):
    """In [from_ms, to_ms) a cookie belongs to ``owner``; None is without end."""

    from_ms: int | None
    to_ms: int | None
    owner: int
    event_id: bytes | None
    """The event that made it so; None for an identity by itself."""


def group(namespaces: Mapping[int, str], ties: Iterable[Tie]) -> dict[int, int]:
    """Which known identities are one person's.

    Args:
        namespaces: of every identity in question, by id.
        ties: between them, in any order.

    Returns:
        For each identity the smallest id of its group.
    """
    root = {i: i for i in namespaces}
    unique = {i for i, namespace in namespaces.items() if namespace == UNIQUE}
    address = {i for i, namespace in namespaces.items() if namespace == ADDRESS}

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    for tie in sorted(ties):
        a, b = sorted((find(tie.a), find(tie.b)))
        by_browser = tie.told_ms >= BROWSER_AFTER_MS
        if a == b or {a, b} <= unique or (by_browser and {a, b} <= address):
            continue
        root[b] = a
        for kind in (unique, address):
            if b in kind:
                kind.add(a)
    return {i: find(i) for i in namespaces}


def slices(uses: Iterable[Use], owner_of: Mapping[int, int], weak: frozenset[int]) -> list[Slice]:
    """Whose a cookie is, through time.

    Args:
        uses: every observation of the cookie with a known identity, in any order.
        owner_of: the group of each known identity among them.
        weak: those of them that are person tokens.

    Returns:
        Slices that cover all time; empty where nobody known ever used the cookie.
    """
    ordered = sorted(uses)
    sure = [use for use in ordered if use.known not in weak]
    runs: list[Slice] = []
    for use in sure or ordered:
        owner = owner_of[use.known]
        if not runs:
            runs.append(Slice(None, None, owner, use.event_id))
        elif runs[-1].owner != owner:
            if runs[-1].from_ms == use.occurred_ms:  # at one moment the last one counts
                runs.pop()
            if runs[-1].owner == owner:
                runs[-1] = runs[-1]._replace(to_ms=None)
            else:
                runs[-1] = runs[-1]._replace(to_ms=use.occurred_ms)
                runs.append(Slice(use.occurred_ms, None, owner, use.event_id))
    return runs
