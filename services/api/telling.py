"""Which mailings and content tell most of people's states, measured on a sample of them."""

from collections.abc import Iterable, Mapping
from typing import Annotated, TypeVar

import numpy as np
from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection, select

from services.api.context import Context, Here
from services.api.needs import PersonsReader
from services.api.problem import described
from services.api.telling_sample import (
    Sample,
    Seen,
    by_content,
    by_mailing,
    linked_of,
    members_of,
    sample_of,
    shares_of,
)
from services.api.wire import Out, rfc3339
from services.contract.tables import message
from services.model.parameters import Three
from services.model.telling import (
    CLICK,
    OPEN,
    Floats,
    bits,
    bits_of_active,
    measured,
    usual,
)

router = APIRouter(prefix="/v1", tags=["links"])

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
        sample = sample_of(connection, here, credential.workspace_id, now_ms)
        if segment is not None:
            members = members_of(connection, credential.workspace_id, segment, now_ms)
            sample = sample._replace(shares=shares_of(members, here, now_ms))
        mailings = by_mailing(sample.found)
        names = _names(connection, credential.workspace_id, mailings)
        content = by_content(sample.found, linked_of(connection, credential.workspace_id, mailings))
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
                {key: seen for key, seen in mailings.items() if issues[key] is issue},
                issue=issue,
            ).items()
        ),
        content=_ranked(
            ContentOut(content_id=key, **dict(item))
            for key, item in _items(here, sample, content, issue=False).items()
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
    sample = sample_of(connection, here, workspace_id, here.clock())
    linked = linked_of(connection, workspace_id, by_mailing(sample.found))
    one = sample._replace(shares=[shares])
    items = _items(here, one, by_content(sample.found, linked), issue=False)
    return {key: item.bits for key, item in items.items()}


def _ranked(items: Iterable[T]) -> list[T]:
    return sorted(items, key=lambda item: -item.bits)


def _items(
    here: Context, sample: Sample, seen: Mapping[str, Seen], *, issue: bool
) -> dict[str, ItemOut]:
    """What each of one kind tells; the kind's own rates are measured first."""
    numbers, rates = here.model.parameters.telling, here.model.parameters
    before = usual(rates.magazine_issue if issue else rates.mail)
    everything = Seen(
        [shares for one in seen.values() for shares in one.shares],
        [answer for one in seen.values() for answer in one.answers],
    )
    kind = measured(everything.shares, everything.answers, before, numbers.kind_worth)
    most = sorted(seen, key=lambda key: (-len(seen[key].answers), key))[:ITEMS_MAX]
    return {key: _item(sample, seen[key], kind, numbers.item_worth) for key in most}


def _item(sample: Sample, seen: Seen, kind: Floats, worth: float) -> ItemOut:
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
