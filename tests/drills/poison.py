"""One record in a thousand that cannot be read, and one that cannot be scored.

Only these go to the dead letter, the others hardly take longer, and once what was wrong is mended,
scoring them after all, twice, counts each once.
"""

import random
import time
from pathlib import Path

from sqlalchemy import func, select, update

from services.contract import tables
from services.contract.event import Event, encode, record_key
from services.model.rulebook import Rulebook
from services.runtime.database import writing
from services.runtime.event_log import Record
from services.runtime.migrations import migrate
from services.scorer.dead_letters import redrive_next
from tests.contract.scorer.pure import assert_sound, said, stored
from tests.contract.scorer.scene import MODEL, Scene
from tests.drills.outcome import Outcome, checked
from tests.simulation.world import START_MS, arrivals, people

SLOWER_MAX = 1.5
"""Processor time with unreadable ones, as a multiple of that without."""
EVENTS_EACH = 20
ONE_IN = 1_000
REDRIVEN_AT_ONCE = 500


def poison(folder: Path, rng: random.Random, persons: int) -> Outcome:
    """The same events three times: alone, with unreadable ones, and with some that fail."""
    events = arrivals(rng, people(rng, persons, EVENTS_EACH, workspace_id=1))
    plain = [Record(record_key(event), encode(event)) for event in events]
    bad = _unreadable(events[0], max(2, len(plain) // ONE_IN))
    among = list(plain)
    for record in bad:
        among.insert(rng.randrange(len(among)), record)
    alone_s, _ = _score(folder / "alone", plain)
    with_bad_s, found = _score(folder / "unreadable", among)
    failing, twice, equal = _failing(folder / "failing", events)
    ids = {event.event_id for event in events}
    return checked(
        "poison",
        f"{len(plain)} records, {len(bad)} unreadable ones among them; then one person's that fail",
        {
            "lost": len(ids - found.ids),
            "counted twice": found.counted - len(ids) + twice,
            "in the dead letter, of unreadable": f"{found.letters} of {len(bad)}",
            "processor time with them, as multiple": f"{with_bad_s / alone_s:.2f}",
            "that failed, scored after all": failing,
        },
        {
            "nothing is lost": ids <= found.ids,
            "nothing counts twice": found.counted == len(ids) and twice == 0,
            "only the unreadable are in the dead letter": found.letters == len(bad),
            "others hardly take longer": with_bad_s / alone_s < SLOWER_MAX,
            "scored after all they are as if nothing had been": failing > 0 and equal,
        },
    )


class _Found:
    def __init__(self, scene: Scene) -> None:
        self.ids = {bytes(one) for (one,) in scene.rows(select(tables.event.c.event_id))}
        self.counted = int(scene.rows(select(func.sum(tables.person_state.c.events)))[0][0] or 0)
        self.letters = scene.count(tables.dead_letter)


def _score(folder: Path, records: list[Record]) -> tuple[float, _Found]:
    """(processor seconds, what came of it)."""
    scene = _scene(folder)
    scene.log.append(records)
    begin_s = time.process_time()
    scene.drain()
    used_s = time.process_time() - begin_s
    found = _Found(scene)
    scene.close()
    return used_s, found


def _failing(folder: Path, events: list[Event]) -> tuple[int, int, bool]:
    """(events scored after all, counted twice, whether all is as if they had never failed)."""
    scene = _scene(folder)
    scene.score(*events[: len(events) // 2])
    state = tables.person_state
    somebody, whole = scene.rows(select(state.c.person_id, state.c.state).limit(1))[0]
    theirs = state.c.person_id == somebody
    scene.write(update(state).where(theirs).values(state=b"?"))
    scene.score(*events[len(events) // 2 :])
    failed = scene.count(tables.dead_letter)
    scene.write(update(state).where(theirs).values(state=whole))
    for _ in range(2):
        after_id: int | None = 0
        while after_id is not None:
            with writing(scene.engine).begin() as db:
                done = redrive_next(db, MODEL, after_id, None, REDRIVEN_AT_ONCE, scene.now_ms)
            after_id = done.last_id or None
    assert_sound(scene.engine)
    equal = stored(scene.engine).persons == said(events, Rulebook()).persons
    found = _Found(scene)
    scene.close()
    return failed - found.letters, found.counted - len(found.ids), equal


def _scene(folder: Path) -> Scene:
    folder.mkdir()
    url = f"sqlite:///{folder / 'kentering.db'}"
    migrate(url)
    scene = Scene(url, folder)
    scene.now_ms = START_MS + 300 * 86_400_000
    return scene


def _unreadable(event: Event, count: int) -> list[Record]:
    good = encode(event)
    kinds = (
        b"",
        good[:-1],
        good.replace(b'"v":1', b'"v":2'),
        good.replace(b'"type":"', b'"type":"x'),
    )
    return [Record(b"%d" % n, kinds[n % len(kinds)]) for n in range(count)]
