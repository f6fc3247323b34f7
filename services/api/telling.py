"""Which mailings and content tell most of people's states, measured on a sample of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Annotated, NamedTuple, TypeVar

import numpy as np
from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection, select

from services.api.context import Context, Here
from services.api.needs import PersonsReader
from services.api.people import held
from services.api.problem import described
from services.api.record import events_of
from services.api.segment_store import find_segment
from services.api.wire import Out, rfc3339
from services.contract.tables import interval, link, message, person, person_state
from services.model.parameters import Three
from services.model.path import Path
from services.model.state import decode_state
from services.model.telling import (
    CLICK,
    OPEN,
    Floats,
    Response,
    bits,
    bits_of_active,
    measured,
    responses,
    usual,
)

router = APIRouter(prefix="/v1", tags=["links"])

PERSONS_MAX = 400
EVENTS_MAX = 12_000
"""Of all persons in the sample together; folded for one answer."""
ITEMS_MAX = 100
"""Of mailings, and of content, those that were answered most."""


class AnswersOut(Out):
    """How often a state answers so."""

    nothing: float
    open: float = Field(description="Opened without a click.")
    click: float


class AnsweringOut(Out):
    """How each state answers, measured; near what is usual where there were few answers."""

    latent_latent: AnswersOut
    actively_latent: AnswersOut
    active: AnswersOut


class ItemOut(Out):
    """What the answer to something tells."""

    bits: float = Field(description="Of a person's state (three of them), on average over people.")
    bits_active: float = Field(description="Likewise, of whether they are active or not.")
    sent: int = Field(description="In the sample, with a window that has closed.")
    opened: int = Field(description="Opened without a click; those surely by a person.")
    clicked: int
    answering: AnsweringOut


class MailingOut(ItemOut):
    """A mailing."""

    message_id: str
    name: str | None = Field(description="Null: it was not registered here.")
    issue: bool = Field(description="An issue of the magazine.")


class ContentOut(ItemOut):
    """A content item in mailings: a click is one on this item."""

    content_id: str


class TellingOut(Out):
    """What was measured; the most telling first."""

    as_of: str
    persons: int = Field(description="Of whom answers were measured: a sample of who is scored.")
    averaged: int = Field(description="Of whom bits are the average: those, or a segment's.")
    mailings: list[MailingOut]
    content: list[ContentOut]


T = TypeVar("T", bound=ItemOut)


class _Sample(NamedTuple):
    measured: int
    """So many people."""
    found: list[Response]
    shares: list[Three]
    """The states' probabilities now, of each person to average over."""


class _Seen(NamedTuple):
    shares: list[Three]
    answers: list[int]


@router.get(
    "/telling",
    summary="What mailings and content tell of people's states",
    responses=described(400, 401, 403, 404, 503),
)
def get_telling(
    here: Here,
    credential: PersonsReader,
    segment: Annotated[
        str | None,
        Query(
            max_length=64,
            description="A segment's key: what it tells of the members now, at the same rates.",
        ),
    ] = None,
) -> TellingOut:
    """In bits: how much one learns of a state from nothing, an open or a click.

    Measured on the same few hundred people each time, whose histories are folded for the answer:
    it takes seconds, and is not for every page view.
    """
    now_ms = here.clock()
    with here.engine.connect() as connection:
        sample = _sample(connection, here, credential.workspace_id, now_ms)
        if segment is not None:
            members = _members(connection, credential.workspace_id, segment, now_ms)
            sample = sample._replace(shares=_shares(members, here, now_ms))
        by_mailing = _by_mailing(sample.found)
        names = _names(connection, credential.workspace_id, by_mailing)
        by_content = _by_content(
            sample.found, _linked(connection, credential.workspace_id, by_mailing)
        )
    issues = {response.message_id: response.issue for response in sample.found}
    return TellingOut(
        as_of=rfc3339(now_ms),
        persons=sample.measured,
        averaged=len(sample.shares),
        mailings=_ranked(
            MailingOut(message_id=key, name=names.get(key), issue=issues[key], **dict(item))
            for issue in (False, True)
            for key, item in _items(
                here,
                sample,
                {key: seen for key, seen in by_mailing.items() if issues[key] is issue},
                issue=issue,
            ).items()
        ),
        content=_ranked(
            ContentOut(content_id=key, **dict(item))
            for key, item in _items(here, sample, by_content, issue=False).items()
        ),
    )


