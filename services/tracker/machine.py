"""Whether software made a hit, as far as the request itself can tell.

A label, never a verdict: nothing is dropped for it, and the scorer judges again when it sees the
hits around it.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from crawleruseragents import is_crawler

from services.contract.event import Machine

MachineReason = Literal[
    "prefetch",
    "head",
    "crawler",
    "client_library",
    "gmail_prefetch",
    "image_proxy",
    "bare_mozilla",
    "no_user_agent",
]

_PROBABILITY: dict[MachineReason, float] = {
    "prefetch": 0.9,
    "head": 0.95,
    "crawler": 0.95,
    "client_library": 0.9,
    "gmail_prefetch": 0.9,
    "image_proxy": 0.1,  # a person opened the mail, their provider fetched the picture
    "bare_mozilla": 0.3,  # Apple's mail privacy, but Outlook too
    "no_user_agent": 0.6,
}

UNJUDGED = Machine()

_PREFETCH_HEADERS = (b"sec-purpose", b"purpose", b"x-purpose", b"x-moz")
_PREFETCH = re.compile(rb"prefetch|prerender|preview", re.IGNORECASE)
_USER_AGENT_LENGTH_MAX = 512
_GMAIL_PREFETCH = re.compile(r"Chrome/42\.0\.2311\.135 .*Edge/12\.246 Mozilla/5\.0$")
_CLIENT_LIBRARY = re.compile(
    r"^(aiohttp|apache-httpclient|axios|curl|dart|go-http|guzzle|got |insomnia|java|jetty"
    r"|lib(curl|www)|node|okhttp|perl|php|postman|python|reactor|ruby|undici|wget|winhttp)",
    re.IGNORECASE,
)
# Words that software uses of itself and no browser does. Cubot makes phones.
_OWN_WORDS = re.compile(
    r"(?<!cu)bot\b|crawl|spider|scanner|headless|phantomjs|puppeteer|playwright|selenium"
    r"|validator|linkcheck|preview|barracuda|mimecast|proofpoint|safelinks",
    re.IGNORECASE,
)
# SDKs on servers speak for the person, and their own name says nothing about that person.
_SERVER_SDK = re.compile(r"^analytics-", re.IGNORECASE)

is_crawler("")  # compiles the list's hundreds of patterns now, not while the first hit waits


def label(method: str, headers: Mapping[bytes, bytes]) -> Machine:
    """The probability that software made this browser's hit, and the reasons."""
    by_agent = _label_of_agent(headers.get(b"user-agent", b"")[:_USER_AGENT_LENGTH_MAX])
    reasons: list[MachineReason] = []
    if method == "HEAD":
        reasons.append("head")
    if any(name in headers and _PREFETCH.search(headers[name]) for name in _PREFETCH_HEADERS):
        reasons.append("prefetch")
    if not reasons:
        return by_agent
    p = max(by_agent.p, *(_PROBABILITY[reason] for reason in reasons))
    return Machine(p, (*reasons, *by_agent.reasons))


@lru_cache(maxsize=4096)
def _label_of_agent(raw: bytes) -> Machine:
    reason = _reason_of_agent(raw.decode("latin-1").strip())
    return UNJUDGED if reason is None else Machine(_PROBABILITY[reason], (reason,))


def _reason_of_agent(agent: str) -> MachineReason | None:
    if not agent:
        return "no_user_agent"
    if _SERVER_SDK.match(agent):
        return None
    if agent == "Mozilla/5.0":
        return "bare_mozilla"
    if "GoogleImageProxy" in agent:
        return "image_proxy"
    if _GMAIL_PREFETCH.search(agent):
        return "gmail_prefetch"
    if _CLIENT_LIBRARY.match(agent):
        return "client_library"
    if is_crawler(agent) or _OWN_WORDS.search(agent):
        return "crawler"
    return None
