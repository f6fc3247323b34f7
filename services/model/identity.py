"""Who is who: from what events named together, to whose each identity is, and when.

Everything here is a function of the set of observations, never of the order in which they came,
so late and repeated events lead to the same people.

- What people decided comes first: two identities are one person's, or they are two people's and
  nothing joins them, by no detour.
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

from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

COOKIE = "anonymous_id"
WEAK = "person_token"
UNIQUE = "user_id"
"""A person has at most one identity of this namespace, unless people decided otherwise."""
ADDRESS = "email"
"""A person has at most one of these as far as browsers have a say."""
BROWSER_AFTER_MS = 2**52
"""Added to the time of what a browser told: later than all that a server ever tells."""
DECIDED_BEFORE_MS = -(2**53)
"""Added to the time of what people decided: before all that anybody tells."""
UNTOLD_MS = 2**62
"""The time of a tie that no event told."""


class Tie(NamedTuple):
    """An event named two known identities, ``a`` and ``b``, or people decided they are one's."""

    told_ms: int
    """When it was received; see :data:`BROWSER_AFTER_MS` and :data:`DECIDED_BEFORE_MS`."""
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


class Groups(NamedTuple):
    """Which known identities are one person's."""

    root: dict[int, int]
    """For each identity the smallest id of its group."""
    aside: list[Tie]
    """Ties that would give one person what one person does not have, the earliest first."""


def group(
    namespaces: Mapping[int, str],
    ties: Iterable[Tie],
    apart: Collection[tuple[int, int]] = (),
) -> Groups:
    """Which known identities are one person's.

    Args:
        namespaces: of every identity in question, by id.
        ties: between them, in any order.
        apart: pairs that people decided to be two people's.
    """
    forest = _Forest(namespaces, apart)
    aside: list[Tie] = []
    for tie in sorted(ties):
        a, b = sorted((forest.find(tie.a), forest.find(tie.b)))
        if a == b:
            continue
        decided = tie.told_ms < 0
        if forest.are_apart(a, b):
            if decided:  # two words of people that cannot both be
                aside.append(tie)
        elif decided or forest.may_be_one(a, b, by_browser=tie.told_ms >= BROWSER_AFTER_MS):
            forest.join(a, b)
        else:
            aside.append(tie)
    root = {i: forest.find(i) for i in namespaces}
    return Groups(root, [tie for tie in aside if root[tie.a] != root[tie.b]])


class _Forest:
    """Groups that grow together; each is named by its smallest identity."""

    def __init__(self, namespaces: Mapping[int, str], apart: Iterable[tuple[int, int]]) -> None:
        self._root = {i: i for i in namespaces}
        self._unique = {i for i, namespace in namespaces.items() if namespace == UNIQUE}
        self._address = {i for i, namespace in namespaces.items() if namespace == ADDRESS}
        self._foes: dict[int, list[int]] = {}
        for one, other in apart:
            self._foes.setdefault(one, []).append(other)
            self._foes.setdefault(other, []).append(one)

    def find(self, i: int) -> int:
        root = self._root
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    def are_apart(self, a: int, b: int) -> bool:
        return any(self.find(foe) == b for foe in self._foes.get(a, ()))

    def may_be_one(self, a: int, b: int, *, by_browser: bool) -> bool:
        both = {a, b}
        return not (both <= self._unique or (by_browser and both <= self._address))

    def join(self, a: int, b: int) -> None:
        """Let ``b`` go into ``a``."""
        self._root[b] = a
        for kind in (self._unique, self._address):
            if b in kind:
                kind.add(a)
        if b in self._foes:
            self._foes.setdefault(a, []).extend(self._foes.pop(b))


def slices(
    uses: Iterable[Use],
    owner_of: Mapping[int, int],
    weak: frozenset[int],
    barred: Collection[int] = (),
) -> list[Slice]:
    """Whose a cookie is, through time.

    Args:
        uses: every observation of the cookie with a known identity, in any order.
        owner_of: the group of each known identity among them.
        weak: those of them that are person tokens.
        barred: groups that people decided it is not of.

    Returns:
        Slices that cover all time; empty where nobody known ever used the cookie.
    """
    ordered = sorted(use for use in uses if owner_of[use.known] not in barred)
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


class Meeting(NamedTuple):
    """Two owners of a cookie, one after the other."""

    one: int
    other: int
    event_id: bytes
    """The use by which the cookie first went from one to the other."""


def meetings(found: Iterable[Slice]) -> list[Meeting]:
    """Who followed whom on one cookie, each pair of owners once, the earliest first."""
    first: dict[tuple[int, int], Meeting] = {}
    for before, after in pairwise(found):
        one, other = sorted((before.owner, after.owner))
        first.setdefault((one, other), Meeting(one, other, after.event_id or b""))
    return list(first.values())
