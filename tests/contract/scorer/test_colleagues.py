"""Who is employed: not scored, and what they do only counts."""

import random

import pytest
from sqlalchemy import select

from services.contract import tables
from services.contract.event import Agreement
from services.contract.phases import DAY_MS
from services.model.rulebook import Rulebook
from tests.contract.scorer import pure
from tests.contract.scorer.erased import everything
from tests.contract.scorer.pure import assert_sound, intervals
from tests.contract.scorer.scene import START_MS, Scene, cookie, user

pytestmark = pytest.mark.usefixtures("secret")


def test_nobody_employed_is_scored_and_late_events_are_of_before(scene: Scene) -> None:
    hired = scene.day("hired", user("anna"), day=50, server_only=True)
    scene.score(scene.day("page", user("anna"), day=1), hired)
    scene.score(scene.day("applied", user("anna"), day=40, server_only=True))  # late
    scene.score(scene.day("vacancy_viewed", user("anna"), day=60))
    scene.score(scene.day("left", user("anna"), day=70, server_only=True))
    scene.score(scene.day("vacancy_viewed", user("anna"), day=71))
    phases = sorted((i.from_ms, i.key) for i in next(iter(intervals(scene.engine).values()))
                    if i.kind == "phase")  # fmt: skip
    assert phases[-1] == (START_MS + 50 * DAY_MS, "care")
    assert "do" in {key for at, key in phases if at < START_MS + 50 * DAY_MS}
    fresh = Agreement(given_ms=START_MS + 80 * DAY_MS)
    scene.score(
        scene.day("consent_changed", user("anna"), day=80, server_only=True, agreement=fresh)
    )
    held = [i for i in next(iter(intervals(scene.engine).values())) if i.kind == "phase"]
    assert any(i.from_ms == START_MS + 80 * DAY_MS for i in held)


@pytest.mark.parametrize("seed", range(2))
def test_what_somebody_employed_does_only_counts(scene: Scene, seed: int) -> None:
    """In whatever order it comes, an old copy after the hire is known among it."""
    fresh = Agreement(given_ms=START_MS + 80 * DAY_MS)
    before = [scene.day("page", user("anna"), day=day) for day in (1, 30, 49)]
    during = [
        scene.day("page", user("anna"), cookie("phone"), day=55, properties={"url": "canary"}),
        scene.day("vacancy_viewed", cookie("phone"), day=60),
        scene.day("sent", user("anna"), day=65, server_only=True, message_id="m"),
        scene.day("page", user("anna"), day=75),  # left, and has not agreed anew
    ]
    words = [
        scene.day("hired", user("anna"), day=50, server_only=True),
        scene.day("left", user("anna"), day=70, server_only=True),
        scene.day("consent_changed", user("anna"), day=80, server_only=True, agreement=fresh),
    ]
    after = [scene.day("vacancy_viewed", user("anna"), day=81)]
    told = [*before, *during, *words]
    random.Random(seed).shuffle(told)
    for begin in range(0, len(told), 3):
        scene.score(*told[begin : begin + 3])
    scene.score(*after, *during, *during[::-1])
    row = tables.event.c
    kept = scene.rows(select(row.event_id).where(row.identity_id.is_not(None)))
    assert {bytes(one) for (one,) in kept} == {e.event_id for e in (*before, *words, *after)}
    assert "canary" not in everything(scene)
    totals = scene.rows(select(tables.aggregate.c["count"]))
    assert sum(count for (count,) in totals) == len(during)
    assert (
        pure.stored(scene.engine).persons
        == pure.said([*before, *words, *after], Rulebook(())).persons
    )
    assert_sound(scene.engine)
