"""The figures of docs/machines.md, guarded: on user agents that no rule was made from."""

import pytest

from bench.machine_labels import labelled
from bench.user_agents import Collection, collections, is_held_out

RECALL_PERCENT_MIN = 92
FALSE_PERCENT_MAX = 0.5


@pytest.fixture(
    scope="module", params=range(3), ids=["crawlerdetect", "device-detector", "user-agents"]
)
def collection(request) -> Collection:
    return collections()[request.param]


def test_software_is_found_and_people_are_let_alone(collection):
    found = labelled(collection, held_out=True)
    assert found.people > 500
    assert found.false_percent <= FALSE_PERCENT_MAX
    if found.software:
        assert found.software > 500
        assert found.recall_percent >= RECALL_PERCENT_MIN


def test_versions_of_one_thing_are_on_the_same_side():
    sides = {is_held_out(f"Mozilla/5.0 (X11) Chrome/{version}.0") for version in range(50)}
    assert len(sides) == 1
