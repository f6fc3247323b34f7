"""Triggers: each stay handed over once, at its moment, by the real scorer, or told why not."""

import threading
from typing import Any

from sqlalchemy import func, insert, select, update

from services.contract import tables
from services.contract.erasure import ERASED
from services.contract.event import Agreement, Consent, Event
from services.contract.phases import DAY_MS, HOUR_MS
from services.runtime.database import writing
from services.scorer.firing import fire_due
from tests.contract.scorer.scene import AGREED, MODEL, Scene, cookie, user

READERS = {"type": "events", "event": ["read"], "within_days": 7}
MAY_MAIL = Consent(measure=True, profile=True, contact=True)


def trigger(scene: Scene, name: str = "t", **more: Any) -> int:
    """A trigger on the segment ``readers``, at once, with a story; its id."""
    row = {
        "workspace_id": 1,
        "public_id": f"tr_{name}",
        "name": name,
        "on_kind": "segment",
        "on_key": "readers",
        "content_id": "story",
        "moment": "at_once",
        "wait_ms": 0,
        "per_week": 2,
        "status": "active",
        "created_ms": scene.now_ms,
        "created_by": "test",
        **more,
    }
    scene.write(insert(tables.trigger).values(row))
    return int(scene.rows(select(func.max(tables.trigger.c.id)))[0][0])


def content(scene: Scene, content_id: str, kind: str = "story", **more: Any) -> None:
    row = {
        "workspace_id": 1,
        "content_id": content_id,
        "kind": kind,
        "title": content_id,
        "address": f"https://example.org/{content_id}",
        "topics": [],
        "changed_ms": 1,
        **more,
    }
    scene.write(insert(tables.content).values(row))


def readers(scene: Scene) -> None:
    """A catalogue, and the segment of who read something within a week, in force for a day."""
    content(scene, "story")
    scene.segment("readers", READERS)
    scene.build()
    scene.now_ms += DAY_MS


def read(scene: Scene, name: str, **more: Any) -> Event:
    return scene.event("read", user(name), at_ms=more.pop("at_ms", scene.now_ms), **more)


def go_to(scene: Scene, at_ms: int) -> None:
    scene.now_ms = at_ms
    scene.drain()


def firings(scene: Scene) -> list[tuple[Any, ...]]:
    """(trigger, status, why, content) of each turn, in order."""
    row = tables.firing.c
    query = select(row.trigger_id, row.status, row.why, row.content_id).order_by(row.id)
    return [tuple(one) for one in scene.rows(query)]


def fired(scene: Scene) -> list[tuple[Any, ...]]:
    """(trigger, person, content, when) as the feed tells it."""
    return [(c.key, c.person_id, c.after, c.valid_ms) for c in scene.changes("trigger")]


def test_each_stay_is_handed_over_once(scene: Scene) -> None:
    readers(scene)
    scene.score(read(scene, "before"))  # in it before there is a trigger
    one = trigger(scene, wait_ms=0)
    first_ms = scene.now_ms
    scene.score(read(scene, "a"), read(scene, "a"), read(scene, "a", at_ms=first_ms - HOUR_MS))
    scene.drain()
    person = scene.person_of(user("a"))
    assert firings(scene) == [(one, "fired", None, "story")]
    assert fired(scene) == [("tr_t", person, "story", first_ms)]
    entered, told = scene.changes("segment", "trigger")[-2:]
    assert (entered.kind, told.kind) == ("segment", "trigger")
    assert (told.reason, bytes(told.event_id)) == ("event", bytes(entered.event_id))
    go_to(scene, first_ms + 5 * DAY_MS)
    scene.score(read(scene, "a"))  # still in it
    go_to(scene, first_ms + 13 * DAY_MS)  # left by silence a day ago
    assert len(fired(scene)) == 1
    scene.score(read(scene, "a"))
    assert fired(scene)[1:] == [("tr_t", person, "story", first_ms + 13 * DAY_MS)]


