"""The account on a person's page: nothing is left out, and it adds up."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.dashboard.reasons import ALONE_MAX, Reason, reasons_of
from services.api.dashboard.texts import Words
from services.contract.phases import DAY_MS
from services.model.explain import explain
from tests.unit.model.journeys import MODEL, T0, agreed, event, journeys, quick

DUTCH = Words("nl", "Europe/Amsterdam")


@quick
@given(journeys(), st.integers(0, 200 * DAY_MS))
def test_the_lines_add_up_to_the_last(events, after_ms):
    account = explain(events, MODEL, T0 + after_ms)
    if account is None:
        return
    *lines, total = reasons_of(account, {}, DUTCH)
    assert math.fsum(line.log_odds for line in lines) == pytest.approx(total.log_odds, abs=1e-9)
    assert total.log_odds == account.turning
    most = max(abs(line.log_odds) for line in (*lines, total) if not _is_silence(line))
    for line in (*lines, total):
        share = abs(line.log_odds) / most
        assert line.width == pytest.approx(50 * min(share, 1), abs=0.06)
        assert line.is_cut is (share > 1)
        assert not line.is_cut or _is_silence(line)
    assert len(lines) <= 1 + ALONE_MAX + len({c.kind for c in account.contributions})
    assert not any(map(_is_silence, lines[:-1])), "what was not done stands last, on one line"


def _is_silence(line: Reason) -> bool:
    return "stil tussen" in line.text or line.text == "liet niets van zich horen"


def test_years_of_silence_leave_what_was_done_to_be_seen():
    pages = [event("page", T0 + 35 * i * DAY_MS) for i in range(20)]
    applied = event("application_started", T0 + 700 * DAY_MS)
    account = explain([agreed(), *pages, applied], MODEL, T0 + 702 * DAY_MS)
    *lines, silence, _ = reasons_of(account, {}, DUTCH)
    assert _is_silence(silence)
    assert silence.is_cut
    assert silence.width == 50
    began = next(line for line in lines if line.text == "begon aan een sollicitatie")
    assert began.width > 10


def test_what_says_most_stands_alone_in_the_order_of_time():
    strong = [event("application_started", T0 + i * DAY_MS) for i in (1, 2)]
    pages = [event("page", T0 + i * DAY_MS) for i in range(40, 80)]
    account = explain([agreed(), *strong, *pages], MODEL, T0 + 82 * DAY_MS)
    texts = [line.text for line in reasons_of(account, {}, DUTCH)]
    assert texts[1] == "begon aan een sollicitatie"
    assert any(re.fullmatch(r"keek \d+ keer rond op de website", text) for text in texts)
    quiet = r"bleef \d+ keer stil tussen wat er gebeurde, bij elkaar opgeteld 82 dagen"
    assert any(re.fullmatch(quiet, text) for text in texts)


def test_what_says_most_bears_the_title_that_the_catalogue_has():
    applied = event("application_started", T0 + DAY_MS, content_id="mechanic")
    account = explain([agreed(), applied], MODEL, T0 + 2 * DAY_MS)
    for titles, told in (({"mechanic": "Mechanic"}, ": Mechanic"), ({}, "")):
        lines = reasons_of(account, titles, DUTCH)
        assert lines[1].text == f"begon aan een sollicitatie{told}"
