import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contract.addresses import Addresses, networks_of
from services.tracker.limits import BURST_S, RateLimits
from tests.unit.tracker.scene import NOW_MS


def taken(limits: RateLimits, n: int, now_ms: int = NOW_MS) -> int:
    return sum(limits.allows("a", now_ms) is None for _ in range(n))


def test_a_bucket_empties_and_fills():
    limits = RateLimits(per_second=5)
    assert taken(limits, 1000) == 5 * BURST_S
    assert limits.allows("a", NOW_MS) == 1
    assert limits.allows("b", NOW_MS) is None
    assert taken(limits, 1000, NOW_MS + 2000) == 10
    assert taken(limits, 1000, NOW_MS + 3_600_000) == 5 * BURST_S


def test_who_waits_as_long_as_told_is_let_in():
    limits = RateLimits(per_second=0.25)
    for _ in range(2):
        assert limits.allows("a", NOW_MS) is None
    wait_s = limits.allows("a", NOW_MS)
    assert wait_s is not None
    assert limits.allows("a", NOW_MS + (wait_s - 1) * 1000) is not None
    assert limits.allows("a", NOW_MS + wait_s * 1000) is None


def test_a_batch_larger_than_the_bucket_is_taken_and_owed():
    limits = RateLimits(per_second=10)
    assert limits.allows("a", NOW_MS, cost=5000) is None
    wait_s = limits.allows("a", NOW_MS)
    assert wait_s == 491  # 4,900 more than the bucket held, and room for one
    assert limits.allows("a", NOW_MS + wait_s * 1000, cost=5000) is None


def test_no_limit():
    assert taken(RateLimits(per_second=0), 10_000) == 10_000


def test_memory_is_bounded_and_the_busy_are_remembered():
    limits = RateLimits(per_second=1, senders_max=100)
    taken(limits, 1000)
    for i in range(100_000):
        assert limits.allows(i, NOW_MS) is None
        if i % 50 == 0:
            assert limits.allows("a", NOW_MS) is not None
    assert len(limits._full_at) + len(limits._full_at_older) <= 200


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 20)), max_size=60))
def test_never_more_than_the_bucket_and_what_flowed_in(steps):
    limits, now_ms, used = RateLimits(per_second=3), NOW_MS, 0
    for pause_ms, cost in steps:
        now_ms += pause_ms
        if limits.allows("a", now_ms, cost) is None:
            used += cost
    assert used <= 3 * BURST_S + 3 * (now_ms - NOW_MS) / 1000 + 20


TRUSTED = "10.0.0.0/8, 2001:db8:ffff::/48"


@pytest.mark.parametrize(
    ("trusted", "peer", "x_forwarded_for", "forwarded", "sender"),
    [
        ("", "8.8.8.8", "", "", "8.8.8.8"),
        # nobody is believed who is not trusted
        ("", "8.8.8.8", "9.9.9.9", "for=9.9.9.9", "8.8.8.8"),
        (TRUSTED, "8.8.8.8", "9.9.9.9", "", "8.8.8.8"),
        # one proxy, two proxies: the last one that we do not trust
        (TRUSTED, "10.0.0.1", "9.9.9.9", "", "9.9.9.9"),
        (TRUSTED, "10.0.0.1", "1.1.1.1, 9.9.9.9", "", "9.9.9.9"),
        (TRUSTED, "10.0.0.1", "1.1.1.1,9.9.9.9,10.3.3.3", "", "9.9.9.9"),
        (TRUSTED, "10.0.0.1", "9.9.9.9:4711", "", "9.9.9.9"),
        (TRUSTED, "10.0.0.1", "", "for=9.9.9.9;proto=https", "9.9.9.9"),
        (TRUSTED, "10.0.0.1", "", 'proto=https;For="[2606:4700::1]:4711"', "2606:4700::/64"),
        (TRUSTED, "10.0.0.1", "", "for=1.1.1.1, for=9.9.9.9;by=10.0.0.1", "9.9.9.9"),
        (TRUSTED, "10.0.0.1", "9.9.9.9", "for=1.1.1.1", "9.9.9.9"),
        # one home of IPv6 is one sender
        ("", "2606:4700:1:2:3:4:5:6", "", "", "2606:4700:1:2::/64"),
        (TRUSTED, "2001:db8:ffff::1", "2606:4700:1:2::9", "", "2606:4700:1:2::/64"),
        ("", "::ffff:8.8.8.8", "", "", "8.8.8.8"),
        # an inner address is a system of one's own or an undeclared proxy: never limited
        ("", "127.0.0.1", "9.9.9.9", "", None),
        ("", "192.168.1.7", "", "", None),
        (TRUSTED, "10.0.0.1", "", "", None),
        (TRUSTED, "10.0.0.1", "unknown", "", None),
        (TRUSTED, "10.0.0.1", "", "for=_hidden", None),
        (TRUSTED, "10.0.0.1", "9.9.9.9, \xff" + "," * 500, "", None),
        # of a long header the end counts
        (TRUSTED, "10.0.0.1", "1" * 60_000 + ", 9.9.9.9, 10.3.3.3", "", "9.9.9.9"),
        ("", "", "", "", None),
    ],
)
def test_whose_address_counts(trusted, peer, x_forwarded_for, forwarded, sender):
    addresses = Addresses(networks_of(trusted))
    said = x_forwarded_for.encode("latin-1"), forwarded.encode("latin-1")
    assert addresses.sender(peer, *said) == sender


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_header_is_read(x_forwarded_for, forwarded):
    Addresses(networks_of("0.0.0.0/0, ::/0")).sender("8.8.8.8", x_forwarded_for, forwarded)
