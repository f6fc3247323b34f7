import json
from pathlib import Path

import pytest

from services.contract.event import decode, encode
from tests.unit.tracker.scene import decide, outcome

FILES = sorted((Path(__file__).parents[2] / "golden" / "tracker").glob("*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_request_becomes_exactly_these_events(file):
    told = json.loads(file.read_text("utf-8"))
    request = told.pop("request")
    assert outcome(request) == told
    for event in decide(request).events:
        assert decode(encode(event)) == event


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_personal_is_kept_without_consent(file):
    told = json.loads(file.read_text("utf-8"))
    kept = b"".join(encode(event) for event in decide(told["request"]).events)
    assert b"canary" not in kept


def test_no_golden_file_was_lost():
    assert len(FILES) >= 28
