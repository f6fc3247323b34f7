"""A sample of people, how they answered what they were sent, and what stood in it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from sqlalchemy import Connection, select

from services.api.context import Context
from services.api.people import held
from services.api.record import events_of
from services.api.segment_store import find_segment
from services.contract.tables import interval, link, person, person_state
from services.model.parameters import Three
from services.model.path import Path
from services.model.state import decode_state
from services.model.telling import CLICK, OPEN, Response, responses

PERSONS_MAX = 400
EVENTS_MAX = 12_000
"""Of all persons in the sample together; folded for one answer."""


class Sample(NamedTuple):
    """People, and how they answered."""

    measured: int
    """So many people."""
    found: list[Response]
    shares: list[Three]
    """The states' probabilities now, of each person to average over."""


class Seen(NamedTuple):
    """Answers to one thing, each with its person's states when it came."""

    shares: list[Three]
    answers: list[int]


def sample_of(connection: Connection, here: Context, workspace_id: int, now_ms: int) -> Sample:
    """People in the order of their public ids, which were drawn by lot."""
    query = (
        select(person.c.id, person_state.c.events, person_state.c.state)
        .join(person_state, person_state.c.person_id == person.c.id)
        .where(person.c.workspace_id == workspace_id)
        .order_by(person.c.public_id)
        .limit(PERSONS_MAX)
    )
    drawn = connection.execute(query).all()
    whole = accumulate(row.events for row in drawn)
    people = [row for row, events in zip(drawn, whole, strict=True) if events <= EVENTS_MAX]
    found: list[Response] = []
    for row in people:
        events = events_of(connection, workspace_id, row.id, now_ms)
        found += responses(events, here.model, now_ms)
    shares = shares_of([row.state for row in people], here, now_ms)
    return Sample(len(shares), found, shares)


def members_of(connection: Connection, workspace_id: int, key: str, now_ms: int) -> list[bytes]:
    """The states of a segment's members, in the same order."""
    live = find_segment(connection, workspace_id, key).live
    if live is None:
        return []
    query = (
        select(person_state.c.state)
        .join(person, person.c.id == person_state.c.person_id)
        .join(interval, interval.c.person_id == person.c.id)
        .where(
            person.c.workspace_id == workspace_id,
            interval.c.workspace_id == workspace_id,
            interval.c.kind == "segment",
            interval.c.key == str(live.id),
            held(now_ms, None),
        )
        .order_by(person.c.public_id)
        .limit(PERSONS_MAX)
    )
    return [bytes(state) for state in connection.execute(query).scalars()]


def shares_of(states: Iterable[bytes], here: Context, now_ms: int) -> list[Three]:
    """The states' probabilities of those who are scored."""
    paths = (Path(decode_state(state), here.model) for state in states)
    return [path.states_at(now_ms) for path in paths if path.scored]


def by_mailing(found: Sequence[Response]) -> dict[str, Seen]:
    """The answers to each mailing, by its id."""
    seen: dict[str, Seen] = defaultdict(lambda: Seen([], []))
    for response in found:
        seen[response.message_id].shares.append(response.shares)
        seen[response.message_id].answers.append(response.answer)
    return seen


def by_content(found: Sequence[Response], linked: Mapping[str, set[str]]) -> dict[str, Seen]:
    """Each item's opportunities are the mails in which it stood."""
    inside = {mailing: set(items) for mailing, items in linked.items()}
    for response in found:
        inside.setdefault(response.message_id, set()).update(response.clicked)
    seen: dict[str, Seen] = defaultdict(lambda: Seen([], []))
    for response in found:
        for content_id in sorted(inside[response.message_id]):
            answer = response.answer
            if answer == CLICK and content_id not in response.clicked:
                answer = OPEN
            seen[content_id].shares.append(response.shares)
            seen[content_id].answers.append(answer)
    return seen


def linked_of(
    connection: Connection, workspace_id: int, mailings: Mapping[str, object]
) -> dict[str, set[str]]:
    """What stands in each mailing, as its links tell."""
    query = (
        select(link.c.mailing, link.c.content_id)
        .where(
            link.c.workspace_id == workspace_id,
            link.c.mailing.in_(mailings),
            link.c.content_id.is_not(None),
        )
        .distinct()
    )
    found: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(query):
        found[row.mailing].add(row.content_id)
    return found
