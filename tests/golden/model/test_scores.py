"""Journeys written out, and the exact scores that they gave when they were looked at.

A change here is a change of what people are told: it needs a new model version, or a reason.
How to write them anew is in ``regenerate.py``.
"""

import json
from typing import Any

import pytest

from tests.golden.model.regenerate import FILES, expected_of


def assert_close(found: Any, expected: Any, where: str = "") -> None:
    """Numbers to 1e-9, all else equal; integers are moments and must be exact."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for key in expected:
            assert_close(found[key], expected[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for i, item in enumerate(expected):
            assert_close(found[i], item, f"{where}[{i}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, abs=1e-9), where
    else:
        assert found == expected, where


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_scores_are_as_they_were(file):
    journey = json.loads(file.read_text())
    assert_close(expected_of(journey), journey["expected"])
