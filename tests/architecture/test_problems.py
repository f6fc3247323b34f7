"""Every kind of problem that can be answered has its page, and there are no others."""

import ast
from collections.abc import Iterator
from pathlib import Path

from services.api import problem
from services.api.problem_kinds import KINDS
from services.tracker import answers

API = Path(__file__).parents[2] / "services" / "api"


def test_every_code_is_explained() -> None:
    used = set(_codes()) | set(problem._CODES.values()) | {"bad_request"} | set(answers._STATUS)
    assert not used - KINDS.keys(), "say what these mean in services/api/problem_kinds.py"
    assert not KINDS.keys() - used, "nothing answers these any more"


def _codes() -> Iterator[str]:
    """The second argument of every ``Problem(…)``, where it is written out."""
    for file in API.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "Problem":
                code = node.args[1]
                if isinstance(code, ast.Constant):
                    yield code.value
