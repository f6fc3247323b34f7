"""Who is in a procedure, by what was told of it."""

import pytest

from services.contract.event import Event
from services.contract.phases import DAY_MS
from services.model.procedure import LASTS_MS, Procedures
from tests.unit.model.journeys import T0, event

A, B = {"content_id": "a"}, {"content_id": "b"}


@pytest.mark.parametrize(
    ("told", "latest"),
    [
        ([("applied", A)], 0),
        ([("applied", A), ("stage_changed", A), ("page", B)], 1),
        ([("applied", A), ("applied", B), ("rejected", B)], 0),
        ([("applied", A), ("rejected", {})], None),
        ([("applied", {}), ("rejected", A)], None),
        ([("applied", A), ("rejected", B)], 0),
        ([("applied", A), ("applied", B), ("hired", A)], None),
        ([("rejected", A), ("applied", A)], 1),
        ([("applied", A), ("stage_changed", {}), ("rejected", A)], None),
        ([("applied", A), ("applied", B), ("stage_changed", {}), ("rejected", B)], 0),
        ([("stage_changed", {}), ("rejected", A)], None),
        ([("application_started", A)], None),
        ([], None),
    ],
)
def test_a_procedure_goes_on_until_it_is_told_to_have_ended(told, latest):
    events = [event(type_, T0 + i, **about) for i, (type_, about) in enumerate(told)]
    procedures = Procedures[Event]()
    assert list(procedures.heard(events)) == events
    expected = None if latest is None else events[latest]
    assert procedures.latest(T0 + DAY_MS) == expected
    assert procedures.latest(T0 + LASTS_MS + DAY_MS) is None
