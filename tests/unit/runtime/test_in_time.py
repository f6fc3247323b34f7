"""Records of several partitions in the order of their time."""

import random

from services.runtime.event_log import Stored
from services.runtime.in_time import InTime


def stored(partition: int, offset: int) -> Stored:
    return Stored(partition, offset, b"", b"")


def test_those_come_first_that_were_first() -> None:
    ahead = InTime()
    ahead.add(0, [(10, stored(0, 0)), (30, stored(0, 1))])
    ahead.add(1, [(20, stored(1, 0)), (40, stored(1, 1))])
    assert ahead.sure(()) == 4
    taken = ahead.take(3, ())
    assert [(one.partition, one.offset) for one in taken] == [(0, 0), (1, 0), (0, 1)]
    assert (ahead.partitions(), ahead.count(1)) == ([1], 1)


def test_what_may_come_after_something_that_is_not_at_hand_waits() -> None:
    ahead = InTime()
    ahead.add(0, [(10, stored(0, 0)), (30, stored(0, 1))])
    assert (ahead.sure([1]), ahead.take(9, [1])) == (0, [])
    ahead.add(1, [(20, stored(1, 0))])
    assert [one.partition for one in ahead.take(9, [1])] == [0, 1]
    assert [one.offset for one in ahead.take(9, ())] == [1]


def test_a_clock_that_goes_back_changes_no_order_within_a_partition() -> None:
    ahead = InTime()
    ahead.add(0, [(50, stored(0, 0)), (10, stored(0, 1))])
    ahead.add(0, [(20, stored(0, 2))])
    ahead.add(1, [(40, stored(1, 0))])
    taken = [(one.partition, one.offset) for one in ahead.take(9, ())]
    assert taken == [(1, 0), (0, 0), (0, 1), (0, 2)]


def test_what_is_forgotten_is_not_given_out() -> None:
    ahead = InTime()
    ahead.add(0, [(10, stored(0, 0))])
    ahead.forget(0)
    ahead.forget(7)
    assert (ahead.partitions(), ahead.take(9, ())) == ([], [])


def test_however_it_comes_it_goes_out_in_order() -> None:
    rng = random.Random(7)
    times = {partition: sorted(rng.choices(range(300), k=100)) for partition in range(3)}
    ahead, out, came = InTime(), list[Stored](), dict.fromkeys(times, 0)
    while any(came[p] < 100 for p in times) or ahead.partitions():
        partition = rng.randrange(3)
        begin, end = came[partition], min(100, came[partition] + rng.randrange(30))
        more = [(times[partition][i], stored(partition, i)) for i in range(begin, end)]
        ahead.add(partition, more)
        came[partition] = end
        out += ahead.take(rng.randrange(1, 40), [p for p in times if came[p] < 100])
    assert sorted((one.partition, one.offset) for one in out) == [
        (p, i) for p in range(3) for i in range(100)
    ]
    at_ms = [times[one.partition][one.offset] for one in out]
    assert at_ms == sorted(at_ms)
