"""What a mail says: opened, clicked, left alone, opened by a machine, too late, undeliverable."""

import pytest

from services.contract.event import Event, Machine
from services.contract.phases import DAY_MS, HOUR_MS
from services.model.filter import after_silence, weigh
from services.model.fold import elapse
from services.model.state import copy_state
from tests.unit.model.journeys import MODEL, T0, agreed, event, folded, score_of

OPEN = MODEL.parameters.mail.open
CLICK = MODEL.parameters.mail.click_given_open
MACHINE = Machine(p=0.9, reasons=("proxy",))
WINDOW_MS = MODEL.mail_window_ms
LATE_MS = T0 + WINDOW_MS + DAY_MS


def no(rates):
    return tuple(1 - x for x in rates)


def both(a, b):
    return tuple(x * y for x, y in zip(a, b, strict=True))


def mail(type_: str, hours: float, **fields) -> Event:
    return event(type_, T0 + round(hours * HOUR_MS), message_id="m", **fields)


def found(*events: Event, at_ms: int = LATE_MS) -> list[float]:
    state = copy_state(folded(agreed(), *events))
    elapse(state, at_ms, MODEL)
    return score_of(state).p


def expected(*steps: tuple[float, tuple[float, ...]], at_ms: int = LATE_MS) -> list[float]:
    """Silence and factors, in hours after T0."""
    p, now = list(MODEL.start), 0.0
    for hours, factor in steps:
        p = weigh(after_silence(p, (hours - now) / 24, MODEL), factor)
        now = hours
    return after_silence(p, (at_ms - T0) / DAY_MS - now / 24, MODEL)


CLOSE = WINDOW_MS / HOUR_MS

CASES = {
    "unopened": ([mail("sent", 0)], [(CLOSE, no(OPEN))]),
    "delivered is the same mail": ([mail("sent", 0), mail("delivered", 1)], [(CLOSE, no(OPEN))]),
    "opened": ([mail("sent", 0), mail("open", 5)], [(5, OPEN), (CLOSE, no(CLICK))]),
    "opened twice": (
        [mail("sent", 0), mail("open", 5), mail("open", 9)],
        [(5, OPEN), (CLOSE, no(CLICK))],
    ),
    "opened and clicked": (
        [mail("sent", 0), mail("open", 5), mail("click", 6)],
        [(5, OPEN), (6, CLICK)],
    ),
    "clicked, open not seen": ([mail("sent", 0), mail("click", 6)], [(6, both(OPEN, CLICK))]),
    "clicked twice, open seen late": (
        [mail("sent", 0), mail("click", 6), mail("open", 7), mail("click", 8)],
        [(6, both(OPEN, CLICK))],
    ),
    "opened by a machine": (
        [mail("sent", 0), mail("open", 1, machine=MACHINE)],
        [(CLOSE, no(both(OPEN, CLICK)))],
    ),
    "opened by a machine, then clicked": (
        [mail("sent", 0), mail("open", 1, machine=MACHINE), mail("click", 6)],
        [(6, both(OPEN, CLICK))],
    ),
    "opened by a machine, then by the person": (
        [mail("sent", 0), mail("open", 1, machine=MACHINE), mail("open", 6)],
        [(6, OPEN), (CLOSE, no(CLICK))],
    ),
    "clicked by a machine": (
        [mail("sent", 0), mail("click", 0.1, machine=MACHINE)],
        [(CLOSE, no(OPEN))],
    ),
    "sending never told": ([mail("open", 3)], [(3, OPEN), (CLOSE + 3, no(CLICK))]),
    "opened after closing": ([mail("sent", 0), mail("open", CLOSE + 2)], [(CLOSE, no(OPEN))]),
    "unsubscribed": (
        [mail("sent", 0), mail("unsubscribe", 9)],
        [(9, MODEL.parameters.mail.unsubscribe)],
    ),
    "complained": (
        [mail("sent", 0), mail("complaint", 9)],
        [(9, MODEL.parameters.mail.unsubscribe)],
    ),
    "unsubscribed after opening": (
        [mail("sent", 0), mail("open", 5), mail("unsubscribe", 9)],
        [(5, OPEN), (9, MODEL.parameters.mail.unsubscribe)],
    ),
    "bounced": ([mail("sent", 0), mail("bounce", 0.5)], []),
    "bounced for good": ([mail("sent", 0), mail("bounce", 0.5, properties={"kind": "hard"})], []),
    "bounced for now": (
        [mail("sent", 0), mail("bounce", 0.5, properties={"kind": "soft"}), mail("open", 5)],
        [(5, OPEN), (CLOSE, no(CLICK))],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_mail(case):
    events, steps = CASES[case]
    assert found(*events) == pytest.approx(expected(*steps), abs=1e-13)


@pytest.mark.parametrize(("content_type", "kind"), [("vacancy", "vacancy_click"), (None, "page")])
def test_a_click_after_closing_is_a_visit(content_type, kind):
    click = mail("click", CLOSE + 2, content_type=content_type)
    rates = MODEL.parameters.rates_per_day[kind]
    z = [x for point in MODEL.parameters.frailty.points for x in (point,) * 3]
    before = expected((CLOSE, no(OPEN)), at_ms=click.occurred_ms)
    raw = [p * rates[i % 3] * z[i] for i, p in enumerate(before)]
    now = [x / sum(raw) for x in raw]
    assert found(mail("sent", 0), click, at_ms=click.occurred_ms) == pytest.approx(now, abs=1e-13)


def test_the_window_closes_at_its_millisecond():
    sent = mail("sent", 0)
    before = found(sent, at_ms=T0 + WINDOW_MS - 1)
    after = found(sent, at_ms=T0 + WINDOW_MS)
    assert before == pytest.approx(expected(at_ms=T0 + WINDOW_MS - 1), abs=1e-13)
    assert after == pytest.approx(expected((CLOSE, no(OPEN)), at_ms=T0 + WINDOW_MS), abs=1e-13)


def test_no_mail_silence_counts_after_unsubscribing_even_of_later_mails():
    silent = found(mail("unsubscribe", 1), event("sent", T0 + 2 * HOUR_MS, message_id="n"))
    assert silent == pytest.approx(expected((1, MODEL.parameters.mail.unsubscribe)), abs=1e-13)


def test_mails_do_not_disturb_each_other():
    events = [
        event("sent", T0, message_id="a"),
        event("sent", T0 + DAY_MS, message_id="b"),
        event("open", T0 + 2 * DAY_MS, message_id="b"),
    ]
    steps = [(48, OPEN), (CLOSE, no(OPEN)), (CLOSE + 24, no(CLICK))]
    at = T0 + 6 * DAY_MS
    assert found(*events, at_ms=at) == pytest.approx(expected(*steps, at_ms=at), abs=1e-13)
