"""What is no event, or cannot be scored, is set aside with its reason; the rest goes on."""

import random
import sqlite3

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select, update

from services.contract import tables
from services.contract.event import Event, Identity, encode
from services.contract.phases import DAY_MS
from services.model.rulebook import Rulebook
from services.runtime.bulk import insert_rows
from services.runtime.database import writing
from services.runtime.event_log import Record
from services.runtime.sqlite_file import newest_file
from services.scorer import record
from services.scorer.dead_letters import redrive_next
from services.scorer.promises import TEXT_BYTES_MAX
from tests.contract.scorer.pure import said, stored
from tests.contract.scorer.scene import MODEL, START_MS, Scene, cookie, user

REASONS = {
    "nothing": "not an event",
    "no JSON": "not an event",
    "half a character": "not an event",
    "a surrogate": "not an event",
    "deep": "not an event",
    "another version": "unknown envelope version 2",
    "short id": "event_id is not 16 bytes",
    "unknown type": "not an event",
    "no such workspace": "there is no such workspace",
    "workspace 0": "there is no such workspace",
    "workspace beyond": "there is no such workspace",
    "NUL in a name": "a text holds NUL",
    "NUL in content": "a text holds NUL",
    "long name": "too long",
    "long content": "too long",
    "before 1970": "times are not",
    "received first": "times are not",
    "beyond time": "times are not",
    "beyond int64": "times are not",
}


def _bad(scene: Scene) -> dict[str, bytes]:
    def wrong(name: str, **more) -> bytes:
        who = more.pop("who", user(name))
        return encode(scene.day("page", who, day=1, **more))

    good = wrong("good")
    return {
        "nothing": b"",
        "no JSON": good[:-1],
        "half a character": good.replace(b"good", b"g\xc3"),
        "a surrogate": good.replace(b"good", rb"\ud800"),
        "deep": good[:-1] + b',"properties":{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}}",
        "another version": wrong("v2", v=2),
        "short id": wrong("short", event_id=b"1234"),
        "unknown type": good.replace(b'"page"', b'"wave"'),
        "no such workspace": wrong("nobody", workspace_id=77),
        "workspace 0": wrong("zero", workspace_id=0),
        "workspace beyond": wrong("beyond", workspace_id=2**63 - 1),
        "NUL in a name": wrong("a\0b"),
        "NUL in content": wrong("nul", content_id="a\0b"),
        "long name": wrong("x" * (TEXT_BYTES_MAX + 1)),
        "long content": wrong("long", content_id="x" * (TEXT_BYTES_MAX + 1)),
        "before 1970": wrong("old", occurred_ms=-1),
        "received first": wrong("first", received_ms=START_MS - 1),
        "beyond time": wrong("far", occurred_ms=2**60, received_ms=2**60),
        "beyond int64": good.replace(str(START_MS + DAY_MS).encode(), b"9" * 30),
    }


def test_every_kind_of_poison_is_set_aside_with_its_reason(scene: Scene) -> None:
    bad = _bad(scene)
    assert bad.keys() == REASONS.keys()
    good = [scene.day("page", user("good"), day=day) for day in range(len(bad))]
    records = []
    for event, value in zip(good, bad.values(), strict=True):
        records += [Record(b"k", encode(event)), Record(b"k", value)]
    scene.log.append(records)
    scene.drain()
    row = tables.dead_letter.c
    found = {bytes(value): reason for value, reason in scene.rows(select(row.value, row.reason))}
    assert found.keys() == set(bad.values())
    for name, value in bad.items():
        assert REASONS[name] in found[value], name
    assert scene.count(tables.event) == len(good)


