"""Records of several partitions in the order of their time.

A broker gives a backlog partition by partition, megabytes of each. Somebody whose events stand in
two of them would be told of the second when everything in the first had been scored, and so be
folded again for events that came in order.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable
from operator import itemgetter

from services.runtime.event_log import Stored

Timed = tuple[int, Stored]
"""(when it was put in the log, UTC milliseconds; the record)."""

_TIME = itemgetter(0)


class InTime:
    """Records at hand, in order within each partition, to be given out by their time."""

    def __init__(self) -> None:
        self._at_hand: dict[int, list[Timed]] = {}

    def add(self, partition: int, records: Iterable[Timed]) -> None:
        """What follows in a partition. A time before that of the record before counts as that."""
        ours = self._at_hand.setdefault(partition, [])
        last_ms = ours[-1][0] if ours else 0
        for at_ms, record in records:
            last_ms = max(last_ms, at_ms)
            ours.append((last_ms, record))

    def count(self, partition: int) -> int:
        """How many of a partition are at hand."""
        return len(self._at_hand.get(partition, ()))

    def forget(self, partition: int) -> None:
        """Have none of a partition at hand any more."""
        self._at_hand.pop(partition, None)

    def partitions(self) -> list[int]:
        """Those of which something is at hand."""
        return [partition for partition, ours in self._at_hand.items() if ours]

    def sure(self, behind: Collection[int]) -> int:
        """Before how many nothing can come any more.

        Args:
            behind: partitions of which more is to come, after what is at hand of them.
        """
        return sum(self._cuts(behind).values())

    def take(self, records_max: int, behind: Collection[int]) -> list[Stored]:
        """The first of these, by their time; they are at hand no more."""
        cuts = self._cuts(behind)
        found = [one for partition, cut in cuts.items() for one in self._at_hand[partition][:cut]]
        found.sort(key=_TIME)  # as the order of equals is kept, so is that of each partition
        taken = [record for _, record in found[:records_max]]
        for partition, count in Counter(record.partition for record in taken).items():
            del self._at_hand[partition][:count]
        return taken

    def _cuts(self, behind: Collection[int]) -> dict[int, int]:
        """How many of each partition come before anything that is not at hand."""
        ends_ms = [ours[-1][0] if (ours := self._at_hand.get(p)) else -1 for p in behind]
        if not ends_ms:
            return {partition: len(ours) for partition, ours in self._at_hand.items()}
        end_ms = min(ends_ms)
        return {
            partition: bisect_right(ours, end_ms, key=_TIME)
            for partition, ours in self._at_hand.items()
        }