def test_a_delay_is_kept_to_and_who_left_before_is_not_handed_over(scene: Scene) -> None:
    readers(scene)
    one = trigger(scene, moment="after", wait_ms=3 * DAY_MS)
    long = trigger(scene, "long", moment="after", wait_ms=7 * DAY_MS)
    begin_ms = scene.now_ms
    scene.score(read(scene, "stays"))
    go_to(scene, begin_ms + 3 * DAY_MS - 1)
    assert not fired(scene)
    go_to(scene, begin_ms + 3 * DAY_MS)
    person = scene.person_of(user("stays"))
    assert fired(scene) == [("tr_t", person, "story", begin_ms + 3 * DAY_MS)]
    # Its moment is the very one at which they leave: whoever announces that goes first.
    go_to(scene, begin_ms + 7 * DAY_MS)
    assert len(fired(scene)) == 1
    assert firings(scene) == [(one, "fired", None, "story"), (long, "withheld", "left", None)]
    scene.write(update(tables.trigger).values(status="paused"))
    scene.score(read(scene, "stays"))
    assert len(firings(scene)) == 2, "while it is paused nobody gets a turn"


def test_nobody_who_objected_was_hired_or_refuses_is_handed_over(scene: Scene) -> None:
    readers(scene)
    trigger(scene, moment="after", wait_ms=DAY_MS, channel="email")
    begin_ms = scene.now_ms
    names = ("yes", "never_asked", "no_later", "off", "objects", "hired", "erased")
    for name in names:
        agreed = AGREED if name == "never_asked" else MAY_MAIL
        scene.score(read(scene, name, consent=agreed, server_only=True))
    scene.now_ms += HOUR_MS
    given = Agreement(given_ms=scene.now_ms)
    objection = Agreement(given_ms=scene.now_ms, objection="by telephone")
    more = {"at_ms": scene.now_ms, "server_only": True}
    scene.score(
        scene.event("consent_changed", user("no_later"), consent=Consent(contact=False),
                    agreement=given, **more),
        scene.event("unsubscribe", user("off"), channel="email", **more),
        scene.event("consent_changed", user("objects"), consent=Consent(profile=False),
                    agreement=objection, source_id=0, **more),
        scene.event("hired", user("hired"), **more),
    )  # fmt: skip
    persons = {name: scene.person_of(user(name)) for name in names}
    scene.write(
        insert(tables.link_secret).values(workspace_id=1, number=1, secret=b"s" * 32, created_ms=1)
    )
    told = {"reason": "erased", "spans": [], "key": "key 1"}
    scene.score(scene.event(ERASED, user("erased"), source_id=0, properties=told, **more))
    go_to(scene, begin_ms + DAY_MS)
    row = tables.firing.c
    came = dict(scene.rows(select(row.person_id, row.why)))
    assert [person for _, person, *_ in fired(scene)] == [persons["yes"]]
    assert came.pop(persons["yes"]) is None
    assert not {persons["erased"], persons["objects"]} & came.keys(), "nothing is kept of them"
    assert {name: came[persons[name]] for name in (*names[1:4], "hired")} == {
        "never_asked": "no_consent",
        "no_later": "no_consent",
        "off": "unsubscribed",
        "hired": "left",
    }


def test_pressure_counts_what_was_just_handed_over(scene: Scene) -> None:
    readers(scene)
    trigger(scene, "first", per_week=1)
    trigger(scene, "second", per_week=1)
    trigger(scene, "third")
    for i, day in enumerate((1, 2)):
        at_ms = scene.now_ms - day * DAY_MS
        mail = {"channel": "email", "message_id": f"m{i}", "server_only": True}
        scene.score(scene.event("sent", user("mailed"), at_ms=at_ms, **mail))
    scene.score(read(scene, "mailed"), read(scene, "fresh"))
    row = tables.firing.c
    query = select(row.person_id, row.status, row.why).order_by(row.person_id, row.id)
    fresh, mailed = scene.person_of(user("fresh")), scene.person_of(user("mailed"))
    held = ("withheld", "pressure")
    assert [tuple(one) for one in scene.rows(query)] == [
        (mailed, *held), (mailed, *held), (mailed, *held),
        (fresh, "fired", None), (fresh, *held), (fresh, "fired", None),
    ]  # fmt: skip


