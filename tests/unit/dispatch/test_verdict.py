"""What follows from a receiver's answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contract.phases import DAY_MS, HOUR_MS
from services.dispatch.follows import Health, health_after
from services.dispatch.lanes import Message, lanes_of, next_due_ms
from services.dispatch.verdict import Verdict, backoff_ms, gives_up, verdict_on
from services.runtime.outbound import Answer

NOW_MS = 1_795_000_000_000
WELL = Health("active", None, None, 0, None, None)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, "delivered"), (204, "delivered"), (299, "delivered"), (301, "unwell"),
        (307, "unwell"), (400, "refused"), (401, "unwell"), (404, "unwell"), (410, "gone"),
        (422, "refused"), (429, "busy"), (500, "unwell"), (503, "busy"), (None, "unwell"),
    ],
)  # fmt: skip
def test_verdicts(status: int | None, kind: str) -> None:
    assert verdict_on(Answer(status, "timeout", None, 1), NOW_MS).kind == kind


@pytest.mark.parametrize(
    ("said", "wait_ms"),
    [
        ("2", 2000), (" 3 ", 3000), ("999999999999", 6 * HOUR_MS), ("-1", 0), ("soon", 0),
        ("", 0), ("Fri, 31 Dec 1999 23:59:59 GMT", 0), ("²", 0), (None, 0),
        ("Sat, 31 Dec 9999 23:59:59 GMT", 6 * HOUR_MS),
    ],
)  # fmt: skip
def test_retry_after(said: str | None, wait_ms: int) -> None:
    assert verdict_on(Answer(429, None, said, 1), NOW_MS).wait_ms == wait_ms


def test_a_day_of_tries_becomes_rare_soon() -> None:
    waited, tries = 0, 0
    while waited < DAY_MS:
        tries += 1
        waited += backoff_ms(tries, 1.0)
    assert tries < 40
    assert backoff_ms(1, 0.0) == 500
    assert backoff_ms(10_000, 1.0) == HOUR_MS


def test_an_endpoint_is_well_as_soon_as_something_arrives() -> None:
    bad, good = Verdict("unwell", "status 500", 0), Verdict("delivered", None, 0)
    worse = health_after(WELL, [bad, bad], NOW_MS, 0.5)
    assert (worse.failing_ms, worse.failures) == (NOW_MS, 1)
    again = health_after(worse, [bad], NOW_MS + 1000, 0.5)
    assert (again.failing_ms, again.failures) == (NOW_MS, 2)
    assert health_after(again, [bad, good], NOW_MS + 2000, 0.5).failing_ms is None
    dead = health_after(again, [bad], NOW_MS + DAY_MS, 0.5)
    assert (dead.status, dead.notice) == ("dead", "nothing arrived for a day: status 500")
    assert health_after(WELL, [Verdict("refused", "status 400", 0)], NOW_MS, 0.5) == WELL


def test_a_message_is_given_up_only_while_others_arrive() -> None:
    assert not gives_up(NOW_MS - DAY_MS, None, NOW_MS)
    assert not gives_up(NOW_MS - DAY_MS, NOW_MS - DAY_MS - 1, NOW_MS)
    assert gives_up(NOW_MS - DAY_MS, NOW_MS - 5, NOW_MS)
    assert not gives_up(NOW_MS - DAY_MS + 1, NOW_MS - 5, NOW_MS)


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(-3, 3), st.booleans(), st.integers(0, 3)),
        max_size=40,
    ),
    st.booleans(),
    st.booleans(),
)
def test_lanes_keep_each_persons_order(waiting, probe, only_asked) -> None:
    messages = [
        Message(n, f"m{n}", n, person, asked, attempts, None, next_ms, 0)
        for n, (person, next_ms, asked, attempts) in enumerate(waiting)
    ]
    lanes = lanes_of(messages, 0, probe=probe, only_asked=only_asked)
    sent = [one for lane in lanes for one in lane]
    assert all(one.next_ms <= 0 for one in sent)
    assert not probe or len(sent) <= 1
    for lane in lanes:
        assert len({one.person_id for one in lane}) == 1
        assert [one.id for one in lane] == sorted(one.id for one in lane)
    in_order = [one for one in sent if not one.asked]
    assert not (only_asked and in_order)
    chosen = {one.id for one in in_order}
    for one in in_order:
        before = [
            m for m in messages if m.person_id == one.person_id and not m.asked and m.id < one.id
        ]
        assert {m.id for m in before} <= chosen, "nobody overtakes an own message"
    due = next_due_ms(messages, probe=probe, only_asked=only_asked)
    assert bool(sent) == (due is not None and due <= 0)
