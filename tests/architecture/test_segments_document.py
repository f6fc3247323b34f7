"""The conditions in the document are conditions, and none is missing."""

import json
import re
from pathlib import Path

from services.model.rules import TYPES, RuleTree
from services.model.rules.tree import conditions

DOCUMENT = Path(__file__).parents[2] / "docs" / "segments.md"


def test_every_condition_is_shown_as_it_is() -> None:
    text = DOCUMENT.read_text()
    written = re.findall(r"`(\{\"type\".*?\})`(?: |$)", text, re.MULTILINE)
    written += re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    shown = [RuleTree.model_validate({"rule": json.loads(one)}).rule for one in written]
    found = {leaf.type for rule in shown for leaf in conditions(rule)}
    assert found | {"all", "any", "not"} == set(TYPES)
    assert len(shown) > 30