def test_a_vacancy_is_handed_to_nobody_before_do(scene: Scene) -> None:
    readers(scene)
    content(scene, "job", "vacancy")
    content(scene, "seen")
    trigger(scene, "job", content_id="job")
    trigger(scene, "next", content_id=None, per_week=9)
    trigger(scene, "seen", content_id="seen", per_week=9)
    trigger(scene, "gone", content_id="gone", per_week=9)
    scene.score(read(scene, "sees", content_id="seen"))
    assert [one[1:] for one in firings(scene)] == [
        ("withheld", "vacancy_before_do", None),
        ("fired", None, "story"),
        ("withheld", "seen", None),
        ("withheld", "no_content", None),
    ]
    looking = [
        scene.event("application_started", user("looks"), at_ms=scene.now_ms - i * HOUR_MS)
        for i in (3, 2, 1)
    ]
    scene.score(*looking, read(scene, "looks"))
    assert firings(scene)[4][1:] == ("fired", None, "job")


def test_a_vacancy_is_handed_to_nobody_in_a_procedure(scene: Scene) -> None:
    readers(scene)
    content(scene, "job", "vacancy")
    trigger(scene, "job", content_id="job")
    trigger(scene, "next", content_id=None)
    applied = scene.event("applied", user("does"), at_ms=scene.now_ms - HOUR_MS, content_id="other")
    scene.score(applied, read(scene, "does"))
    assert [one[1:] for one in firings(scene)] == [
        ("withheld", "in_procedure", None),
        ("fired", None, "story"),
    ]
    ended = [
        scene.event("applied", user("did"), at_ms=scene.now_ms - HOUR_MS, content_id="other"),
        scene.event("rejected", user("did"), at_ms=scene.now_ms - 1, content_id="other"),
    ]
    scene.score(*ended, read(scene, "did"))
    assert firings(scene)[2][1:] == ("fired", None, "job")


def test_a_move_of_phase_fires_and_old_news_does_not(scene: Scene) -> None:
    readers(scene)
    trigger(scene, "do", on_kind="phase", on_key="do")
    old = scene.now_ms - 2 * DAY_MS
    scene.score(scene.event("applied", user("late"), at_ms=old))
    scene.score(scene.event("applied", user("now"), at_ms=scene.now_ms))
    assert [(key, person) for key, person, *_ in fired(scene)] == [
        ("tr_do", scene.person_of(user("now")))
    ]
    scene.segment("all", {"type": "phase", "any_of": ["do"]})
    trigger(scene, "all", on_key="all")
    scene.now_ms += 2 * DAY_MS
    scene.build()
    assert len(fired(scene)) == 1, "a new segment's members entered before this moment"


def test_two_who_turn_out_to_be_one_are_handed_over_once_more_at_most(scene: Scene) -> None:
    readers(scene)
    trigger(scene, "now")
    trigger(scene, "later", moment="after", wait_ms=DAY_MS, per_week=9)
    at_ms = scene.now_ms
    scene.score(scene.event("page", user("a"), at_ms=at_ms - 20 * DAY_MS))
    scene.score(scene.event("read", cookie("c"), at_ms=at_ms))
    assert len(fired(scene)) == 1
    scene.score(scene.event("identified", user("a"), cookie("c"), at_ms=at_ms + 1))
    assert scene.person_of(user("a")) == scene.person_of(cookie("c"))
    scene.drain()
    assert len(fired(scene)) == 1, "the same stay, of the same human being"
    go_to(scene, at_ms + DAY_MS)
    assert [(key, person) for key, person, *_ in fired(scene)[1:]] == [
        ("tr_later", scene.person_of(user("a")))
    ]


def test_several_workers_hand_nobody_over_twice(scene: Scene) -> None:
    readers(scene)
    one = trigger(scene, moment="after", wait_ms=HOUR_MS)
    scene.score(*(read(scene, f"p{i}") for i in range(60)))
    came: list[int] = []

    def fire() -> None:
        for _ in range(5):
            with writing(scene.engine).begin() as db:
                came.append(fire_due(db, MODEL, scene.now_ms + HOUR_MS).decided)

    threads = [threading.Thread(target=fire) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(came) == 60
    told = fired(scene)
    assert len(told) == len({person for _, person, *_ in told}) == 60
    assert {row[0] for row in firings(scene)} == {one}
