"""Whoever is employed is not followed, in whatever order it is told; and looking is cheap."""

import os
import random
from collections.abc import Iterable
from typing import Any

from sqlalchemy import event as listened
from sqlalchemy import select

from services.contract import tables
from services.contract.employment import while_employed
from services.contract.event import Consent, Event
from tests.contract.scorer.scene import Scene, user

TYPES = ("page", "page", "page", "hired", "left", "identified", "consent_changed")
NAMES = ("anna", "bert")


def _followed(scene: Scene) -> set[bytes]:
    """The events that are somebody's."""
    row = tables.event.c
    query = select(row.event_id).where(row.identity_id.is_not(None))
    return {bytes(event_id) for (event_id,) in scene.rows(query)}


def _left_of(events: Iterable[Event]) -> list[Event]:
    """A person's events without those that may only count."""
    told = sorted(events, key=lambda one: (one.occurred_ms, one.event_id))
    gone = {one.event_id for one in while_employed(told)}
    return [one for one in told if one.event_id not in gone]


def _event(scene: Scene, rng: random.Random, name: str) -> Event:
    kind = rng.choice(TYPES)
    more: dict[str, Any] = {"consent": Consent()} if kind in {"hired", "left"} else {}
    # Few moments, so that some are the same.
    return scene.day(kind, user(name), day=rng.randrange(60), server_only=True, **more)


def test_hired_and_gone_and_hired_again_in_any_order(scene: Scene) -> None:
    seed = int(os.environ.get("KENTERING_SEED", random.randrange(10**6)))
    print(f"KENTERING_SEED={seed}")
    rng = random.Random(seed)
    held: dict[str, list[Event]] = {name: [] for name in NAMES}
    for _ in range(30):
        new = [_event(scene, rng, rng.choice(NAMES)) for _ in range(rng.randint(1, 4))]
        scene.score(*new)
        for name in NAMES:
            theirs = [one for one in new if one.identities == (user(name),)]
            held[name] = _left_of([*held[name], *theirs])
        assert _followed(scene) == {one.event_id for some in held.values() for one in some}


def test_of_who_left_and_agreed_anew_no_history_is_read(scene: Scene) -> None:
    said = {"server_only": True, "channel": "ats"}
    scene.score(
        *(scene.day("page", user("anna"), day=d) for d in range(20)),
        scene.day("hired", user("anna"), day=20, **said),
        scene.day("left", user("anna"), day=40, **said),
        scene.day("identified", user("anna"), day=50, server_only=True),
        *(scene.day("page", user("anna"), day=d) for d in range(60, 80)),
    )
    asked: list[str] = []

    def note(_db: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT") and "payload" in statement:
            asked.append(statement)

    listened.listen(scene.engine, "before_cursor_execute", note)
    scene.score(scene.day("page", user("anna"), day=90))
    assert asked == []
    assert len(_followed(scene)) == 44
