"""Which messages may be sent now: pure. A person's messages go one after the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BATCH_MAX = 200
"""Messages of one endpoint that are on their way at one time."""


@dataclass(slots=True)
class Message:
    """A message that waits, or is on its way."""

    id: int | None
    """Of its row; None: it stands in the feed alone as yet."""
    public_id: str
    position: int | None
    person_id: int | None
    asked: bool
    attempts: int
    first_ms: int | None
    next_ms: int
    recorded_ms: int
    """When what it tells was found out."""
    is_read: bool = False
    """Whether it was looked up what it says; forgotten again where it is not sent at once."""
    body: bytes | None = None
    """None: what it told of is no more, if it was looked up."""
    flying: bool = False
    """It is on its way, or it is not written down yet what came of it."""
    kept_ms: int | None = None
    """``next_ms`` as its row has it: another one there, and it was asked for anew since."""

    def rest(self) -> None:
        """It is not sent now. What it says may be erased until it is."""
        self.flying = self.is_read = False
        self.body = None


Lane = list[Message]


def lanes_of(
    waiting: Iterable[Message],
    now_ms: int,
    *,
    probe: bool,
    only_asked: bool,
    room: int = BATCH_MAX,
) -> list[Lane]:
    """Lanes of messages to be sent side by side, each in its order.

    Args:
        waiting: all that are not done, in the order of their positions.
        now_ms: UTC milliseconds.
        probe: the endpoint is unwell, so one message is enough.
        only_asked: it is paused, so that only what somebody asked for by hand is sent.
        room: for so many messages.
    """
    lanes: list[Lane] = []
    by_person: dict[int, Lane] = {}
    held_up: set[int] = set()
    for message in waiting:
        person = message.person_id
        if message.flying:
            if probe:
                return []
            if person is not None and not message.asked:
                held_up.add(person)
        elif message.asked or person is None:
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
    return [lanes[0][:1]] if probe and lanes else _cut(lanes, room)


def next_due_ms(waiting: Iterable[Message], *, probe: bool, only_asked: bool) -> int | None:
    """When the next of them may be sent; None: not before something on its way has landed."""
    heads: dict[int, int | None] = {}
    soonest: list[int] = []
    for message in waiting:
        if message.flying and probe:
            return None
        if message.asked or message.person_id is None:
            if not message.flying:
                soonest.append(message.next_ms)
        elif not only_asked:
            heads.setdefault(message.person_id, None if message.flying else message.next_ms)
    return min((*soonest, *(due for due in heads.values() if due is not None)), default=None)


def _cut(lanes: Sequence[Lane], room: int) -> list[Lane]:
    taken: list[Lane] = []
    for lane in lanes:
        if room <= 0:
            break
        taken.append(lane[:room])
        room -= len(taken[-1])
    return taken
