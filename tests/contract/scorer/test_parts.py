"""A batch of many people is scored in parts, and comes to the same."""

from itertools import chain

import pytest

from services.model.rulebook import Rulebook
from services.runtime.event_log import Stored
from services.scorer import parts
from services.scorer.parts import in_parts
from tests.contract.scorer.pure import assert_sound, said, stored
from tests.contract.scorer.scene import Scene, cookie, user


@pytest.fixture
def few_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "KEYS_MAX", 3)


def test_parts_hold_all_records_in_their_order(few_keys: None) -> None:
    records = [Stored(0, n, key.encode(), b"") for n, key in enumerate("aabcbcdaaaefgab")]
    found = in_parts(records)
    assert [*chain.from_iterable(found)] == records
    assert ["".join(one.key.decode() for one in part) for part in found] == [
        "aabcbc",
        "daaae",
        "fga",
        "b",
    ]
    assert in_parts(records[:3]) == [records[:3]]


def test_in_parts_people_come_to_the_same(scene: Scene, few_keys: None) -> None:
    events = [scene.day("page", user(f"u{n}"), cookie(f"c{n % 5}"), day=10 + n) for n in range(12)]
    scene.score(*events[:7], *events, *events[5:])
    assert stored(scene.engine) == said(events, Rulebook())
    assert_sound(scene.engine)
