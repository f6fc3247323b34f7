"""Several dispatchers: one sends for each webhook, and another goes on when it is gone."""

import time
from collections.abc import Iterator

import pytest

from services.dispatch import readers
from services.dispatch.readers import Leases, LostError, hold, make_reader, move
from services.runtime.database import writing
from tests.contract.dispatch.conftest import Hook
from tests.contract.dispatch.feed import Feed, dispatching
from tests.servers.process import wait_until
from tests.servers.receiver import Receiver


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(readers, "LEASE_S", 0.3)
    return


def test_who_stops_giving_signs_loses_it(feed: Feed, short: None) -> None:
    one, other = Leases("one"), Leases("other")
    with writing(feed.engine).begin() as db:
        make_reader(db, "r", 5)
        assert one.renew(db, {"r"}) == {"r"}
    for _ in range(4):
        with writing(feed.engine).begin() as db:
            assert one.renew(db, {"r"}) == {"r"}
            assert other.renew(db, {"r"}) == set()
        time.sleep(0.1)
    time.sleep(0.3)
    with writing(feed.engine).begin() as db:
        assert other.renew(db, {"r"}) == {"r"}
        assert hold(db, "r", "other") == 5
        move(db, "r", "other", 7)
    with writing(feed.engine).begin() as db:
        assert one.renew(db, {"r"}) == set()
        for forbidden in (lambda: hold(db, "r", "one"), lambda: move(db, "r", "one", 6)):
            with pytest.raises(LostError):
                forbidden()
        other.give_back(db)
        assert one.renew(db, {"r"}) == {"r"}
        assert hold(db, "r", "one") == 7
        assert one.renew(db, set()) == set()


def test_two_share_the_work_and_one_goes_on_alone(
    feed: Feed, hook: Hook, receiver: Receiver
) -> None:
    for n in range(3):
        hook(f"{receiver.url}/{n}")
    with dispatching(feed.engine):
        with dispatching(feed.engine):
            feed.tell(*[0, 1, 2] * 10)
            wait_until(lambda: len(receiver.accepted) == 90, "all messages")
        feed.tell(0, 1, 2)
        wait_until(lambda: len(receiver.accepted) == 99, "those after one left", timeout_s=20)
    ids = [got.id for got in receiver.got]
    assert len(ids) == len(set(ids)) == 99, "each once"
