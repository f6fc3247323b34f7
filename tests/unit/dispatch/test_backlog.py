"""An endpoint's backlog: whatever fails or is killed, nothing is lost and nobody is overtaken."""

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from services.contract.phases import DAY_MS
from services.contract.tables import change
from services.dispatch.backlog import SENT_MAX, Backlog
from services.dispatch.follows import Health, Tried
from services.dispatch.lanes import Lane, Message
from services.dispatch.queue import Hook, Loaded, Taken
from services.dispatch.recording import Outcome
from services.dispatch.verdict import Verdict
from services.dispatch.wishes import Wish

NOW_MS = 1_795_000_000_000
ROOM = 5
HOOK = Hook(1, 1, "wh_1", "https://x.example/", [], 1, Wish((), (), late=False), select(change))
WELL = Health("active", None, None, 0, None, None)
GOOD = Verdict("delivered", None, 0)
BAD = (Verdict("unwell", "status 500", 0), Verdict("refused", "status 422", 0))


class World:
    """A feed, the rows that a database would hold, a receiver; and one sender after the other."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.now_ms = NOW_MS
        self.feed: list[tuple[int, int]] = []
        self.rows: dict[str, Message] = {}
        self.position, self.health = 0, WELL
        self.received: list[tuple[int, int]] = []
        self.ids = 0
        self.start()

    def start(self) -> None:
        """A sender begins with what is written down; what another had on its way is forgotten."""
        self.writing: Outcome | None = None
        waiting = sorted(self.rows.values(), key=lambda one: one.position or 0)
        copies = [
            Message(one.id, one.public_id, one.position, one.person_id, one.asked, one.attempts,
                    one.first_ms, one.next_ms, one.recorded_ms)
            for one in waiting
        ]  # fmt: skip
        self.backlog = Backlog(Loaded(HOOK, self.health, copies, self.position))
        self.flying: list[Lane] = []
        self.tried: list[Tried] = []

    def do(self, step: str) -> None:
        match step:
            case "tell":
                self.tell()
            case "turn" | "record":
                self.turn(record=step == "record")
            case "good":
                self.land(GOOD)
            case "unwell" | "refused":
                self.land(BAD[step == "refused"])
            case "killed":
                if self.writing is not None and self.dice.random() < 0.5:
                    self.write(self.writing)
                self.start()
            case "later":
                self.now_ms += self.dice.randrange(10_000)

    def tell(self) -> None:
        for _ in range(self.dice.randrange(1, 6)):
            self.feed.append((len(self.feed) + 1, self.dice.randrange(4)))

    def turn(self, *, record: bool) -> None:
        backlog = self.backlog
        backlog.settle(self.tried, self.now_ms, self.dice.random)
        self.tried = []
        if self.writing is not None and self.dice.random() < 0.7:
            self.write(self.writing)
            backlog.written(self.writing)
            self.writing = None
        if record and self.writing is None and backlog.has_moved():
            self.writing = backlog.outcome()
        if not backlog.health.is_held_up(self.now_ms):
            backlog.add(self.take(backlog.position))
        for lane in backlog.lanes(self.now_ms, ROOM):
            for message in lane:
                assert not message.flying
                message.flying = True
            self.flying.append(list(lane))
        persons = [lane[0].person_id for lane in self.flying]
        assert len(persons) == len(set(persons)), "a person's messages are in one lane"

    def take(self, position: int) -> Taken:
        """A page of the feed, as messages."""
        found = [one for one in self.feed if one[0] > position][:ROOM]
        messages = [
            Message(None, f"m{place}", place, person, False, 0, None, self.now_ms, self.now_ms)
            for place, person in found
        ]
        has_more = len(found) == ROOM
        return Taken(messages, found[-1][0] if has_more else len(self.feed), has_more)

    def write(self, outcome: Outcome) -> None:
        assert outcome.was == self.health
        self.position, self.health = outcome.position, outcome.health
        for sent in outcome.sent:
            if sent.status == "waiting":
                self.keep(sent.message)
            else:
                self.rows.pop(sent.message.public_id, None)
        for message in outcome.fresh:
            assert message.public_id not in self.rows
            self.keep(message)

    def keep(self, message: Message) -> None:
        if message.id is None:
            self.ids += 1
            message.id = self.ids
        self.rows[message.public_id] = replace(message)

    def land(self, verdict: Verdict) -> None:
        """One of the lanes goes on by a message."""
        if not self.flying:
            return
        lane = self.dice.choice(self.flying)
        message = lane.pop(0)
        self.tried.append(Tried(message, None, verdict))
        if verdict == GOOD:
            assert message.position is not None
            assert message.person_id is not None
            self.received.append((message.position, message.person_id))
        else:
            for other in lane:
                other.rest()
            lane.clear()
        if not lane:
            self.flying.remove(lane)


_STEPS = ("tell", "turn", "record", "good", "good", "unwell", "refused", "killed", "later")


@given(st.lists(st.sampled_from(_STEPS), max_size=60), st.integers(0, 10**6))
def test_nothing_is_lost_and_nobody_is_overtaken(steps: list[str], seed: int) -> None:
    world = World(seed)
    for step in [*steps, "tell"]:
        world.do(step)
    for _ in range(200):
        world.turn(record=world.dice.random() < 0.7)
        while world.flying:
            world.land(GOOD)
        world.now_ms += 10 * 60_000
    assert {place for place, _ in world.received} == {place for place, _ in world.feed}
    first = list(dict.fromkeys(world.received))
    for person in range(4):
        mine = [place for place, whose in first if whose == person]
        assert mine == sorted(mine)
    assert world.rows == {}
    assert not world.backlog.has_moved()
    assert world.backlog.due_ms(world.now_ms) is None


def test_what_is_nothing_to_it_is_skipped_only_where_all_before_was_taken() -> None:
    backlog = Backlog(Loaded(HOOK, WELL, [], 10))
    backlog.skip(12, 20)
    assert backlog.position == 10, "between 10 and 12 there may be something"
    backlog.skip(10, 12)
    backlog.skip(12, 20)
    assert backlog.position == 20
    backlog.add(Taken([], 15, has_more=False))
    assert backlog.position == 20
    assert backlog.has_moved()
    assert not backlog.has_news()


def test_a_probe_is_alone() -> None:
    failing = Health("active", None, NOW_MS - DAY_MS // 2, 3, NOW_MS - 1, None)
    waiting = [Message(n, f"m{n}", n, n, False, 1, NOW_MS, NOW_MS, NOW_MS) for n in range(1, 4)]
    backlog = Backlog(Loaded(HOOK, failing, waiting, 3))
    ((probe,),) = backlog.lanes(NOW_MS, ROOM)
    probe.flying = True
    assert backlog.lanes(NOW_MS, ROOM) == []
    assert backlog.is_stuck()
    assert backlog.due_ms(NOW_MS) is None, "nothing is due before it has landed"
    backlog.settle([Tried(probe, None, GOOD)], NOW_MS, random.random)
    assert len(backlog.lanes(NOW_MS, ROOM)) == 2
    assert backlog.is_other()


def test_very_much_is_written_down_at_once() -> None:
    backlog = Backlog(Loaded(HOOK, Health("active", None, None, 0, None, NOW_MS), [], 0))
    some = [Message(None, f"m{n}", n, n, False, 0, None, NOW_MS, NOW_MS) for n in range(SENT_MAX)]
    backlog.add(Taken(some, SENT_MAX, has_more=True))
    backlog.settle([Tried(one, None, GOOD) for one in some[1:]], NOW_MS, random.random)
    assert backlog.has_news()
    assert not backlog.is_other()
    backlog.settle([Tried(some[0], None, GOOD)], NOW_MS, random.random)
    assert backlog.is_other()
