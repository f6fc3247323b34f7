"""Which messages may be sent now: pure. A person's messages go one after the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BATCH_MAX = 200
"""Messages sent before what became of them is written down."""


@dataclass(slots=True)
class Message:
    """A message that waits."""

    id: int
    public_id: str
    position: int | None
    person_id: int | None
    asked: bool
    attempts: int
    first_ms: int | None
    next_ms: int
    recorded_ms: int
    """When what it tells was found out."""
    body: bytes | None = None
    """None: not looked up, or what it told of is no more."""


Lane = list[Message]


def lanes_of(
    waiting: Iterable[Message], now_ms: int, *, probe: bool, only_asked: bool
) -> list[Lane]:
    """Lanes of messages to be sent side by side, each in its order.

    Args:
        waiting: all that wait, in the order of their positions.
        now_ms: UTC milliseconds.
        probe: the endpoint is unwell, so one message is enough.
        only_asked: it is paused, so that only what somebody asked for by hand is sent.
    """
    lanes: list[Lane] = []
    by_person: dict[int, Lane] = {}
    held_up: set[int] = set()
    for message in waiting:
        person = message.person_id
        if message.asked or person is None:
            if message.next_ms <= now_ms:
                lanes.append([message])
        elif only_asked or person in held_up:
            continue
        elif message.next_ms > now_ms:
            held_up.add(person)
        elif person in by_person:
            by_person[person].append(message)
        else:
            by_person[person] = [message]
            lanes.append(by_person[person])
    # The one that failed least first: no single message keeps an endpoint from being found well.
    lanes.sort(key=lambda lane: (not lane[0].asked, lane[0].attempts))
    return [lanes[0][:1]] if probe and lanes else _cut(lanes)


def next_due_ms(waiting: Iterable[Message], *, only_asked: bool) -> int | None:
    """When the next of them may be sent; None: nothing waits."""
    heads: dict[int, int] = {}
    soonest: list[int] = []
    for message in waiting:
        if message.asked or message.person_id is None:
            soonest.append(message.next_ms)
        elif not only_asked:
            heads.setdefault(message.person_id, message.next_ms)
    return min((*soonest, *heads.values()), default=None)


def _cut(lanes: Sequence[Lane]) -> list[Lane]:
    taken: list[Lane] = []
    room = BATCH_MAX
    for lane in lanes:
        if room == 0:
            break
        taken.append(lane[:room])
        room -= len(taken[-1])
    return taken
