"""The two halves of a mail link's token, read and checked."""

import msgspec

from services.contract.event import CHANNELS, Channel
from services.contract.token import Link, Recipient, read_recipient
from services.tracker.directory import Directory

CLICK_PARAMETER = "kt_click"
PERSON_PARAMETER = "kt_person"


class Token(msgspec.Struct, frozen=True, gc=False):
    """A genuine link, and to whom it was sent if that is genuine too."""

    workspace_id: int
    link: Link
    person_half: str
    """As it stood in the token; empty where there was none."""
    recipient: Recipient | None


def read_token(token: str, directory: Directory) -> Token | None:
    """The token's halves, or None for a link that we did not sign."""
    link_half, _, person_half = token.partition(".")
    read = directory.link_of(link_half)
    if read is None:
        return None
    workspace_id, link = read
    recipient = read_person(person_half, workspace_id, directory) if person_half else None
    return Token(workspace_id, link, person_half, recipient)


def read_person(half: str, workspace_id: int, directory: Directory) -> Recipient | None:
    """Whom a token's person half names, or None unless this very workspace signed it."""
    read = read_recipient(half, directory.secret_of)
    return read[1] if read is not None and read[0] == workspace_id else None


def channel_of(link: Link) -> Channel:
    """The channel that a link stands in."""
    return link.channel if link.channel in CHANNELS else "email"  # type: ignore[return-value]


def with_parameters(target: str, click_id: str, person_half: str) -> str:
    """The target, telling its page which click led there and who came."""
    base, mark, fragment = target.partition("#")
    joint = "&" if "?" in base else "?"
    query = f"{CLICK_PARAMETER}={click_id}&{PERSON_PARAMETER}={person_half}"
    return f"{base}{joint}{query}{mark}{fragment}"
