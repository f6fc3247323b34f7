"""A rule as it is being written in a form: fields become a draft, a draft a rule, and back."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from services.api.dashboard.rule_fields import CONDITIONS, bare, read, write
from services.model.rules import Rule
from services.model.rules.condition import Condition
from services.model.rules.tree import DEPTH_MAX

ROOT = "r"
GROUPS = ("all", "any", "none")
RAW = "raw"
"""The kind of a condition that the form has no fields for: it is written as JSON."""
_PATH = re.compile(rf"({ROOT}(?:\.\d{{1,3}})*)\.([a-z_]+)")
_ONE: TypeAdapter[Condition] = TypeAdapter(Rule)


@dataclass
class Draft:
    """A group of conditions, or one of them, as far as it is written."""

    kind: str
    """One of :data:`GROUPS`, of the conditions that the form knows, or :data:`RAW`."""
    values: dict[str, list[str]] = field(default_factory=dict)
    parts: list["Draft"] = field(default_factory=list)
    path: str = ROOT
    """What the names of its fields begin with."""
    wrong: tuple[str, ...] = ()
    """Its fields that cannot be as they are; ``""``: all of it."""

    def first(self, name: str) -> str:
        """A field's only value."""
        return next(iter(self.values.get(name, ())), "")


def draft_of(fields: dict[str, list[str]]) -> Draft:
    """The draft that a form holds; of what is no part of one nothing is kept."""
    nodes: dict[str, dict[str, list[str]]] = {}
    for name, values in fields.items():
        found = _PATH.fullmatch(name)
        if found is not None and found[1].count(".") < DEPTH_MAX:
            nodes.setdefault(found[1], {})[found[2]] = [one.replace("\x00", "") for one in values]
    return placed(_node(ROOT, nodes, is_root=True))


def placed(draft: Draft, path: str = ROOT) -> Draft:
    """The draft, with every part's place as it is now."""
    draft.path = path
    for i, part in enumerate(draft.parts):
        placed(part, f"{path}.{i}")
    return draft


def at(draft: Draft, path: str) -> Draft | None:
    """The part at a path."""
    if draft.path == path:
        return draft
    return next((found for part in draft.parts if (found := at(part, path)) is not None), None)


def json_of(draft: Draft) -> dict[str, Any]:
    """The rule as JSON; it need not be one yet.

    Raises:
        ValueError: a condition that is written as JSON is none.
    """
    if draft.kind == RAW:
        found = json.loads(draft.first("json") or "null")
        if not isinstance(found, dict):
            raise ValueError("a condition is an object")
        return found
    if draft.kind not in GROUPS:
        return read(draft.kind, draft.values)
    parts = [json_of(part) for part in draft.parts]
    if draft.path == ROOT and draft.kind != "none" and len(parts) == 1:
        return parts[0]
    if draft.kind != "none":
        return {"type": draft.kind, "rules": parts}
    inner = parts[0] if len(parts) == 1 else {"type": "any", "rules": parts}
    return {"type": "not", "rule": inner}


def marked(draft: Draft) -> bool:
    """Note in the draft what cannot be as it is; whether nothing is."""
    if draft.kind in GROUPS:
        draft.wrong = () if draft.parts else ("",)
        right = [marked(part) for part in draft.parts]  # every one is marked
        return bool(right) and all(right)
    try:
        _ONE.validate_python(json_of(draft))
    except ValidationError as error:
        known = {one.name for one in CONDITIONS.get(draft.kind, ())}
        named = [str(part) for one in error.errors() for part in one["loc"] if part in known]
        draft.wrong = tuple(dict.fromkeys(named)) or ("",)
        return False
    except (ValueError, RecursionError):
        draft.wrong = ("",)
        return False
    draft.wrong = ()
    return True


def written(rule: dict[str, Any]) -> Draft:
    """The draft of a rule that there is, given as JSON."""
    draft = _written(rule)
    return placed(draft if draft.kind in GROUPS else Draft("all", parts=[draft]))


def _written(rule: dict[str, Any]) -> Draft:
    match rule:
        case {"type": "all" | "any" as kind, "rules": rules}:
            return Draft(kind, parts=[_written(one) for one in rules])
        case {"type": "not", "rule": {"type": "any", "rules": rules}}:
            return Draft("none", parts=[_written(one) for one in rules])
        case {"type": "not", "rule": inner}:
            return Draft("none", parts=[_written(inner)])
    values = write(rule) if rule["type"] in CONDITIONS else None
    if values is not None:
        return Draft(str(rule["type"]), values)
    return Draft(RAW, {"json": [json.dumps(bare(rule), ensure_ascii=False, indent=2)]})


def _node(path: str, nodes: dict[str, dict[str, list[str]]], *, is_root: bool) -> Draft:
    values = nodes.get(path, {})
    kind = next(iter(values.get("type", ())), "")
    if is_root or kind in GROUPS:
        below = sorted(
            (one for one in nodes if one.rpartition(".")[0] == path),
            key=lambda one: int(one.rpartition(".")[2]),
        )
        group = kind if kind in GROUPS else "all"
        return Draft(group, values, [_node(one, nodes, is_root=False) for one in below])
    return Draft(kind if kind in CONDITIONS else RAW, values)
