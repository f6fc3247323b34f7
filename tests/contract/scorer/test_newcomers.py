"""A batch whose newcomers part people, beside a late use of a browser, ends as two batches do."""

import pytest

from services.contract.decision import DECIDED
from services.contract.event import Event, Identity
from services.model.rulebook import Rulebook
from tests.contract.scorer.pure import said, stored
from tests.contract.scorer.scene import Scene, cookie, mail, user


def _world(scene: Scene) -> tuple[Identity, list[Event]]:
    x = Identity("crm", "x")
    first = [
        scene.day("identified", user("u1"), mail("e@x.nl"), day=0.1, server_only=True),
        scene.day("identified", x, mail("e@x.nl"), day=0.2, server_only=True),
        scene.day("page", user("u2"), cookie("c"), day=1),
        scene.day("page", user("u1"), cookie("c"), day=10),
        scene.day("page", x, cookie("c"), day=100, server_only=True),
        scene.day("page", cookie("c"), day=70),
    ]
    return x, first


@pytest.mark.parametrize("together", [False, True])
def test_split_beside_a_late_use(scene: Scene, together: bool) -> None:
    x, first = _world(scene)
    scene.score(*first)
    late = scene.day("page", x, cookie("c"), day=50, server_only=True, received_ms=scene.now_ms)
    word = scene.day(
        DECIDED,
        user("u1"),
        mail("e@x.nl"),
        day=110,
        server_only=True,
        properties={"decision": "two_people", "reason": "r"},
    )
    if together:
        scene.score(word, late)
    else:
        scene.score(word)
        scene.score(late)
    expected = said([*first, word, late], Rulebook())
    found = stored(scene.engine, 1)
    assert found == expected


@pytest.mark.parametrize("together", [False, True])
def test_surer_tie_beside_a_late_use(scene: Scene, together: bool) -> None:
    """A server's tie puts a browser's aside: x goes from u1 to u3, neither named by the use."""
    x = Identity("crm", "x")
    first = [
        scene.day("identified", user("u1"), mail("e@x.nl"), day=0.1),  # a browser's
        scene.day("identified", x, mail("e@x.nl"), day=0.2, server_only=True),
        scene.day("page", user("u2"), cookie("c"), day=1),
        scene.day("page", user("u1"), cookie("c"), day=10),
        scene.day("page", x, cookie("c"), day=100, server_only=True),
        scene.day("page", cookie("c"), day=70),
    ]
    scene.score(*first)
    late = scene.day("page", x, cookie("c"), day=50, server_only=True, received_ms=scene.now_ms)
    tie = scene.day("identified", user("u3"), mail("e@x.nl"), day=110, server_only=True)
    if together:
        scene.score(tie, late)
    else:
        scene.score(tie)
        scene.score(late)
    expected = said([*first, tie, late], Rulebook())
    assert stored(scene.engine, 1) == expected
