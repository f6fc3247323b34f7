"""Which mailings and content tell most of people's states, measured on a sample of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import Connection, select

from services.api.context import Context, Here
from services.api.needs import PersonsReader
from services.api.problem import described
from services.api.record import events_of
from services.api.wire import Out, rfc3339
from services.contract.tables import link, message, person, person_state
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

    bits: float = Field(
        description="Of a person's state (three of them), on average over the people sampled."
    )
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
    persons: int = Field(description="Sampled: scored, with their whole history.")
    mailings: list[MailingOut]
    content: list[ContentOut]


T = TypeVar("T", bound=ItemOut)


class _Sample(NamedTuple):
    shares: list[Three]
    """The states' probabilities now, of each person."""
    found: list[Response]


class _Seen(NamedTuple):
    shares: list[Three]
    answers: list[int]


@router.get(
    "/telling",
    summary="What mailings and content tell of people's states",
    responses=described(400, 401, 403, 503),
)
def get_telling(here: Here, credential: PersonsReader) -> TellingOut:
    """In bits: how much one learns of a state from nothing, an open or a click.

    Measured on the same few hundred people each time, whose histories are folded for the answer:
    it takes seconds, and is not for every page view.
    """
    now_ms = here.clock()
    with here.engine.connect() as connection:
        sample = _sample(connection, here, credential.workspace_id, now_ms)
        by_mailing = _by_mailing(sample.found)
        names = _names(connection, credential.workspace_id, by_mailing)
        by_content = _by_content(
            sample.found, _linked(connection, credential.workspace_id, by_mailing)
        )
    issues = {response.message_id: response.issue for response in sample.found}
    return TellingOut(
        as_of=rfc3339(now_ms),
        persons=len(sample.shares),
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
    sample, left = _Sample([], []), EVENTS_MAX
    for row in connection.execute(query).all():
        left -= row.events
        if left < 0:
            break
        path = Path(decode_state(row.state), here.model)
        if path.scored:
            sample.shares.append(path.states_at(now_ms))
            events = events_of(connection, workspace_id, row.id, now_ms)
            sample.found.extend(responses(events, here.model, now_ms))
    return sample


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
    return ItemOut(
        bits=float(np.mean(bits(sample.shares, rates))),
        bits_active=float(np.mean(bits_of_active(sample.shares, rates))),
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
