"""Tokens: what was signed reads back, what was not does not, and old mails go on working."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contract.event import CHANNELS
from services.contract.token import (
    Link,
    Recipient,
    Unsubscribe,
    read_link,
    read_recipient,
    read_unsubscribe,
    sign_link,
    sign_recipient,
    sign_unsubscribe,
)

SECRET = b"one secret of thirty-two bytes!!"
NIGHT = Link("https://werkenbij.example/verhalen/nacht?x=1#top", "maart", "nacht", "story")
ANNA = Recipient("0123456789abcdef", measure=True, profile=True)
NOAH = Recipient("fedcba9876543210", measure=True, profile=False)
MEETING = Link("http://a.example/%C3%A9", None, "m1", None, "meeting")


def secret_of(workspace_id, number):
    return SECRET if (workspace_id, number) in {(3, 1), (70000, 300)} else None


# These stand in mails that were sent: they must read the same for ever.
LINKS = {
    "AQEAAQAAAANbImh0dHBzOi8vd2Vya2VuYmlqLmV4YW1wbGUvdmVyaGFsZW4vbmFjaHQ_eD0xI3RvcCIsIm1hYXJ0Iiwib"
    "mFjaHQiLCJzdG9yeSIsImVtYWlsIl09EfWpm8cSE8NcVk8": NIGHT,
    "AQEAAQAAAANbIiIsIm1hYXJ0IixudWxsLG51bGwsImVtYWlsIl08ydsiDietY11tCbk": Link("", "maart"),
    "AQEAAQAAAANbImh0dHA6Ly9hLmV4YW1wbGUvJUMzJUE5IixudWxsLCJtMSIsbnVsbCwibWVldGluZyJdV4tV0rzsYeXrgeX"
    "L": MEETING,
}
PERSONS = {
    "AQIBLAABEXABI0VniavN7wN_HUrTNu_Nlk_aa-4": ANNA,
    "AQIBLAABEXD-3LqYdlQyEAHa1luGyNs-sdwtyho": NOAH,
}


WIDE = Link(
    "https://www.werkenbij.example/a?b=c",
    "mailing-2026-03",
    "nacht",
    "vacancy",
    "ads",
    1900000000000,
)
LINKS_2 = {
    "IAEDHQVtYWFydAVuYWNodAVzdG9yeXdlcmtlbmJpai5leGFtcGxlL3ZlcmhhbGVuL25hY2h0P3g9MSN0b3Cvfa8krBP9nF0":
        NIGHT,
    "IAEDBAVtYWFydFJLPk3ZC5kqsw": Link("", "maart"),
    "IAEDKgJtMQdhLmV4YW1wbGUvJUMzJUE5wmsEyJCXZTgQ": MEETING,
    "IAEDfw9tYWlsaW5nLTIwMjYtMDMFbmFjaHQHdmFjYW5jeQSA5v6JB3dlcmtlbmJpai5leGFtcGxlL2E_Yj1jYAhELt8oX8lm":
        WIDE,
}  # fmt: skip
PERSONS_2 = {
    "J6wC8KIEASNFZ4mrze_Gc2Dhw_aJ89M": ANNA,
    "JawC8KIE_ty6mHZUMhAEvNW2eoU45K8": NOAH,
    "JKwC8KIEASNFZ4mrze8n2MiQ1Kd2iLo": Recipient("0123456789abcdef", False, False),
}
WISHES_2 = {
    "KQEDASNFZ4mrze9tYWFydJFRkI6FrIdTGQ": Unsubscribe("0123456789abcdef", True, "maart"),
    "KAED_ty6mHZUMhC70JKVXwIPPnk": Unsubscribe("fedcba9876543210", measure=False),
}


def test_version_2_is_written_and_read_as_in_mails_that_were_sent():
    for token, link in LINKS_2.items():
        assert read_link(token, secret_of) == (3, link)
        assert sign_link(link, 3, 1, SECRET) == token
    for token, recipient in PERSONS_2.items():
        assert read_recipient(token, secret_of) == (70000, recipient)
        assert sign_recipient(recipient, 70000, 300, SECRET) == token
    for token, wish in WISHES_2.items():
        assert read_unsubscribe(token, secret_of) == (3, wish)
        assert sign_unsubscribe(wish, 3, 1, SECRET) == token


@pytest.mark.parametrize(("token", "link"), LINKS.items())
def test_links_in_old_mails(token, link):
    assert read_link(token, secret_of) == (3, link)
    assert read_recipient(token, secret_of) is None


@pytest.mark.parametrize(("token", "recipient"), PERSONS.items())
def test_recipients_of_old_mails(token, recipient):
    assert read_recipient(token, secret_of) == (70000, recipient)
    assert read_link(token, secret_of) is None


def test_short():
    """Version 1 took 39 characters for a person, and 141 for this link."""
    assert len(sign_recipient(ANNA, 3, 1, SECRET)) == 27
    assert len(sign_link(NIGHT, 3, 1, SECRET)) == 95
    assert len(sign_unsubscribe(Unsubscribe("0123456789abcdef", measure=True), 3, 1, SECRET)) == 27


def test_a_token_is_good_for_one_thing():
    readers = {
        read_link: sign_link(NIGHT, 3, 1, SECRET),
        read_recipient: sign_recipient(ANNA, 3, 1, SECRET),
        read_unsubscribe: sign_unsubscribe(Unsubscribe(ANNA.person_token, True, "m"), 3, 1, SECRET),
    }
    for reader in readers:
        for of, token in readers.items():
            assert (reader(token, secret_of) is not None) == (reader is of)


texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
links = st.builds(
    Link,
    st.sampled_from(["", "https://a.nl", "http://a.nl/?b", "https://www.a.nl/#c", "HTTPS://A.nl/"]),
    texts,
    texts,
    texts,
    st.sampled_from(sorted(CHANNELS)),
    st.none() | st.integers(0, 2**33).map(lambda seconds: seconds * 1000),
)
persons = st.text("0123456789abcdef", min_size=16, max_size=16)
where = st.tuples(st.integers(1, 2**31 - 1), st.integers(1, 32767))


@given(links, where)
def test_links_read_back(link, place):
    token = sign_link(link, *place, SECRET)
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")
    assert read_link(token, lambda *found: SECRET if found == place else None) == (place[0], link)


@given(persons, st.booleans(), st.booleans(), texts, where)
def test_people_read_back(person, measure, profile, message_id, place):
    recipient = Recipient(person, measure, profile)
    read = read_recipient(sign_recipient(recipient, *place, SECRET), lambda *_: SECRET)
    assert read == (place[0], recipient)
    wish = Unsubscribe(person, measure, message_id or None)
    token = sign_unsubscribe(wish, *place, SECRET)
    assert read_unsubscribe(token, lambda *_: SECRET) == (place[0], wish)


def test_an_expiry_is_rounded_up_to_a_whole_second():
    token = sign_link(Link("https://a.nl", expires_ms=1_800_000_000_001), 3, 1, SECRET)
    read = read_link(token, secret_of)
    assert read is not None
    assert read[1].expires_ms == 1_800_000_001_000


@pytest.mark.parametrize("token", [*LINKS, *PERSONS, sign_recipient(ANNA, 3, 1, SECRET)])
def test_no_bit_may_change(token):
    alphabet = string.ascii_letters + string.digits + "-_"
    for place, character in enumerate(token):
        other = alphabet[(alphabet.index(character) + 1) % 64]
        forged = token[:place] + other + token[place + 1 :]
        assert read_link(forged, secret_of) is None
        assert read_recipient(forged, secret_of) is None
    assert read_link(token + "=", secret_of) is None
    assert read_recipient(token + "=", secret_of) is None


@given(st.text(max_size=60) | st.text(string.ascii_letters, max_size=60))
def test_anything_else_is_no_token(text):
    for read in (read_link, read_recipient, read_unsubscribe):
        assert read(text, lambda *_: SECRET) is None


@pytest.mark.parametrize(
    "token",
    ["I" + "_" * 4000, "IP" + "_" * 20, "I" * 5000, "AAAA" * 10, "a+/b" * 10, "\ud800" * 20],
)
def test_odd_tokens_cost_nothing(token):
    assert read_link(token, secret_of) is None
