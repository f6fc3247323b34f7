"""Segments and their versions in the database: found, created, edited, deleted."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from services.api.problem import Problem
from services.api.suggest import nearest
from services.contract.tables import person_state, segment, segment_version
from services.model.rules import RuleTree
from services.model.rules.condition import Condition, unknown

SEGMENTS_MAX = 500
"""Of one workspace: every one is evaluated at every event."""


@dataclass(frozen=True)
class Found:
    """A segment with the versions that matter now."""

    row: Row[Any]
    live: Row[Any] | None
    building: Row[Any] | None

    @property
    def newest(self) -> Row[Any]:
        """The version that was written last: being built, or live."""
        version = self.building or self.live
        assert version is not None  # noqa: S101  a segment is made together with a version
        return version


# Made once: to put a statement together takes longer than the database needs to answer it.
_SEGMENTS = (
    select(segment_version, segment.c.key, segment.c.name)
    .join(segment, segment.c.id == segment_version.c.segment_id)
    .where(
        segment.c.workspace_id == bindparam("workspace"),
        segment.c.deleted_ms.is_(None),
        segment_version.c.status.in_(("live", "building")),
    )
    .order_by(segment.c.key, segment_version.c.number)
)
_SEGMENT = _SEGMENTS.where(segment.c.key == bindparam("key"))


def find_segments(connection: Connection, workspace_id: int, key: str | None = None) -> list[Found]:
    """All segments, or the one with a key, by key."""
    query = _SEGMENTS if key is None else _SEGMENT
    asked = {"workspace": workspace_id} | ({} if key is None else {"key": key})
    found: dict[str, dict[str, Row[Any]]] = {}
    for row in connection.execute(query, asked):
        found.setdefault(row.key, {})[row.status] = row
    return [
        Found(next(iter(rows.values())), rows.get("live"), rows.get("building"))
        for rows in found.values()
    ]


def find_segment(connection: Connection, workspace_id: int, key: str) -> Found:
    """The segment with a key.

    Raises:
        Problem: 404, there is none; it names the one that was probably meant.
    """
    found = find_segments(connection, workspace_id, key)
    if not found:
        there = [one.row.key for one in find_segments(connection, workspace_id)]
        text = "There is no segment with this key in this workspace."
        raise Problem(404, "not_found", text + nearest(key, there))
    return found[0]


def check_named(
    connection: Connection, workspace_id: int, keys: Collection[str], *, ever: bool = False
) -> None:
    """Whether there is a segment with each of a few keys.

    Args:
        connection: the database.
        workspace_id: whose segments.
        keys: what was named.
        ever: one that was deleted will do: what was told of it can still be read.

    Raises:
        Problem: 400, one is not there; it names the one that was probably meant.
    """
    if not keys:
        return
    there = select(segment.c.key).where(segment.c.workspace_id == workspace_id)
    live = there.where(segment.c.deleted_ms.is_(None))
    found = (there if ever else live).where(segment.c.key.in_(sorted(keys)))
    missing = sorted(set(keys).difference(connection.execute(found).scalars()))
    if missing:
        names = connection.execute(live).scalars().all()
        raise unknown_segment(missing[0], names)


def unknown_segment(key: str, there: Iterable[str]) -> Problem:
    """The answer to who names a segment that there is not; it has the nearest of those there."""
    text = unknown("segment", key, there)
    text = text[0].upper() + text[1:]
    return Problem(400, "unknown_segment", text if text.endswith("?") else f"{text}.")


def versions_of(connection: Connection, segment_id: int) -> list[Row[Any]]:
    """All versions of a segment, oldest first."""
    query = (
        select(segment_version)
        .where(segment_version.c.segment_id == segment_id)
        .order_by(segment_version.c.number)
    )
    return list(connection.execute(query).all())


def in_force(versions: Iterable[Row[Any]], known_at_ms: int | None) -> Row[Any] | None:
    """The version of a segment that answers now, or that answered at a moment."""
    if known_at_ms is None:
        return next((version for version in versions if version.status == "live"), None)
    begun = [v for v in versions if v.live_ms is not None and v.live_ms <= known_at_ms]
    return max(begun, key=lambda version: int(version.live_ms), default=None)


def rules_in_force(connection: Connection, workspace_id: int) -> dict[str, Condition]:
    """The rules that states keep what is asked for, by segment key."""
    found: dict[str, Condition] = {}
    for one in find_segments(connection, workspace_id):
        if one.live is not None:
            try:
                tree = RuleTree.model_validate({"rule": one.live.rule})
            except ValidationError:  # of later code than ours; the scorer tells of it
                continue
            found[one.live.key] = tree.rule
    return found


ALMOST = 0.999
"""The progress of a version that is not in force."""


def progress_of(connection: Connection, workspace_id: int, version: Row[Any]) -> float:
    """How much of a version is filled, 0-1."""
    if version.status != "building":
        return 1.0
    states = person_state.c.workspace_id == workspace_id
    last = connection.execute(select(func.max(person_state.c.person_id)).where(states)).scalar()
    first = connection.execute(select(func.min(person_state.c.person_id)).where(states)).scalar()
    if last is None or first is None:
        return 0.0
    # Whom others had at hand, and whoever came since, is still to be filled when the last one is.
    done: float = (version.built_to - first + 1) / (last - first + 1)
    done = min(done, ALMOST)
    return round(min(max(done, 0.0), 1.0), 3)


def create_segment(
    connection: Connection,
    workspace_id: int,
    key: str,
    name: str,
    rule: dict[str, Any],
    by: str,
    now_ms: int,
) -> None:
    """A new segment with its first version, to be built; a deleted key comes back anew.

    Raises:
        Problem: 409, there are too many.
        sqlalchemy.exc.IntegrityError: somebody made it just now.
    """
    count = select(func.count()).where(
        segment.c.workspace_id == workspace_id, segment.c.deleted_ms.is_(None)
    )
    if connection.execute(count).scalar_one() >= SEGMENTS_MAX:
        raise Problem(409, "too_many_segments", f"A workspace has at most {SEGMENTS_MAX} segments.")
    old = connection.execute(
        select(segment.c.id).where(segment.c.workspace_id == workspace_id, segment.c.key == key)
    ).scalar()
    values = {"workspace_id": workspace_id, "key": key, "name": name, "deleted_ms": None}
    if old is None:
        made = connection.execute(insert(segment).values(values)).inserted_primary_key
        assert made is not None  # noqa: S101  a row was inserted
        segment_id = made[0]
    else:
        segment_id = old
        connection.execute(update(segment).where(segment.c.id == old).values(values))
    add_version(connection, workspace_id, segment_id, rule, by, now_ms)


def add_version(
    connection: Connection,
    workspace_id: int,
    segment_id: int,
    rule: dict[str, Any],
    by: str,
    now_ms: int,
) -> None:
    """A new version to be built; one that was still being built is given up."""
    mine = segment_version.c.segment_id == segment_id
    connection.execute(
        update(segment_version)
        .where(mine, segment_version.c.status == "building")
        .values(status="retired", told_to=0)
    )
    newest = connection.execute(select(func.max(segment_version.c.number)).where(mine)).scalar()
    values = {
        "workspace_id": workspace_id,
        "segment_id": segment_id,
        "number": (newest or 0) + 1,
        "rule": rule,
        "created_ms": now_ms,
        "created_by": by,
        "status": "building",
        "built_to": 0,
    }
    connection.execute(insert(segment_version).values(values))


def rename(connection: Connection, segment_id: int, name: str) -> None:
    """Change what people read."""
    connection.execute(update(segment).where(segment.c.id == segment_id).values(name=name))


def delete_segment(connection: Connection, segment_id: int, now_ms: int) -> None:
    """Take a segment out of use; its versions stay as they were for what was believed.

    That its members left is told by the scorer.
    """
    connection.execute(update(segment).where(segment.c.id == segment_id).values(deleted_ms=now_ms))
    version = segment_version.c
    for status in ("building", "live"):  # in the order in which who fills it takes them
        connection.execute(
            update(segment_version)
            .where(version.segment_id == segment_id, version.status == status)
            .values(status="retired", told_to=0)
        )