def test_one_in_a_thousand_is_set_aside_alone_and_each_counted_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bad ones, and good ones that scoring fails on, in a stream whose people keep turning up."""
    names = ("events", "repeated", "dead_letters")
    before = [REGISTRY.get_sample_value(f"kentering_scorer_{n}_total") or 0 for n in names]
    events = [scene.day("page", user(f"u{n % 150}"), day=n // 150) for n in range(1_498)]
    failing = events[700]

    def refuse(event: Event, value: bytes) -> None:
        if event.event_id == failing.event_id:
            raise ZeroDivisionError
        check(event, value)

    check = record.check
    monkeypatch.setattr(record, "check", refuse)
    records = [Record(b"k", encode(event)) for event in events]
    records[1_100:1_100] = [Record(b"k", b"?"), records[3]]
    scene.log.append(records)
    scene.drain()
    row = tables.dead_letter.c
    assert [r[0] for r in scene.rows(select(row.offset).order_by(row.id))] == [701, 1_101]
    assert scene.count(tables.event) == 1_497
    after = [REGISTRY.get_sample_value(f"kentering_scorer_{n}_total") or 0 for n in names]
    assert [a - b for a, b in zip(after, before, strict=True)] == [1_497, 1, 2]

    monkeypatch.setattr(record, "check", check)
    for _ in range(2):
        with writing(scene.engine).begin() as db:
            redrive_next(db, MODEL, 0, None, 100, scene.now_ms)
    assert scene.count(tables.event) == 1_498
    assert [bytes(v) for (v,) in scene.rows(select(row.value))] == [b"?"]
    assert stored(scene.engine).persons == said(events, Rulebook()).persons


@pytest.mark.parametrize("letter", ["a", "é", "😀"])
def test_the_longest_texts_are_taken(scene: Scene, letter: str) -> None:
    """An index could not hold any longer ones."""
    rng = random.Random(1)
    count = TEXT_BYTES_MAX // len(letter.encode())
    text = "".join(chr(ord(letter) + rng.randrange(20)) for _ in range(count))
    scene.score(
        scene.day("page", Identity(text, text), day=1),
        scene.day("page", day=1, content_id=text),
    )
    assert scene.count(tables.event) == 2
    assert scene.count(tables.dead_letter) == 0


def test_a_record_that_breaks_the_scoring_is_found_and_set_aside(scene: Scene) -> None:
    """A stored state that nobody can read stands for a fault of ours."""
    scene.score(scene.day("page", user("broken"), day=1), scene.day("page", user("a"), day=1))
    broken = scene.person_of(user("broken"))
    state = tables.person_state
    scene.write(update(state).where(state.c.person_id == broken).values(state=b"?"))
    around = [scene.day("page", user(f"u{n}"), day=2) for n in range(20)]
    scene.score(*around[:10], scene.day("page", user("broken"), day=3), *around[10:])
    row = tables.dead_letter.c
    ((reason, offset),) = scene.rows(select(row.reason, row.offset))
    assert "while scoring" in reason
    assert offset == 13
    assert scene.count(tables.event) == 22
    assert scene.person_of(user("u19"))


def test_a_gap_in_the_log_is_counted_and_passed(scene: Scene) -> None:
    name = "kentering_log_gap_records_total"
    before = REGISTRY.get_sample_value(name, {"reader": "scorer"}) or 0
    scene.score(scene.day("page", user("a"), day=1))
    scene.append(scene.day("page", user("a"), day=day) for day in range(2, 12))
    with sqlite3.connect(newest_file(scene.folder)) as log:
        log.execute("DELETE FROM record WHERE position BETWEEN 4 AND 6")
    for _ in range(4):
        scene.drain()
    assert scene.count(tables.event) == 8
    assert REGISTRY.get_sample_value(name, {"reader": "scorer"}) == before + 3
    assert scene.rows(select(tables.log_position.c.next)) == [(12,)]


def test_a_person_with_very_many_intervals_is_merged(scene: Scene) -> None:
    """More of them than one statement takes values."""
    scene.score(scene.day("page", cookie("c"), day=1))
    columns = ("workspace_id", "person_id", "kind", "key", "valid_from_ms", "known_from_ms")
    person = scene.person_of(cookie("c"))
    begins = (begin + n for begin in (0, 2**52) for n in range(66_000))
    rows = [(1, person, "phase", "do", at, 0) for at in begins]
    with writing(scene.engine).begin() as db:
        insert_rows(db, tables.interval, columns, rows)
    scene.score(scene.day("page", user("a"), day=-3_000))
    scene.score(scene.day("page", user("a"), cookie("c"), day=-2_000))
    assert scene.count(tables.dead_letter) == 0
    assert scene.count(tables.interval) < 67_000, "predictions are gone"
    row = tables.person.c.merged_into
    assert len(scene.rows(select(row).where(row.is_not(None)))) == 1


def _deep(scene: Scene) -> None:
    """Segments that no code can evaluate, as a chain of them was before it was bounded."""
    for n in range(90):
        rule = {"type": "in_segment", "segment": f"s{n - 1:03}"} if n else PAGES
        for _ in range(7):
            rule = {"type": "all", "rules": [rule]}
        scene.segment(f"s{n:03}", rule)


PAGES = {"type": "events", "event": ["page"], "within_days": 30}


def test_what_fails_of_one_workspace_holds_up_no_other(scene: Scene) -> None:
    _deep(scene)
    scene.workspace(2)
    for _ in range(600):
        scene.scorer.step(0)
    bad = [scene.day("page", user(f"v{n}"), day=2) for n in range(22)]
    scene.score(*bad, scene.day("page", user("other"), day=2, workspace_id=2))
    assert scene.count(tables.dead_letter) == len(bad)
    assert scene.scorer.why_not_ready() is None
    assert len(scene.rows(select(tables.person_state.c.person_id))) == 1


def test_a_segment_that_cannot_be_filled_holds_up_no_other(scene: Scene) -> None:
    scene.workspace(2)
    scene.score(
        scene.day("page", user("a"), day=1), scene.day("page", user("b"), day=1, workspace_id=2)
    )
    _deep(scene)
    scene.segment("theirs", PAGES, workspace_id=2)
    row = tables.segment_version.c
    theirs = select(row.status).where(row.workspace_id == 2)
    for _ in range(600):
        if scene.rows(theirs) == [("live",)]:
            break
        scene.scorer.step(0)
    assert scene.rows(theirs) == [("live",)]
