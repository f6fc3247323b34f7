"""The segments that somebody is in and why, and what to offer them next."""

from dataclasses import dataclass
from typing import Any

from services.api.dashboard.texts import Words
from services.api.next_content import HoldOut, Wish, offered
from services.api.opening import Asked
from services.api.people import states_of
from services.api.phases import get_memberships
from services.api.segment_store import rules_in_force
from services.model.path import Path
from services.model.rule_words import reasons
from services.model.rules.membership import whole

REASONS_MAX = 3


@dataclass(frozen=True)
class Membership:
    """A segment that somebody is in."""

    key: str
    name: str
    since: str
    until: str
    """Empty: not soon, if nothing more happens."""
    why: str


@dataclass(frozen=True)
class Offer:
    """An item to offer, and why it."""

    title: str
    url: str
    why: str


def memberships_of(asked: Asked, words: Words) -> list[Membership]:
    """Now, with the conditions that settle it."""
    found = get_memberships(asked).segments
    with asked.opened() as (connection, row):
        rules = whole(rules_in_force(connection, asked.workspace_id)) if found else {}
        state = states_of(connection, asked.workspace_id, [row.id]).get(row.id)

    def why(key: str) -> str:
        if state is None or key not in rules:
            return ""
        path, at_ms = Path(state, asked.here.model), max(asked.at_ms, state.at_ms)
        return "; ".join(reasons(rules[key], path, at_ms, words.language)[:REASONS_MAX])

    return [
        Membership(
            key=one.segment,
            name=one.name,
            since=words.told_day(one.since),
            until="" if one.until is None else words.told_day(one.until),
            why=why(one.segment),
        )
        for one in found
    ]


def next_for(asked: Asked, words: Words) -> dict[str, Any]:
    """What to offer next by mail, the best first, and why not now."""
    found = offered(asked, Wish(channel="email", lang=words.language))
    offers = [
        Offer(one.title, one.url or "", "; ".join(reason.text for reason in one.reasons))
        for one in found.next
    ]
    return {"offers": offers, "hold": _hold(found.hold, words)}


def _hold(hold: HoldOut | None, words: Words) -> str:
    """Why nobody should approach them by mail now; empty: nothing speaks against it."""
    if hold is None or hold.reason == "not_followed":
        return ""
    return words.counted(f"hold_{hold.reason}", hold.contacts_7_days)
