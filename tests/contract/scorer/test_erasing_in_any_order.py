"""Erasures, words and events of several people, in any order: what is left, by brute force."""

import random
from collections.abc import Sequence

import pytest
from sqlalchemy import select

from services.contract import tables
from services.contract.erasure import Tomb, left_of, renewed_by, renewed_ms
from services.contract.event import Event, Identity
from services.contract.phases import DAY_MS
from services.contract.terms import NEVER_MS
from services.model.rulebook import Rulebook
from tests.contract.scorer import pure
from tests.contract.scorer.erased import erasure
from tests.contract.scorer.pure import assert_sound
from tests.contract.scorer.scene import START_MS, Scene, cookie, mail, token, user

pytestmark = pytest.mark.usefixtures("secret")


def left(events: Sequence[Event]) -> list[Event]:
    """What erasures leave of a set of events, by brute force."""
    words = [event for event in events if event.type == "erased"]
    others = [event for event in events if event.type != "erased"]
    tombs: dict[Identity, list[Tomb]] = {}
    for word in words:
        for one in word.identities:
            erased_ms = max(w.occurred_ms for w in words if one in w.identities)
            lifts = [
                renewed_ms(e) for e in others if one in renewed_by(e) and renewed_ms(e) > erased_ms
            ]
            tombs[one] = [Tomb(0, NEVER_MS, erased_ms, min(lifts, default=None))]
        for namespace, value, a, b in word.properties["spans"]:
            tombs.setdefault(Identity(namespace, value), []).append(Tomb(a, b, word.occurred_ms))
    return [kept for event in others if (kept := left_of(event, tombs)) is not None]


@pytest.mark.parametrize("seed", range(8))
def test_any_order_comes_to_the_world_without_them(scene: Scene, seed: int) -> None:
    chance = random.Random(seed)
    names = ["anna", "bob", "cees"]
    events: list[Event] = []
    for _ in range(60):
        name, day = chance.choice(names), chance.uniform(0, 90)
        who = chance.choice([
            (user(name),), (mail(f"{name}@x.org"),), (user(name), mail(f"{name}@x.org")),
            (user(name), cookie(f"c-{name}")), (cookie(f"c-{name}"),), (cookie("shared"),),
            (user(name), cookie("shared")), (token(name), cookie(f"c-{name}")),
            (user(name), mail(f"{chance.choice(names)}@x.org")),
        ])  # fmt: skip
        kind = chance.choice(["page", "vacancy_viewed", "applied", "identified", "sent"])
        events.append(
            scene.day(kind, *who, day=day, server_only=chance.random() < 0.5, message_id="m")
        )
    word = erasure(
        scene, user("anna"), mail("anna@x.org"), cookie("c-anna"), token("anna"), day=60,
        spans=[(cookie("shared"), START_MS + 10 * DAY_MS, START_MS + 25 * DAY_MS)],
    )  # fmt: skip
    again = erasure(scene, cookie("c-bob"), day=70)
    yes = scene.day("consent_changed", user("anna"), cookie("c-anna"), day=75, server_only=True)
    told = [*events, word, again, yes]
    copies = told + chance.choices(told, k=30)
    chance.shuffle(copies)
    size = chance.randint(1, 25)
    for i in range(0, len(copies), size):
        scene.score(*copies[i : i + size])
    # What came after a yes, before that yes was known, was stripped: it has to come again.
    scene.score(*told)
    expected = left(told)
    assert pure.stored(scene.engine) == pure.said(expected, Rulebook(()))
    assert_sound(scene.engine)
    total = sum(count for (count,) in scene.rows(select(tables.aggregate.c["count"])))
    assert total == sum(not event.identities for event in expected)
