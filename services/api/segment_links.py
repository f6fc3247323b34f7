"""Segments that refer to each other: what is refused, and what comes into force in one step."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, select, update

from services.api.one_at_a_time import one_at_a_time
from services.api.problem import Problem
from services.api.segment_store import Found, add_version, find_segments, unknown_segment
from services.contract.tables import segment, segment_version
from services.model.rules import Rule, RuleTree
from services.model.rules.membership import (
    CHAIN_MAX,
    TOGETHER_MAX,
    circle,
    dependents,
    leaves,
    refers_to,
    too_long,
    whole,
)


def hold_segments(connection: Connection, workspace_id: int) -> None:
    """Let nobody else change a segment of the workspace before this transaction ends.

    The first that ever was stands for all. The workspace itself would not do: who fills a version
    holds that, and asks for the workspace. Versions being filled are held too: what is read of them
    stays so, and none comes into force meanwhile without those that depend on what is edited.
    """
    query = select(segment.c.id).where(segment.c.workspace_id == workspace_id)
    first = query.order_by(segment.c.id).limit(1)
    held = first.with_for_update(key_share=True)
    if connection.execute(held).first() is None:
        one_at_a_time(connection, workspace_id)  # nothing is being filled here
        connection.execute(held)
    row = segment_version.c
    building = select(row.id).where(row.workspace_id == workspace_id, row.status == "building")
    connection.execute(building.order_by(row.id).with_for_update(key_share=True)).all()


def check_references(connection: Connection, workspace_id: int, key: str, rule: Rule) -> None:
    """Whether a segment may refer to others as it does.

    Raises:
        Problem: 400, one is not there; 409, it would be in a circle, or too large.
    """
    rules = _newest_rules(find_segments(connection, workspace_id)) | {key: rule}
    for other in sorted(refers_to(rule)):
        if other not in rules:
            there = rules.keys() - {key}  # what is being written is none to refer to
            raise unknown_segment(other, there)
    way = circle(key, rules)
    if way:
        text = f"Segments may not refer to each other in a circle: {' → '.join(way)}."
        raise Problem(409, "segment_circle", text)
    concerned = (key, *sorted(dependents([key], rules)))
    head = too_long(concerned, rules)
    if head is not None:
        text = f"{head} would begin a chain of more than {CHAIN_MAX} segments, each referring to"
        raise Problem(409, "segment_chain", f"{text} the next.")
    nodes = whole(rules)
    for one in concerned:
        if sum(1 for _ in leaves(nodes[one])) > TOGETHER_MAX:
            text = f"{one} would have more than {TOGETHER_MAX} conditions, with those of the"
            raise Problem(409, "rule_too_large", f"{text} segments that it refers to.")


def check_unused(connection: Connection, workspace_id: int, key: str) -> None:
    """Whether no other segment refers to one.

    Raises:
        Problem: 409, some do; it names them.
    """
    users = sorted(
        found.newest.key
        for found in find_segments(connection, workspace_id)
        if found.newest.key != key
        and any(
            version is not None and key in refers_to(rule)
            for version in (found.live, found.building)
            for rule in _rule_of(version)
        )
    )
    if users:
        text = f"Other segments refer to this one: {', '.join(users)}. Edit or delete these first."
        raise Problem(409, "segment_in_use", text)


def come_together(
    connection: Connection, workspace_id: int, key: str, by: str, now_ms: int
) -> None:
    """Let a version that was just added come into force with all that depend on it.

    Segments that refer to it get a version of the same rule; where one that it hangs together
    with was filled in part, that is given up, and all are filled from the start.
    """
    segments = {one.newest.key: one for one in find_segments(connection, workspace_id)}
    rules = _newest_rules(list(segments.values()))
    group = _group(key, segments, rules)
    if len(group) == 1:
        return
    for other in sorted(group):
        one = segments[other]
        if one.building is None or one.building.built_to:
            newest = one.newest
            add_version(connection, workspace_id, newest.segment_id, newest.rule, by, now_ms)
    row = segment_version.c
    theirs = (
        row.workspace_id == workspace_id,
        row.status == "building",
        row.segment_id.in_([segments[other].newest.segment_id for other in group]),
    )
    first = min(connection.execute(select(row.id).where(*theirs)).scalars())
    connection.execute(update(segment_version).where(*theirs).values(together_id=first))


def _group(key: str, segments: Mapping[str, Found], rules: Mapping[str, Rule]) -> frozenset[str]:
    """The segments of which a version comes into force with that of one."""
    building = {other for other, one in segments.items() if one.building is not None}
    group: frozenset[str] = frozenset()
    more = frozenset([key])
    while more != group:
        group = more
        more = group | dependents(group, rules)
        more |= {other for one in more for other in refers_to(rules[one]) if other in building}
    return group


def _newest_rules(segments: list[Found]) -> dict[str, Rule]:
    return {one.newest.key: rule for one in segments for rule in _rule_of(one.newest)}


def _rule_of(version: Row[Any] | None) -> list[Rule]:
    """The rule of a version; none where this code cannot read it, which the scorer tells."""
    if version is None:
        return []
    try:
        return [RuleTree.model_validate({"rule": version.rule}).rule]
    except ValidationError:
        return []
