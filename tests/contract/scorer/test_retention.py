"""What is kept for a time only: people of whom nothing is heard, applicants, and proofs."""

import pytest
from sqlalchemy import select

from services.contract import tables
from services.contract.erasure import PROOFS_KEPT_MS
from services.contract.event import Agreement, Event
from services.contract.phases import DAY_MS
from tests.contract.scorer.erased import ALL_OF_ANNA, anna, erasure, everything
from tests.contract.scorer.pure import assert_sound
from tests.contract.scorer.scene import NOW_MS, START_MS, Scene, cookie, user

pytestmark = pytest.mark.usefixtures("secret")


def test_whoever_is_silent_for_too_long_is_erased(scene: Scene) -> None:
    month_ms = 30 * DAY_MS
    scene.write(tables.workspace.update().values(retention_months=3))
    scene.score(*anna(scene), scene.day("page", user("bob"), day=150))
    scene.drain()
    assert "canary" not in everything(scene)
    told = scene.changes("person")
    assert [(c.after, c.reason) for c in told] == [("erased", "retention")]
    assert START_MS + 6 * DAY_MS + 3 * month_ms < told[0].valid_ms < scene.now_ms
    assert scene.person_of(user("bob"))
    scene.score(*anna(scene))
    assert "canary" not in everything(scene)
    assert_sound(scene.engine)


def test_applicants_who_agreed_to_nothing_are_kept_for_four_weeks(scene: Scene) -> None:
    asserted = Agreement(asserted=True)

    def ats(kind: str, name: str, day: float, **more) -> Event:
        return scene.day(kind, user(name), day=day, server_only=True, channel="ats",
                         agreement=asserted, **more)  # fmt: skip

    names = ("gone", "agreed", "again", "hired", "recent")
    applied = [ats("applied", name, 20) for name in names]
    rejected = [ats("rejected", name, 30) for name in names[:4]]
    scene.score(
        *applied,
        *rejected,
        scene.day("page", user("agreed"), day=25),
        ats("applied", "again", 195),
        ats("hired", "hired", 40),
        ats("rejected", "recent", 180),
    )
    scene.drain()
    left = {value for (value,) in scene.rows(select(tables.identity.c.value))}
    assert left == {"agreed", "again", "hired", "recent"}
    (told,) = scene.changes("person")
    assert (told.after, told.reason) == ("erased", "retention")
    assert told.valid_ms == START_MS + 58 * DAY_MS
    scene.score(*applied, *rejected)  # an ATS that tells everything once more
    assert scene.count(tables.identity) == 4
    scene.write(tables.workspace.update().values(applicant_days=10))
    scene.scorer._chores._rejected_s = 0.0
    scene.drain()
    assert scene.count(tables.identity) == 3
    assert_sound(scene.engine)


def test_on_a_browser_of_several_people_it_was_one_of_them_who_was_rejected(scene: Scene) -> None:
    asserted, browser = Agreement(asserted=True), cookie("c")
    scene.score(
        scene.day("page", user("first"), browser, day=20, agreement=asserted),
        scene.day("rejected", browser, day=30, agreement=asserted, server_only=True),
        scene.day("page", user("next"), browser, day=31, agreement=asserted),
    )
    scene.drain()
    left = {value for (value,) in scene.rows(select(tables.identity.c.value))}
    assert left == {"next", "c"}
    assert_sound(scene.engine)


def test_proof_of_consent_has_an_end(scene: Scene) -> None:
    scene.score(*anna(scene))
    scene.score(erasure(scene, *ALL_OF_ANNA, day=10))
    kept = scene.count(tables.erased_consent)
    assert kept
    for more_ms, left in ((-1, kept), (0, 0)):
        scene.now_ms = NOW_MS + PROOFS_KEPT_MS + more_ms
        scene.scorer._chores._erase_s = 0.0
        for _ in range(3):  # until the whole round is done
            scene.drain()
        assert scene.count(tables.erased_consent) == left
