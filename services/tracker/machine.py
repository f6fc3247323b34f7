"""Whether software made a hit, as far as the request itself can tell.

A label, never a verdict: nothing is dropped for it, and the scorer judges again when it sees the
hits around it. What each reason means, and how good the labels are: docs/machines.md.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import re2

from services.contract.event import Machine
from services.tracker.user_agents import USER_AGENT_LENGTH_MAX, AgentReason, reason_of

MachineReason = Literal["head", "prefetch", "no_language"] | AgentReason

PROBABILITY: dict[MachineReason, float] = {
    "head": 0.95,
    "prefetch": 0.9,
    "crawler": 0.95,
    "mail_scanner": 0.95,
    "headless": 0.95,
    "monitoring": 0.95,
    "client_library": 0.9,
    "names_itself": 0.9,
    "software_word": 0.9,
    "gmail_prefetch": 0.9,
    "bare_name": 0.6,
    "no_user_agent": 0.6,
    "bare_mozilla": 0.3,  # Apple's mail privacy, but Outlook too
    "no_language": 0.3,  # browsers send one; some proxies take it off
    "image_proxy": 0.1,  # a person opened the mail, their provider fetched the picture
}
"""How probably software made a hit for which this reason alone was found."""

UNJUDGED = Machine()

REMEMBERED_MAX = 2048
"""Requests that look alike are judged once; so many kinds are remembered."""

_PURPOSE_LENGTH_MAX = 64
_PREFETCH = re2.compile(rb"(?i)prefetch|prerender|preview")
_BROWSER = re2.compile(r"^Mozilla/5\.0 \(.*(?:Chrome|Firefox|Version)/")

# A call is posted by something written to post it: a browser, an app, or an SDK that speaks for
# a person through whatever library it uses. That library's name says nothing about the person.
_OF_TRANSPORTS: frozenset[AgentReason] = frozenset(
    {"client_library", "names_itself", "bare_name", "bare_mozilla", "no_user_agent"}
)


def label(method: str, headers: Mapping[bytes, bytes]) -> Machine:
    """The probability that software made this hit, and the reasons. Pure.

    Args:
        method: of HTTP, in capitals.
        headers: the request's, their names in lower case.
    """
    get = headers.get
    said = get(b"sec-purpose") or get(b"purpose") or get(b"x-purpose") or get(b"x-moz") or b""
    return _label(
        method,
        get(b"user-agent", b"")[:USER_AGENT_LENGTH_MAX],
        said[:_PURPOSE_LENGTH_MAX],
        b"accept-language" in headers,
    )


@lru_cache(maxsize=REMEMBERED_MAX)
def _label(method: str, agent: bytes, purpose: bytes, has_language: bool) -> Machine:  # noqa: FBT001
    reasons: list[MachineReason] = []
    if method == "HEAD":
        reasons.append("head")
    if purpose and _PREFETCH.search(purpose):
        reasons.append("prefetch")
    text = agent.decode("latin-1")
    by_agent = reason_of(text)
    if by_agent is not None and not (method == "POST" and by_agent in _OF_TRANSPORTS):
        reasons.append(by_agent)
    if not has_language and method != "POST" and _BROWSER.search(text):
        reasons.append("no_language")
    return _joined(reasons) if reasons else UNJUDGED


def _joined(reasons: list[MachineReason]) -> Machine:
    """All reasons together, each taken for independent of the others."""
    person = 1.0
    for reason in reasons:
        person *= 1 - PROBABILITY[reason]
    return Machine(round(1 - person, 3), tuple(reasons))
