"""What one endpoint is to get, and what came of it, between two transactions: pure.

It mirrors the endpoint's rows and adds what is not written down yet: messages that stand in the
feed alone, and what became of those that were sent.
"""

from collections.abc import Callable, Sequence

from services.dispatch.follows import Sent, Tried, health_after, sent_of
from services.dispatch.lanes import Lane, lanes_of, next_due_ms
from services.dispatch.queue import Loaded, Taken
from services.dispatch.recording import Outcome

SENT_MAX = 200
"""Messages that were sent and are not written down."""


class Backlog:
    """Of one webhook, as its owner wants it until :attr:`hook` is loaded anew."""

    def __init__(self, loaded: Loaded) -> None:
        self.hook = loaded.hook
        self.health = self._written_health = loaded.health
        self.position = self._written_position = loaded.position
        """Of the feed, up to which it was taken."""
        self._waiting = {one.public_id: one for one in loaded.waiting}
        self._sent: dict[str, Sent] = {}

    def __len__(self) -> int:
        """Messages that are not done, or not written down."""
        return len(self._waiting.keys() | self._sent.keys())

    def lanes(self, now_ms: int, room: int) -> list[Lane]:
        """What may be sent now, at most ``room`` messages."""
        return lanes_of(
            self._waiting.values(),
            now_ms,
            probe=self.health.failing_ms is not None,
            only_asked=self.health.is_held_up(now_ms),
            room=room,
        )

    def due_ms(self, now_ms: int) -> int | None:
        """When something may be sent; None: not before something lands, or its owner says so."""
        is_held_up = self.health.is_held_up(now_ms)
        is_failing = self.health.failing_ms is not None
        due_ms = next_due_ms(self._waiting.values(), probe=is_failing, only_asked=is_held_up)
        retry_ms = self.health.retry_ms
        if self.health.status == "active" and is_held_up and retry_ms is not None:
            return min(retry_ms, due_ms or retry_ms)
        return due_ms

    def is_stuck(self) -> bool:
        """Whether something waits for what is on its way: somebody's next message, or a probe."""
        flying = {one.person_id for one in self._waiting.values() if one.flying}
        if flying and self.health.failing_ms is not None:
            return True
        return any(not one.flying and one.person_id in flying for one in self._waiting.values())

    def oldest_ms(self) -> int | None:
        """Since when the oldest message waits that its owner does not hold up."""
        if self.health.status != "active":
            return None
        return min((one.recorded_ms for one in self._waiting.values()), default=None)

    def add(self, taken: Taken) -> None:
        """What was taken from the feed."""
        self._waiting.update((one.public_id, one) for one in taken.messages)
        self.position = max(self.position, taken.position)

    def skip(self, after: int, newest: int) -> None:
        """There is nothing for this webhook between two positions."""
        if self.position >= after:
            self.position = max(self.position, newest)

    def settle(self, tried: Sequence[Tried], now_ms: int, dice: Callable[[], float]) -> list[Sent]:
        """What follows from sending; the same is to be written down."""
        if not tried:
            return []
        self.health = health_after(self.health, [one.verdict for one in tried], now_ms, dice())
        settled = [sent_of(one, self.health, now_ms, dice()) for one in tried]
        for sent in settled:
            message = sent.message
            self._sent[message.public_id] = sent
            if sent.status != "waiting":
                del self._waiting[message.public_id]
                continue
            message.attempts, message.first_ms = sent.attempts, sent.first_ms
            message.next_ms = sent.next_ms
            message.rest()
        return settled

    def has_news(self) -> bool:
        """Whether something is to be written down before long."""
        return bool(self._sent) or any(one.id is None for one in self._waiting.values())

    def is_other(self) -> bool:
        """Whether the endpoint does otherwise than it was written down, or very much was sent."""
        return self.health != self._written_health or len(self._sent) >= SENT_MAX

    def has_moved(self) -> bool:
        """Whether anything at all is to be written down, were it only the position."""
        return self.position != self._written_position or self.has_news() or self.is_other()

    def outcome(self) -> Outcome:
        """All that is to be written down."""
        fresh = [
            one
            for one in self._waiting.values()
            if one.id is None and one.public_id not in self._sent
        ]
        return Outcome(
            list(self._sent.values()), fresh, self.position, self._written_health, self.health
        )

    def written(self, outcome: Outcome) -> None:
        """It is written down; what was settled since is not."""
        for message in outcome.fresh:
            message.kept_ms = message.next_ms
        for sent in outcome.sent:
            sent.message.kept_ms = sent.next_ms
            if self._sent.get(sent.message.public_id) is sent:
                del self._sent[sent.message.public_id]
        self._written_health, self._written_position = outcome.health, outcome.position
