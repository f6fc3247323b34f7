import random
import re
from typing import get_args

import pytest

from services.contract.event import MACHINE_THRESHOLD, Machine
from services.model.behaviour import PROBABILITY as BY_BEHAVIOUR
from services.tracker import machine
from services.tracker.machine import PROBABILITY, label
from services.tracker.user_agents import USER_AGENT_LENGTH_MAX, AgentReason, reason_of
from tests.architecture.test_documents import ROOT

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
CHROME = f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/131.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("method", "headers", "reasons"),
    [
        ("GET", {}, ()),
        ("POST", {}, ()),
        ("HEAD", {}, ("head",)),
        ("GET", {b"sec-purpose": b"prefetch;prerender"}, ("prefetch",)),
        ("GET", {b"purpose": b"Preview"}, ("prefetch",)),
        ("GET", {b"x-moz": b"prefetch"}, ("prefetch",)),
        ("GET", {b"x-purpose": b"nothing of the kind"}, ()),
        ("HEAD", {b"purpose": b"prefetch"}, ("head", "prefetch")),
    ],
)
def test_headers_tell_of_machines(method, headers, reasons):
    found = label(method, {b"user-agent": CHROME.encode(), b"accept-language": b"nl", **headers})
    assert found.reasons == reasons
    assert (found == Machine()) == (not reasons)


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        ("", "no_user_agent"),
        ("   ", "no_user_agent"),
        ("Mozilla/5.0", "bare_mozilla"),
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) (via ggpht.com GoogleImageProxy)", "image_proxy"),
        ("YahooMailProxy; https://help.example/", "image_proxy"),
        (
            CHROME.replace("131.0.0.0", "42.0.2311.135") + " Edge/12.246 Mozilla/5.0",
            "gmail_prefetch",
        ),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "crawler"),
        ("Mozilla/5.0 (compatible; NewInTown/0.1; +https://new.example)", "names_itself"),
        ("Mozilla/5.0 (compatible; NewInTown/0.1)", "names_itself"),
        ("Fresh Thing (ask@fresh.example)", "names_itself"),
        (f"{CHROME} PriceScraper", "software_word"),
        ("Mozilla/5.0 (Windows; Tidings link checker)", "software_word"),
        (f"{CHROME} PTST/231", "monitoring"),
        (CHROME.replace("Chrome", "HeadlessChrome"), "headless"),
        ("Barracuda Sentinel (EE)", "mail_scanner"),
        ("curl/8.5.0", "client_library"),
        ("python-requests/2.32.3", "client_library"),
        ("Go-http-client/1.1", "client_library"),
        ("okhttp/4.12.0", "client_library"),
        ("Java/17.0.2", "client_library"),
        ("Hakai/2.0", "bare_name"),
    ],
)
def test_software_is_recognised(agent, reason):
    assert reason_of(agent) == reason


@pytest.mark.parametrize(
    "agent",
    [
        CHROME,
        f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) {WEBKIT} Version/26.6 Safari/604",
        "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Thunderbird/140.1.0",
        # devices and browsers that are called as crawlers are
        f"Mozilla/5.0 (Linux; Android 9; CUBOT X19) {WEBKIT} Chrome/120.0.0.0 Mobile Safari/537",
        f"Mozilla/5.0 (Linux; Android 7.0; M bot 60 Build/NRD90M) {WEBKIT} Chrome/56 Mobile",
        f"Mozilla/5.0 (Linux; Android 4.2; HTC Butterfly) {WEBKIT} Chrome/31 Mobile Safari/537",
        f"Mozilla/5.0 (Linux; Android 15; RMX5101 Build/AP3A.240617.008; wv) {WEBKIT} Chrome/141",
        f"Mozilla/5.0 (Linux; Android 10; FP4) {WEBKIT} Chrome/88 (Ecosia android@88.0.4324.181)",
        # mail programs, and office programs in which mail is read
        "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0; Microsoft Outlook 16.0)",
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.13231; Pro)",
        "MacOutlook/16.41.20091302 (Intelx64 Mac OS X 10.14.4 (Build 18E226))",
        "Outlook-iOS/2.0",
        "Mail/3731.600.7 CFNetwork/1408.0.4 Darwin/22.5.0",
        "iPad (compatible; Tablet2.0) NRC Digitale Editie, nl.nrc.nrcapp 10.0.7 (197) / iPadOS 16",
    ],
)
def test_people_are_let_alone(agent):
    assert reason_of(agent) is None


def test_what_posts_a_call_may_be_any_library():
    for agent in (b"analytics-python/2.4.0", b"okhttp/4.12.0", b"curl/8", b"My.Sdk/1", b""):
        assert label("POST", {b"user-agent": agent}) == Machine()
    assert label("POST", {b"user-agent": b"Googlebot/2.1"}).reasons == ("crawler",)


def test_a_browser_without_a_language_is_a_weak_sign():
    weak = label("GET", {b"user-agent": CHROME.encode()})
    assert weak.reasons == ("no_language",)
    assert weak.p < MACHINE_THRESHOLD
    apple_mail = b"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15"
    assert label("GET", {b"user-agent": apple_mail}) == Machine()


def test_more_reasons_are_never_less_sure():
    prefetched = {b"user-agent": CHROME.encode(), b"sec-purpose": b"prefetch"}
    one = label("GET", {**prefetched, b"accept-language": b"nl"})
    two = label("GET", prefetched)
    three = label("HEAD", prefetched)
    assert one.p < two.p < three.p < 1


def test_every_reason_has_a_probability_and_is_documented():
    assert set(get_args(AgentReason)) < set(PROBABILITY)
    documented = re.findall(
        r"^\| `(\w+)` \| ([\d.]+) \|", (ROOT / "docs" / "machines.md").read_text(), re.MULTILINE
    )
    assert {reason: float(p) for reason, p in documented} == PROBABILITY | BY_BEHAVIOUR


def test_only_the_beginning_of_a_long_user_agent_is_read():
    beginning = CHROME.ljust(USER_AGENT_LENGTH_MAX)
    assert reason_of(f"{beginning} Googlebot/2.1") is None
    headers = {b"user-agent": beginning.encode(), b"accept-language": b"nl"}
    judged_before = machine._label.cache_info().misses
    label("GET", headers)
    for length in (1, 64, 65_536):
        label("GET", {**headers, b"user-agent": beginning.encode() + b"x" * length})
    assert machine._label.cache_info().misses - judged_before <= 1


@pytest.mark.parametrize(
    "piece", ["a", "(", "; ", "Mozilla/5.0 (", "Chrome/42.0.2311.135 ", "@.", "\xff"]
)
def test_no_text_makes_it_work_harder(piece):
    # RE2 has no backtracking, so that it ends at all is the proof; bounded length does the rest.
    assert label("GET", {b"user-agent": (piece * 65_536)[:65_536].encode("latin-1")}).p <= 1


def test_what_is_remembered_is_bounded():
    chance = random.Random(4)
    for _ in range(machine.REMEMBERED_MAX + 100):
        label("GET", {b"user-agent": chance.randbytes(40)})
    assert machine._label.cache_info().currsize <= machine.REMEMBERED_MAX


def test_odd_bytes_are_no_error():
    for raw in (b"\x00", b"\xff\xfe", "é".encode(), bytes(range(256))):
        assert 0 <= label("GET", {b"user-agent": raw}).p < 1
