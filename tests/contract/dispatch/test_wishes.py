"""What a webhook asked for is the same to the database and to who looks at the feed."""

from itertools import product

from sqlalchemy import select

from services.contract.phases import DAY_MS
from services.contract.tables import change
from services.dispatch.wishes import Wish, conditions, look_between, wants
from services.runtime.clock import now_ms
from tests.contract.dispatch.feed import Feed


def test_the_feed_and_a_look_at_it_agree(feed: Feed) -> None:
    found = now_ms()
    for ago_ms in (0, DAY_MS, DAY_MS + 1):
        then = {"now_ms": found, "valid_ms": found - ago_ms}
        feed.tell(0, **then)
        feed.tell(0, kind="latency", **then)
        feed.tell(0, kind="identity", key="user_id", **then)
        feed.tell(0, kind="person", **then)
        for key in ("in-do", "other"):
            feed.tell(0, kind="segment", key=key, **then)
    feed.tell(0, workspace=2, now_ms=found)
    positions = feed.positions()
    types = ((), ("phase",), ("segment",), ("phase", "segment"), ("identity", "latency"))
    with feed.engine.connect() as db:
        looks = {one: look_between(db, one - 1, one) for one in positions}
        for wish in (Wish(*one) for one in product(types, ((), ("in-do",)), (False, True))):
            row = change.c
            query = select(row.position).where(row.workspace_id == 1, *conditions(wish))
            wanted = set(db.execute(query).scalars())
            assert wanted == {one for one, looked in looks.items() if wants(wish, looked.kinds[1])}
            assert set(look_between(db, 0, positions[-1] + 1).kinds) == {1, 2}
