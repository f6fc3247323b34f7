"""Triggers and whom they handed over, as lines of their pages."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from services.api.context import Context
from services.api.dashboard.names import known_people
from services.api.dashboard.session import Visitor
from services.api.dashboard.strips import Strip, strip
from services.api.dashboard.texts import Words
from services.api.dashboard.titles import titles_of
from services.api.dashboard.trigger_texts import FIRED, WITHHELD, when_in_words
from services.api.trigger_view import TriggerOut
from services.api.triggers import get_fired

PAGE = 50
Status = Literal["waiting", "fired", "withheld"]


@dataclass(frozen=True)
class TriggerLine:
    """A trigger in words."""

    id: str
    name: str
    status: str
    place: str
    when: str
    content: str
    channel: str


@dataclass(frozen=True)
class Firing:
    """Somebody who came in, and what came of it."""

    person: str
    name: str
    entered: str
    due: str
    status: Status
    outcome: str
    why: str
    """Why somebody was not handed over."""
    content: str


@dataclass(frozen=True)
class Firings:
    """A page of these, the newest first, and a picture of them."""

    lines: list[Firing]
    strip: Strip
    next: str | None


def trigger_lines(
    connection: Connection,
    workspace_id: int,
    triggers: Sequence[TriggerOut],
    segments: Mapping[str, str],
    words: Words,
) -> list[TriggerLine]:
    """Triggers in words; ``segments`` are names by key."""
    titles = titles_of(connection, workspace_id, [one.content_id for one in triggers])
    return [
        TriggerLine(
            id=one.id,
            name=one.name,
            status=one.status,
            place=segments.get(one.segment, one.segment)
            if one.segment is not None
            else (one.phase or "").capitalize(),
            when=when_in_words(one.when.model_dump(), words.language),
            content=titles.get(one.content_id, one.content_id)
            if one.content_id is not None
            else words["trigger_next"],
            channel=words.channel(one.channel) if one.channel else words["trigger_no_channel"],
        )
        for one in triggers
    ]


def firings_of(
    here: Context,
    visitor: Visitor,
    trigger_id: str,
    status: Status | None,
    cursor: str | None,
    words: Words,
) -> Firings:
    """Up to :data:`PAGE` of those who came in.

    Raises:
        Problem: 400, the cursor is none; 404, there is no such trigger.
    """
    found = get_fired(here, visitor.credential(), trigger_id, status, cursor, PAGE)
    with here.engine.connect() as connection:
        ids = [one.person for one in found.fired]
        known = known_people(connection, visitor.workspace_id, ids, words)
        titles = titles_of(
            connection, visitor.workspace_id, [one.content_id for one in found.fired]
        )
    counted = Counter(one.status for one in found.fired)
    told = words["fired_strip"].format(
        fired=counted["fired"], waiting=counted["waiting"], withheld=counted["withheld"]
    )
    lines = [
        Firing(
            person=one.person,
            name=known[one.person].name if one.person in known else one.person,
            entered=words.told_moment(one.entered_at),
            due=words.told_moment(one.due_at),
            status=one.status,
            outcome=FIRED[one.status][words.language],
            why="" if one.why is None else WITHHELD[one.why][words.language],
            content=titles.get(one.content_id or "", one.content_id or ""),
        )
        for one in found.fired
    ]
    bars = strip([(one.status, 0) for one in reversed(found.fired)], told)
    return Firings(lines, bars, found.next)
