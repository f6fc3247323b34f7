"""What a person's identities are, and which events named two of them: for judging answers."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, select

from services.contract.circles import Circles, Tie, circles
from services.contract.erasure import Span
from services.contract.event import Identity
from services.contract.tables import identity, identity_edge, identity_link
from services.contract.terms import NEVER_MS
from services.contract.vault import shown_value
from services.model.identity import BROWSER_AFTER_MS


class Possessions(NamedTuple):
    """What is one person's now."""

    identities: tuple[Identity, ...]
    """Theirs alone."""
    spans: tuple[Span, ...]

    @property
    def all(self) -> frozenset[Identity]:
        """Every identity among them."""
        return frozenset((*self.identities, *(span.identity for span in self.spans)))

    def surely_of(self, who: Identity, circles: Circles) -> "Possessions":
        """What is surely of the same human being as one of the identities, and their browsers'."""
        circle = circles.of[who]
        ours = {
            one
            for one in self.all
            if circles.of.get(one) == circle or circle in circles.claimed_by(one)
        }
        return Possessions(
            tuple(one for one in self.identities if one in ours),
            tuple(span for span in self.spans if span.identity in ours),
        )


def circles_of(
    db: Connection,
    workspace_id: int,
    persons: Callable[[ColumnElement[int]], ColumnElement[bool]],
) -> dict[int, tuple[Circles, frozenset[int]]]:
    """The circles of persons, and the ids of their identities.

    Args:
        db: where they are.
        workspace_id: whose.
        persons: the condition that a column holds one of them.
    """
    link, row = identity_link.c, identity.c
    query = (
        select(link.person_id, row.id, row.namespace, row.value)
        .join_from(identity_link, identity, row.id == link.identity_id)
        .where(
            link.workspace_id == workspace_id,
            persons(link.person_id),
            link.known_to_ms.is_(None),
        )
        .distinct()
    )
    theirs: dict[int, dict[int, Identity]] = {}
    for person, one, namespace, value in db.execute(query):
        theirs.setdefault(person, {})[one] = Identity(namespace, shown_value(value))
    ties = _ties(db, workspace_id, persons)
    return {
        person: (circles(named.values(), _named(ties.get(person, ()), named)), frozenset(named))
        for person, named in theirs.items()
    }


def possessions(db: Connection, workspace_id: int, person_id: int) -> Possessions:
    """What is to be erased of a person: the identities, and browsers as long as they were theirs.

    Args:
        db: where they are.
        workspace_id: whose.
        person_id: the person.
    """
    link, row = identity_link.c, identity.c
    query = (
        select(row.namespace, row.value, link.valid_from_ms, link.valid_to_ms)
        .join_from(identity_link, identity, row.id == link.identity_id)
        .where(
            link.workspace_id == workspace_id,
            link.person_id == person_id,
            link.known_to_ms.is_(None),
        )
        .order_by(row.namespace, row.value, link.valid_from_ms)
    )
    alone: list[Identity] = []
    spans: list[Span] = []
    for namespace, value, from_ms, to_ms in db.execute(query):
        one = Identity(namespace, shown_value(value))
        if from_ms is None and to_ms is None:
            alone.append(one)
        else:
            spans.append(Span(one, from_ms or 0, NEVER_MS if to_ms is None else to_ms))
    return Possessions(tuple(alone), tuple(spans))


def _ties(
    db: Connection,
    workspace_id: int,
    persons: Callable[[ColumnElement[int]], ColumnElement[bool]],
) -> dict[int, list[tuple[int, int, int]]]:
    """(a, b, told_ms) of what events tied of each person."""
    one, other = identity_link.alias("one"), identity_link.alias("other")
    edge = identity_edge.c

    def holds(link: Any, end: ColumnElement[int]) -> ColumnElement[bool]:
        return and_(
            link.c.workspace_id == edge.workspace_id,
            link.c.identity_id == end,
            link.c.known_to_ms.is_(None),
        )

    query = (
        select(one.c.person_id, edge.a_id, edge.b_id, edge.told_ms, edge.decision)
        .select_from(one)
        .join(identity_edge, holds(one, edge.a_id))
        .join(other, holds(other, edge.b_id) & (other.c.person_id == one.c.person_id))
        .where(one.c.workspace_id == workspace_id, persons(one.c.person_id))
        .distinct()
    )
    found: dict[int, list[tuple[int, int, int]]] = {}
    for person, a, b, told_ms, decision in db.execute(query):
        decided = decision == "same_person"
        found.setdefault(person, []).append((a, b, 0 if decided else told_ms))
    return found


def _named(edges: Iterable[tuple[int, int, int]], named: dict[int, Identity]) -> list[Tie]:
    return [Tie(named[a], named[b], told_ms >= BROWSER_AFTER_MS) for a, b, told_ms in edges]
