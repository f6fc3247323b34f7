"""Which identities of a person are surely one human being's.

A person's identities hang together by what events named together, and anybody can write any user
id, any mail address and any cookie into a page's call. A *circle* is what hangs together by ties
that no browser told: a server named the two, or a cookie came with a mail's signed token. Most
persons are one circle, and a cookie by itself for each browser that only a page tied to them.
"""

from collections.abc import Iterable
from typing import NamedTuple

from services.contract.event import Identity, primary

COOKIE = "anonymous_id"
TOKEN = "person_token"  # noqa: S105 - no secret: a namespace


class Tie(NamedTuple):
    """Two identities of one person that an event named together."""

    a: Identity
    b: Identity
    by_browser: bool


class Circles(NamedTuple):
    """Of one person."""

    core: Identity
    """The person's surest identity, and all that is surely of the same human being."""
    of: dict[Identity, Identity]
    """For each identity the first one of its circle."""
    owners: dict[Identity, frozenset[Identity]]
    """For each identity the circles that it claims to be of: a cookie that only pages tied to
    others those of these others, anything else its own."""

    def claimed_by(self, identity: Identity) -> frozenset[Identity]:
        """The circles that an identity claims to be of; none where it is not the person's."""
        return self.owners.get(identity, frozenset())

    @property
    def speakers(self) -> frozenset[Identity]:
        """The surest identity of each circle, cookies that claim to be of another left out."""
        found: dict[Identity, list[Identity]] = {}
        for one, owners in self.owners.items():
            if self.of[one] in owners:
                found.setdefault(self.of[one], []).append(one)
        return frozenset(primary(tuple(circle)) for circle in found.values())

    @property
    def core_circle(self) -> Identity:
        """The circle of the core."""
        return self.of[self.core]

    def is_core(self, identity: Identity) -> bool:
        """Whether an identity is surely of the same human being as the person's surest one."""
        return self.of.get(identity) == self.core_circle


def circles(identities: Iterable[Identity], ties: Iterable[Tie]) -> Circles:
    """The circles of a person.

    Args:
        identities: all that are the person's; at least one.
        ties: between two of them, in any order.
    """
    known = sorted(set(identities))
    ties = list(ties)
    root = {one: one for one in known}

    def find(one: Identity) -> Identity:
        while root[one] != one:
            one = root[one]
        return one

    for tie in ties:
        if not tie.by_browser or {tie.a.namespace, tie.b.namespace} == {COOKIE, TOKEN}:
            low, high = sorted((find(tie.a), find(tie.b)))
            root[high] = low
    of = {one: find(one) for one in known}
    of_somebody = {of[one] for one in known if one.namespace != COOKIE}
    claims: dict[Identity, set[Identity]] = {}
    for tie in ties:
        for cookie, other in ((tie.a, tie.b), (tie.b, tie.a)):
            if cookie.namespace == COOKIE and of[cookie] not in of_somebody:
                claims.setdefault(cookie, set()).add(of[other])
    owners = {one: frozenset(claims.get(one, {of[one]})) for one in known}
    return Circles(primary(tuple(known)), of, owners)
