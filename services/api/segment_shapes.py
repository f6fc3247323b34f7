"""A segment in requests and answers."""

from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import ConfigDict, Field

from services.api.wire import Body, Out
from services.contract.spelling import KEY_PATTERN
from services.model.rules import Rule, RuleTree

SegmentKey = Annotated[str, Path(pattern=KEY_PATTERN, examples=["almost-ready"])]
EXAMPLE: dict[str, Any] = {
    "type": "all",
    "rules": [
        {"type": "phase", "any_of": ["think", "do"]},
        {"type": "events", "event": ["vacancy_viewed"], "at_least": 2, "within_days": 14},
        {"type": "attribute", "name": "region", "op": "is", "value": "Utrecht"},
    ],
}
_EDIT: dict[str, Any] = {"name": "Almost ready", "rule": EXAMPLE}


class SegmentEdit(Body, RuleTree):
    """What a segment is called and who is in it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EDIT]})
    name: str = Field(min_length=1, max_length=200)


class SegmentCreate(SegmentEdit):
    """A new segment; its key names it in addresses and never changes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"key": "almost-ready", **_EDIT}]})
    key: str = Field(pattern=KEY_PATTERN)


class SegmentOut(Out):
    """A segment. While a new version is building, the live one answers."""

    key: str
    name: str
    rule: Rule
    version: int
    status: Literal["building", "live"]
    progress: float = Field(description="How much of the newest version is filled, 0-1.")
    count: int = Field(description="Members now.")
    changed_at: str
    changed_by: str


class SegmentsOut(Out):
    """All segments of the workspace, by key."""

    segments: list[SegmentOut]


class VersionOut(Out):
    """What a segment's rule was, and who wrote it."""

    number: int
    rule: Rule
    status: Literal["building", "live", "retired"]
    created_at: str
    created_by: str
    live_at: str | None = Field(
        description="Since when it answered, until the next one did; null: never yet."
    )


class VersionsOut(Out):
    """All versions, oldest first."""

    versions: list[VersionOut]
