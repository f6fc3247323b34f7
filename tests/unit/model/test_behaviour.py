"""What clicks that come together are taken for."""

import pytest

from services.contract.event import Event, Machine, event_id_of
from services.model.behaviour import judged

T0 = 1_780_000_000_000


def hit(second: float, link: str = "a", type_: str = "click", **more) -> Event:
    told = {"message_id": "m", "channel": "email", "content_id": link, **more}
    at = T0 + round(second * 1000)
    name = event_id_of(1, 1, f"{second}-{link}-{type_}")
    times = {"occurred_ms": at, "received_ms": at}
    return Event(v=1, workspace_id=1, event_id=name, source_id=1, type=type_, **times, **told)


def reasons(*events: Event) -> list[tuple[str, ...]]:
    return [event.machine.reasons for event in judged(events)]


def test_three_links_within_ten_seconds_are_software_s():
    found = judged([hit(0, "a"), hit(4, "b"), hit(10, "c"), hit(60, "d")])
    assert [event.machine.p >= 0.5 for event in found] == [True, True, True, False]
    assert found[0].machine.reasons == ("burst",)


@pytest.mark.parametrize(
    "events",
    [
        [hit(0, "a"), hit(4, "b"), hit(10.1, "c")],
        [hit(0, "a"), hit(0.5, "a"), hit(1, "a"), hit(2, "a")],
        [hit(0, "a"), hit(1, "b", message_id="n"), hit(2, "c", message_id="o")],
        [hit(0, "", "open"), hit(0, "a")],
        [hit(0, "", "page", message_id=None), hit(1, "a")],
    ],
    ids=["slower", "one_link", "of_three_messages", "open_and_click", "page"],
)
def test_a_person_may_do_this(events):
    assert judged(events) == events


def test_two_links_in_one_second():
    assert reasons(hit(0, "a"), hit(1, "b"), hit(5, "c", message_id="n")) == [
        ("same_second",),
        ("same_second",),
        (),
    ]


def test_a_honeypot_gives_away_what_is_near_it():
    trap = hit(20, "trap", content_type="honeypot")
    assert reasons(hit(9, "a"), hit(12, "b", message_id="n"), trap, hit(30, "c")) == [
        (),
        ("honeypot_near",),
        ("honeypot",),
        ("honeypot_near",),
    ]


def test_a_doubtful_open_with_the_delivery_is_software_s():
    doubtful = Machine(0.3, ("bare_mozilla",))
    sent = hit(0, "", "sent")
    early, late = (hit(s, "", "open", machine=doubtful) for s in (3, 300))
    found = judged([sent, early, late, hit(4, "", "open")])
    assert [event.machine.p >= 0.5 for event in found] == [False, True, False, False]
    assert found[1].machine.reasons == ("bare_mozilla", "with_delivery")


def test_the_page_timed_before_the_click_of_software_that_led_to_it():
    machine = Machine(0.95, ("head",))
    clicked = hit(9, "a", machine=machine, click_id="k", message_id=None)
    pages = [
        hit(s, "a", "page", message_id=None, click_id=key)
        for s, key in ((-2, "k"), (3, "k"), (4, "l"))
    ]
    assert reasons(*pages, clicked) == [(), ("click_behind",), (), ("head",)]
    person = hit(9, "b", click_id="k", message_id=None)
    assert judged([*pages, person]) == [*pages, person]
