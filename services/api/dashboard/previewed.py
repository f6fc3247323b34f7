"""What saving a rule would change now, for the page that edits it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from services.api.dashboard.forms import Sent
from services.api.dashboard.movers import name_of
from services.api.dashboard.pages import words_of
from services.api.dashboard.texts import language_of
from services.api.people import identities_of, states_of
from services.api.preview import PreviewAsk, PreviewOut, SampleOut, post_preview
from services.contract.tables import person

SAMPLES = 8


@dataclass(frozen=True)
class Sample:
    """One of those who would come or go."""

    person: str
    name: str
    why: str


@dataclass(frozen=True)
class Previewed:
    """The numbers, and some of those they are of."""

    numbers: PreviewOut
    entering: list[Sample]
    leaving: list[Sample]


def previewed(sent: Sent, key: str | None, rule: dict[str, Any]) -> Previewed:
    """Preview a rule; people are named to whoever may see them.

    Raises:
        Problem: 409, it cannot be a segment's; 503, others preview just now.
    """
    visitor = sent.visitor
    sees = visitor.may("persons:read")
    ask = PreviewAsk(key=key, rule=rule, samples=SAMPLES if sees else 0)
    found = post_preview(sent.here, visitor.credential(), ask, language_of(sent.request))
    with sent.here.engine.connect() as connection:
        some = [*found.entering, *found.leaving]
        names = _names(connection, sent, [one.person for one in some])
    return Previewed(found, _named(found.entering, names), _named(found.leaving, names))


def _named(samples: list[SampleOut], names: dict[str, str]) -> list[Sample]:
    return [
        Sample(one.person, names.get(one.person, one.person), "; ".join(one.reasons))
        for one in samples
    ]


def _names(connection: Connection, sent: Sent, public_ids: list[str]) -> dict[str, str]:
    words, _ = words_of(connection, sent.visitor, sent.request)
    workspace_id = sent.visitor.workspace_id
    query = select(person.c.id, person.c.public_id).where(
        person.c.workspace_id == workspace_id, person.c.public_id.in_(public_ids)
    )
    rows = connection.execute(query).all()
    ids = [row.id for row in rows]
    identities = identities_of(connection, workspace_id, ids)
    states = states_of(connection, workspace_id, ids)
    return {
        row.public_id: name_of(states.get(row.id), identities[row.id], row.public_id, words)
        for row in rows
    }
