"""The segments that a workspace keeps: which rules are folded for whom."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import msgspec
import structlog
from pydantic import ValidationError
from sqlalchemy import Connection, select

from services.contract import tables
from services.model.rulebook import Rulebook
from services.model.rules import Rule, RuleTree


@dataclass(frozen=True)
class Version:
    """A segment version that is in force or being filled. ``interval_key`` is its id as text."""

    id: int
    segment_key: str
    rule: Rule
    live_ms: int | None
    """When it came into force; None: it is being filled."""
    built_to: int

    @property
    def interval_key(self) -> str:
        """What stands in ``interval.key``."""
        return str(self.id)


@dataclass(frozen=True)
class Segments:
    """The versions of one workspace, as one transaction sees them."""

    versions: tuple[Version, ...] = ()

    def rulebook_for(self, person_id: int) -> Rulebook:
        """The rules to fold for a person: a version being filled has not reached everybody."""
        return _rulebook(
            tuple(
                (version.interval_key, version.rule)
                for version in self.versions
                if version.live_ms is not None or person_id <= version.built_to
            )
        )

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
def _rulebook(rules: tuple[tuple[str, Rule], ...]) -> Rulebook:
    return Rulebook(rules)


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
        select(version.id, segment.key, version.rule, version.live_ms, version.built_to)
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
    for version_id, key, stored, live_ms, built_to in db.execute(query):
        rule = _rule(version_id, msgspec.json.encode(stored))
        if rule is not None:
            versions.append(Version(version_id, key, rule, live_ms, built_to))
    return Segments(tuple(versions))
