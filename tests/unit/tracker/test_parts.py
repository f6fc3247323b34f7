import gzip
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.runtime.steady_clock import SteadyClock
from services.tracker.body import unpack
from services.tracker.clean import DEPTH_MAX, clean_id, clean_text, clean_value
from services.tracker.consent import from_preferences, from_words
from services.tracker.identities import email_of
from services.tracker.names import is_nearly_known, type_of_track
from services.tracker.occurred import occurred_ms
from services.tracker.reasons import RefusedRequestError
from services.tracker.request import BODY_BYTES_MAX
from tests.unit.tracker.scene import NOW_MS

# A slow machine is no fault of the input.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NOON = "2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    ("original", "timestamp", "sent_at", "before_now_ms", "doubt"),
    [
        (None, None, None, 0, None),
        (None, "2026-03-01T11:00:00Z", None, 3_600_000, None),
        ("2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z", None, 7_200_000, None),
        # a clock an hour ahead, and one an hour behind
        ("2026-03-01T12:59:00Z", None, "2026-03-01T13:00:00Z", 60_000, None),
        ("2026-03-01T10:59:00Z", None, "2026-03-01T11:00:00Z", 60_000, None),
        # never in the future
        ("2026-03-01T14:00:00Z", None, None, 0, "timestamp_ahead"),
        ("2026-03-01T14:00:00Z", None, NOON, 0, "timestamp_ahead"),
        ("2026-03-01T12:00:59Z", None, None, 0, None),
        # other spellings
        (None, "2026-03-01T12:30:00.5+01:00", None, 1_799_500, None),
        (None, "2026-03-01 11:00:00", None, 3_600_000, None),
        (None, 1_772_362_800, None, 3_600_000, None),
        (None, 1_772_362_800_000, None, 3_600_000, None),
        # no times at all
        ("", None, None, 0, None),
        ("soon", None, None, 0, "timestamp_unreadable"),
        (True, {}, [], 0, "timestamp_unreadable"),
        ("0001-01-01T00:00:00+14:00", None, None, 0, "timestamp_too_old"),
        ("1970-01-01T00:00:00Z", None, None, 0, "timestamp_too_old"),
    ],
)
def test_time_is_the_senders_put_right(original, timestamp, sent_at, before_now_ms, doubt):
    at_ms = NOW_MS - before_now_ms
    assert occurred_ms(original, timestamp, sent_at, NOW_MS) == (at_ms, doubt)


@pytest.mark.parametrize(
    ("name", "event_type"),
    [
        ("Email Opened", "open"),
        ("Email Link Clicked", "click"),
        ("Email Marked as Spam", "complaint"),
        ("vacancy-viewed", "vacancy_viewed"),
        ("Vacancy Viewed", "vacancy_viewed"),
        ("identified", "custom"),
        ("Anything Else", "custom"),
    ],
)
def test_names_become_types(name, event_type):
    assert type_of_track(name) == event_type


@pytest.mark.parametrize(
    ("name", "nearly"),
    [
        ("Vacancy Veiwed", True),
        ("Vacancy View", False),
        ("VacancyViewed", True),
        ("Viewed Vacancy", True),
        ("Email Opend", True),
        ("Coffee Ordered", False),
        ("lead", False),  # a letter from "read", as so many words are
        ("x" * 30_000, False),
    ],
)
def test_slips_in_names_are_noticed(name, nearly):
    assert is_nearly_known(name) is nearly


@pytest.mark.parametrize(
    ("text", "email"),
    [
        (" Anna@Example.ORG ", "anna@example.org"),
        ("mailto:a@b.nl", "a@b.nl"),
        ("anna", None),
        ("@b.nl", None),
        ("a@b", None),
        ("a b@c.nl", None),
        ("a" * 250 + "@b.nl", None),
        (7, None),
    ],
)
def test_mail_addresses_have_one_spelling(text, email):
    assert email_of(text) == email


def test_long_ids_are_not_cut():
    assert clean_id("x" * 256) == "x" * 256
    assert clean_id("x" * 257) is None
    assert clean_id(" \x00 ") is None
    assert clean_id(7) == "7"
    assert clean_id(True) is None


def test_consent_is_said_or_not():
    said = from_preferences({"measure": True, "profile": "yes", "contact": False})
    assert (said.measure, said.profile, said.contact) == (True, None, False)
    assert from_preferences(["measure"]).measure is None
    named = from_words("measure, profile")
    assert (named.measure, named.profile, named.contact) == (True, True, None)


@unhurried
@given(st.text())
def test_cleaning_twice_changes_nothing(text):
    once = clean_text(text)
    assert clean_text(once) == once
    once.encode()
    assert "\x00" not in once


@unhurried
@given(
    st.recursive(
        st.text() | st.integers() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_clean_values_are_bounded_and_stay_clean(value):
    once = clean_value(value)
    assert clean_value(once) == once
    assert depth_of(once) <= DEPTH_MAX


def depth_of(value):
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


@unhurried
@given(st.lists(st.binary(min_size=1, max_size=500), min_size=1, max_size=3))
def test_packed_bodies_come_back(parts):
    packed = b"".join(gzip.compress(part) for part in parts)
    assert unpack(packed) == b"".join(parts)


def test_a_bomb_is_refused_before_it_fills_memory():
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(bomb.compress(bytes(2**20)) for _ in range(64)) + bomb.flush()
    with pytest.raises(RefusedRequestError, match="too_large"):
        unpack(packed)
    assert unpack(gzip.compress(bytes(BODY_BYTES_MAX))) == bytes(BODY_BYTES_MAX)


@pytest.mark.parametrize(
    "change", [lambda b: b[:-6], lambda b: b[:2], lambda b: b[:15] + b"\xff" * 9]
)
def test_broken_gzip_is_malformed(change):
    with pytest.raises(RefusedRequestError, match="malformed"):
        unpack(change(gzip.compress(b'{"event": "read"}')))


def test_a_body_in_very_many_packed_parts_is_not_unpacked():
    """Each part copies all that is behind it: four megabytes of empty ones took twelve seconds."""
    part = gzip.compress(b"{}")
    assert unpack(part * 100) == b"{}" * 100
    with pytest.raises(RefusedRequestError, match="malformed"):
        unpack(part * 101)


def test_the_steady_clock_does_not_jump():
    wall = [NOW_MS]
    clock = SteadyClock(lambda: wall[0])
    wall[0] += 3_600_000
    assert abs(clock.now_ms() - NOW_MS) < 60_000
    assert clock.has_drifted()
    wall[0] = NOW_MS
    assert not clock.has_drifted()
