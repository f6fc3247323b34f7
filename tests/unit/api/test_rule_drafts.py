"""A rule goes into the form's fields and comes back as it was."""

from typing import Any

from hypothesis import given

from services.api.dashboard.rule_drafts import RAW, Draft, draft_of, json_of, marked, written
from services.api.dashboard.rule_fields import CONDITIONS, read, write
from services.api.dashboard.rule_labels import Labels
from services.api.dashboard.texts import Words
from services.model.rules import RuleTree
from services.model.rules.tree import TYPES
from tests.unit.model.journeys import quick
from tests.unit.model.rule_trees import rules


@quick
@given(rules())
def test_a_rule_comes_back_through_the_fields(rule):
    told = rule.model_dump(mode="json")
    draft = draft_of(_fields(written(told)))
    assert marked(draft)
    came = RuleTree.model_validate({"rule": json_of(draft)}).rule.model_dump(mode="json")
    assert came == _plain(told, is_root=True)


def test_what_the_form_has_no_fields_for_stays_json():
    shown = written({"type": "machine_share", "at_least": None, "below": 0.5, "of_at_least": 5})
    assert shown.parts[0].kind == RAW
    assert '"below": 0.5' in shown.parts[0].first("json")
    commas = {"type": "interest", "topic": ["a, b"], "among_strongest": 2}
    assert write(commas) is None


def test_values_are_numbers_text_or_yes_and_no():
    for text, value in (
        ("5", 5),
        ("2.5", 2.5),
        ("true", True),
        ('"5"', "5"),
        ("Groningen", "Groningen"),
        ("2,5", "2,5"),
    ):
        asked = {"name": ["n"], "op": ["is"], "value": [text]}
        assert read("attribute", asked)["value"] == value
        assert type(read("attribute", asked)["value"]) is type(value)
    many = {"name": ["n"], "op": ["any_of"], "value": ['5, "5", x']}
    assert read("attribute", many)["values"] == [5, "5", "x"]


def test_everything_in_the_form_has_words():
    assert {*CONDITIONS} < {*TYPES}
    for language in ("nl", "en"):
        labels = Labels(Words(language, "UTC"))
        for kind, fields in CONDITIONS.items():
            assert labels.condition(kind)
            for field in fields:
                assert labels.field(field.name)
                assert all(labels.choice(kind, field, value) for value in field.options)


def _fields(draft: Draft) -> dict[str, list[str]]:
    """What a browser sends of a draft."""
    found = {f"{draft.path}.{name}": values for name, values in draft.values.items()}
    found[f"{draft.path}.type"] = [draft.kind]
    for part in draft.parts:
        found |= _fields(part)
    return found


def _plain(told: dict[str, Any], *, is_root: bool = False) -> dict[str, Any]:
    """Without groups of one where the form does without them."""
    if told["type"] in {"all", "any"}:
        parts = [_plain(one) for one in told["rules"]]
        return parts[0] if is_root and len(parts) == 1 else {**told, "rules": parts}
    if told["type"] == "not":
        inner = told["rule"]
        if inner["type"] == "any" and len(inner["rules"]) == 1:
            inner = inner["rules"][0]
        return {**told, "rule": _plain(inner)}
    return told
