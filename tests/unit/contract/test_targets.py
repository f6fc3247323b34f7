"""Open redirects: two hundred tricks, none of which becomes a link."""

from itertools import product

import pytest

from services.contract.token import Link, is_safe_target, sign_link

HOST = "evil.example"
_SCHEMES = (
    "javascript:", "JaVaScRiPt://", "data:text/html,", "vbscript:", "file://", "ftp://", "ws://",
    "blob:https://", "about:", "mailto:", "tel:", "intent://", "view-source:https://", "//", "///",
    "/", "\\\\", "/\\", "\\/", "https:", "https:/", "http:", "http:\\\\", "https:\\", "https:///",
    "https:////", "http:///", "https://\\", "", "?", "#", "https://@", "https://good.example@",
    "https://good.example:443@", "https://good.example%40@", "https://user:pass@", "https://:@",
    "https://[", "https://good.example:x", "https://:80", "https://good.example:99999999/",
)  # fmt: skip
_ENDS = ("", "/path", "\\path", "/\\x", "/<x>")
_CONTROLS = (
    "\r\nLocation: //evil.example",
    "\n",
    "\t",
    "\x00",
    "\x7f",
    " ",
    "\u2028",
    "\ud800",
    "é",
)
TRICKS = sorted(
    {f"{scheme}{HOST}{end}" for scheme, end in product(_SCHEMES, _ENDS)}
    | {f"https://good.example/{control}x" for control in _CONTROLS}
    | {f"{control}https://good.example/" for control in _CONTROLS}
    | {f"https://good{control}.example/" for control in _CONTROLS}
    | {f"ht{control}tps://good.example/" for control in _CONTROLS}
)


def test_there_are_enough() -> None:
    assert len(TRICKS) >= 200


@pytest.mark.parametrize("trick", TRICKS, ids=range(len(TRICKS)))
def test_a_trick_is_no_target(trick: str) -> None:
    assert not is_safe_target(trick)
    if trick:
        with pytest.raises(ValueError, match="not a safe"):
            sign_link(Link(trick), 3, 1, b"secret")


@pytest.mark.parametrize(
    "target",
    [
        "https://good.example",
        "HTTPS://Good.Example/a?b=c&d=%20#e",
        "http://127.0.0.1:8000/?next=https://evil.example@x",
        "https://[::1]/x",
        "https://good.example/@user//x:y;z=(1)*'!~$,+",
    ],
)
def test_plain_targets_are_taken(target: str) -> None:
    assert is_safe_target(target)
