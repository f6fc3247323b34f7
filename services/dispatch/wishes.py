"""What a webhook asked for: as conditions on the feed, and as a look at what came into it."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, or_, select

from services.contract.tables import change
from services.contract.webhook import LATE_MS


class Wish(NamedTuple):
    """What its owner chose."""

    types: tuple[str, ...]
    """Of changes; empty: all."""
    segments: tuple[str, ...]
    """Of changes of membership; empty: all."""
    late: bool
    """What was long valid when it was found out is wanted too."""


class Kind(NamedTuple):
    """Changes that every webhook wants, or does not, all alike."""

    kind: str
    key: str
    is_soon: bool


class Looked(NamedTuple):
    """What came into the feed between two looks."""

    after: int
    newest: int
    kinds: Mapping[int, Collection[Kind]]
    """By workspace."""


_is_soon = change.c.recorded_ms - change.c.valid_ms <= LATE_MS


def conditions(wish: Wish) -> list[Any]:
    """On changes: those that are wanted. Who was erased is always told."""
    found: list[Any] = []
    if wish.types:
        found.append(change.c.kind.in_([*wish.types, "person"]))
    if wish.segments:
        found.append(or_(change.c.kind != "segment", change.c.key.in_(wish.segments)))
    if not wish.late:
        found.append(or_(change.c.kind == "person", _is_soon))
    return found


def wants(wish: Wish, kinds: Collection[Kind]) -> bool:
    """Whether any of these is wanted: the same as :func:`conditions`, asked of kinds."""
    return any(_wants(wish, one) for one in kinds)


def _wants(wish: Wish, one: Kind) -> bool:
    if one.kind == "person":
        return True
    if wish.types and one.kind not in wish.types:
        return False
    if wish.segments and one.kind == "segment" and one.key not in wish.segments:
        return False
    return wish.late or one.is_soon


_BETWEEN = (
    select(change.c.workspace_id, change.c.kind, change.c.key, _is_soon)
    .where(change.c.position > bindparam("after"), change.c.position <= bindparam("newest"))
    .distinct()
)


def look_between(db: Connection, after: int, newest: int) -> Looked:
    """The kinds of all changes between two positions."""
    kinds: dict[int, set[Kind]] = defaultdict(set)
    found = db.execute(_BETWEEN, {"after": after, "newest": newest})
    for workspace_id, kind, key, is_soon in found:
        kinds[workspace_id].add(Kind(kind, key, bool(is_soon)))
    return Looked(after, newest, kinds)
