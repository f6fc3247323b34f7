"""Who may ask: what proves its sender is free, and what does not is paid for."""

from msgspec.structs import replace

from services.tracker.gate import Gate
from services.tracker.limits import BURST_S
from services.tracker.request import Request
from tests.unit.tracker.scene import NOW_MS, REQUEST_ID

ADDRESS = "8.8.8.8"
HOOK = Request(method="POST", path="/hooks/ses/hk_1", headers={}, request_id=REQUEST_ID)


def test_a_mailer_is_not_limited_and_a_guesser_is() -> None:
    gate = Gate((), requests_per_second=5, events_per_second=0)
    for path in ("/hooks/ses/hk_1", "/u/token"):
        request = replace(HOOK, path=path)
        for _ in range(1_000):
            assert gate.wait_for_address_s(ADDRESS, request, NOW_MS) is None
            gate.blame(ADDRESS, request, [], NOW_MS)
            gate.blame(ADDRESS, request, ["taken_for_machine"], NOW_MS)
    for _ in range(5 * BURST_S):
        assert gate.wait_for_address_s(ADDRESS, HOOK, NOW_MS) is None
        gate.blame(ADDRESS, HOOK, ["bad_signature"], NOW_MS)
    assert gate.wait_for_address_s(ADDRESS, HOOK, NOW_MS) == 1
    assert gate.wait_for_address_s("8.8.4.4", HOOK, NOW_MS) is None
    assert gate.wait_for_address_s(None, HOOK, NOW_MS) is None
    assert gate.wait_for_address_s(ADDRESS, HOOK, NOW_MS + 1_000) is None


def test_what_needs_no_proof_is_counted_each_time() -> None:
    gate = Gate((), requests_per_second=5, events_per_second=0)
    track = replace(HOOK, path="/v1/track")
    for _ in range(5 * BURST_S):
        assert gate.wait_for_address_s(ADDRESS, track, NOW_MS) is None
        gate.blame(ADDRESS, track, ["wrong_key"], NOW_MS)
    assert gate.wait_for_address_s(ADDRESS, track, NOW_MS) == 1
