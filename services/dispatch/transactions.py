"""The transactions that one endpoint's sender has with the database, each a short one."""

from collections.abc import Sequence

from sqlalchemy import Engine

from services.dispatch.lanes import Message
from services.dispatch.queue import Hook, Loaded, Taken, load, newest_for, read_bodies, take
from services.dispatch.recording import Outcome, record, tidy
from services.runtime.database import glancing, writing


class Transactions:
    """Those that write raise ``LostError`` if another process has the webhook by now.

    Args:
        engine: the database.
        name: the webhook's public id.
        holder: our process.
    """

    def __init__(self, engine: Engine, name: str, holder: str) -> None:
        self._writing, self._glancing = writing(engine), glancing(engine)
        self._name, self._holder = name, holder

    def load(self, hook: Hook | None, outcome: Outcome | None, now_ms: int) -> Loaded | None:
        """Write down what is known, if anything is; then read all. None: it was deleted."""
        with self._writing.begin() as db:
            if hook is not None and outcome is not None:
                record(db, hook, self._holder, outcome, now_ms)
            return load(db, self._name, self._holder)

    def take(
        self, hook: Hook, unread: Sequence[Message], position: int, room: int, now_ms: int
    ) -> Taken | None:
        """Read what messages say, and take more from the feed; nothing is locked or waited for.

        Args:
            hook: the webhook.
            unread: messages that are about to be sent.
            position: of the feed, up to which it was taken.
            room: for so many messages; 0: for none.
            now_ms: UTC milliseconds.

        Returns:
            What was taken; None: the owner changed something, so that nothing was.
        """
        with self._glancing.begin() as db:
            newest = newest_for(db, hook)
            if newest is None:
                return None
            if unread:
                read_bodies(db, hook, unread)
            if room == 0:
                return Taken([], position, has_more=False)
            return take(db, hook, position, newest, room, now_ms)

    def record(self, hook: Hook, outcome: Outcome, now_ms: int) -> None:
        """Write down what is known."""
        with self._writing.begin() as db:
            record(db, hook, self._holder, outcome, now_ms)

    def tidy(self, hook: Hook, outcome: Outcome, now_ms: int) -> None:
        """The same, and forget what was done long ago."""
        with self._writing.begin() as db:
            record(db, hook, self._holder, outcome, now_ms)
            tidy(db, hook, now_ms)
