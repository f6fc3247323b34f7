"""The segments that a workspace keeps: which rules are folded for whom."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import msgspec
import structlog
from pydantic import ValidationError
from sqlalchemy import Connection, select

from services.contract import tables
from services.model.rulebook import Rulebook
from services.model.rules import Rule, RuleTree
from services.model.rules.membership import whole


@dataclass(frozen=True)
class Version:
    """A segment version that is in force or being filled. ``interval_key`` is its id as text."""

    id: int
    segment_key: str
    rule: Rule
    live_ms: int | None
    """When it came into force; None: it is being filled."""
    built_to: int
    passed_by: frozenset[int]
    """Persons up to there whom it has not reached all the same."""

    @property
    def interval_key(self) -> str:
        """What stands in ``interval.key``."""
        return str(self.id)

    def has_reached(self, person_id: int) -> bool:
        """Whether it was filled for a person, of one that is being filled."""
        return person_id <= self.built_to and person_id not in self.passed_by


@dataclass(frozen=True)
class Segments:
    """The versions of one workspace, as one transaction sees them."""

    versions: tuple[Version, ...] = ()
    drawn: frozenset[str] | None = None
    """Interval keys of the only ones to draw; None: all are."""
    _rulebooks: dict[tuple[int, ...], Rulebook] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """By the versions being filled that have reached somebody."""

    def rulebook_for(self, person_id: int) -> Rulebook:
        """The rules to fold for a person: a version being filled has not reached everybody."""
        reached = tuple(v.id for v in self.being_filled if v.has_reached(person_id))
        found = self._rulebooks.get(reached)
        if found is None:
            found = _rulebook(
                tuple(
                    (v.segment_key, v.interval_key, v.live_ms is not None, v.rule)
                    for v in self.versions
                    if v.live_ms is not None or v.id in reached
                )
            )
            if self.drawn is not None:
                found = found.drawing(self.drawn)
            self._rulebooks[reached] = found
        return found

    def drawing(self, version_ids: Iterable[int]) -> "Segments":
        """The same, of which only some versions are drawn."""
        return replace(self, drawn=frozenset(map(str, version_ids)))

    @cached_property
    def being_filled(self) -> list[Version]:
        """The versions that are not in force yet."""
        return [v for v in self.versions if v.live_ms is None]

    @cached_property
    def announced_names(self) -> dict[str, str]:
        """How versions in force are called in what is announced, by interval key."""
        return {
            v.interval_key: f"segment:{v.segment_key}"
            for v in self.versions
            if v.live_ms is not None
        }

    @cached_property
    def in_force_ms(self) -> dict[str, int]:
        """By segment key, since when its version is in force."""
        return {v.segment_key: v.live_ms for v in self.versions if v.live_ms is not None}


@lru_cache(maxsize=256)
def _rulebook(versions: tuple[tuple[str, str, bool, Rule], ...]) -> Rulebook:
    """Of (segment key, interval key, in force, rule).

    What is in force refers to what is in force; what is being filled to what will be, then.
    """
    live = {key: rule for key, _, is_live, rule in versions if is_live}
    coming = {key: rule for key, _, is_live, rule in versions if not is_live}
    now, then = whole(live), whole(live | coming) if coming else {}
    return Rulebook(
        tuple(
            (interval_key, now[key] if is_live else then[key])
            for key, interval_key, is_live, _ in versions
        )
    )


@lru_cache(maxsize=4096)
def _rule(version_id: int, stored: bytes) -> Rule | None:
    """The rule of a version; None, once told, where this code cannot read it."""
    try:
        return RuleTree.model_validate({"rule": msgspec.json.decode(stored)}).rule
    except ValidationError:
        structlog.get_logger().error("a segment's rule cannot be read", version=version_id)
        return None


def load_segments(db: Connection, workspace_id: int, *, hold: bool = False) -> Segments:
    """The versions of a workspace that are in force or being filled.

    Called after persons are locked: who fills a version locks them too before moving on.
    ``hold``: none of them is put in force before this transaction ends.
    """
    segment, version = tables.segment.c, tables.segment_version.c
    query = (
        select(
            version.id,
            segment.key,
            version.rule,
            version.live_ms,
            version.built_to,
            version.passed_by,
        )
        .join_from(tables.segment_version, tables.segment, segment.id == version.segment_id)
        .where(
            version.workspace_id == workspace_id,
            version.status.in_(("live", "building")),
            segment.deleted_ms.is_(None),
        )
        .order_by(version.id)
    )
    if hold:
        query = query.with_for_update(read=True, key_share=True, of=tables.segment_version)
    versions = []
    for version_id, key, stored, live_ms, built_to, passed_by in db.execute(query):
        rule = _rule(version_id, msgspec.json.encode(stored))
        if rule is not None:
            versions.append(Version(version_id, key, rule, live_ms, built_to, frozenset(passed_by)))
    return Segments(tuple(versions))