def content_bits(
    connection: Connection, here: Context, workspace_id: int, shares: Three
) -> dict[str, float]:
    """By content id, what its answer in a mail would tell of one person, in bits.

    Args:
        connection: the database.
        here: the app's surroundings.
        workspace_id: whose content.
        shares: the probabilities of the person's states.
    """
    sample = _sample(connection, here, workspace_id, here.clock())
    linked = _linked(connection, workspace_id, _by_mailing(sample.found))
    one = sample._replace(shares=[shares])
    items = _items(here, one, _by_content(sample.found, linked), issue=False)
    return {key: item.bits for key, item in items.items()}


def _ranked(items: Iterable[T]) -> list[T]:
    return sorted(items, key=lambda item: -item.bits)


def _sample(connection: Connection, here: Context, workspace_id: int, now_ms: int) -> _Sample:
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
    shares = _shares([row.state for row in people], here, now_ms)
    return _Sample(len(shares), found, shares)


def _members(connection: Connection, workspace_id: int, key: str, now_ms: int) -> list[bytes]:
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


def _shares(states: Iterable[bytes], here: Context, now_ms: int) -> list[Three]:
    """The states' probabilities of those who are scored."""
    paths = (Path(decode_state(state), here.model) for state in states)
    return [path.states_at(now_ms) for path in paths if path.scored]


def _by_mailing(found: Sequence[Response]) -> dict[str, _Seen]:
    seen: dict[str, _Seen] = defaultdict(lambda: _Seen([], []))
    for response in found:
        seen[response.message_id].shares.append(response.shares)
        seen[response.message_id].answers.append(response.answer)
    return seen


def _by_content(found: Sequence[Response], linked: Mapping[str, set[str]]) -> dict[str, _Seen]:
    """Each item's opportunities are the mails in which it stood."""
    inside = {mailing: set(items) for mailing, items in linked.items()}
    for response in found:
        inside.setdefault(response.message_id, set()).update(response.clicked)
    seen: dict[str, _Seen] = defaultdict(lambda: _Seen([], []))
    for response in found:
        for content_id in sorted(inside[response.message_id]):
            answer = response.answer
            if answer == CLICK and content_id not in response.clicked:
                answer = OPEN
            seen[content_id].shares.append(response.shares)
            seen[content_id].answers.append(answer)
    return seen


def _items(
    here: Context, sample: _Sample, seen: Mapping[str, _Seen], *, issue: bool
) -> dict[str, ItemOut]:
    """What each of one kind tells; the kind's own rates are measured first."""
    numbers, rates = here.model.parameters.telling, here.model.parameters
    before = usual(rates.magazine_issue if issue else rates.mail)
    everything = _Seen(
        [shares for one in seen.values() for shares in one.shares],
        [answer for one in seen.values() for answer in one.answers],
    )
    kind = measured(everything.shares, everything.answers, before, numbers.kind_worth)
    most = sorted(seen, key=lambda key: (-len(seen[key].answers), key))[:ITEMS_MAX]
    return {key: _item(sample, seen[key], kind, numbers.item_worth) for key in most}


def _item(sample: _Sample, seen: _Seen, kind: Floats, worth: float) -> ItemOut:
    rates = measured(seen.shares, seen.answers, kind, worth)
    nobody = not sample.shares
    return ItemOut(
        bits=0.0 if nobody else float(np.mean(bits(sample.shares, rates))),
        bits_active=0.0 if nobody else float(np.mean(bits_of_active(sample.shares, rates))),
        sent=len(seen.answers),
        opened=seen.answers.count(OPEN),
        clicked=seen.answers.count(CLICK),
        answering=AnsweringOut(
            latent_latent=_answers(rates[0]),
            actively_latent=_answers(rates[1]),
            active=_answers(rates[2]),
        ),
    )


def _answers(row: Floats) -> AnswersOut:
    nothing, opened, clicked = row.tolist()
    return AnswersOut(nothing=nothing, open=opened, click=clicked)


def _names(
    connection: Connection, workspace_id: int, mailings: Mapping[str, object]
) -> dict[str, str]:
    query = select(message.c.public_id, message.c.name).where(
        message.c.workspace_id == workspace_id, message.c.public_id.in_(mailings)
    )
    return {row.public_id: row.name for row in connection.execute(query)}


def _linked(
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
