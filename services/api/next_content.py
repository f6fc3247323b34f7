"""What to offer a person next, and why; and what they saw."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import ConfigDict, Field
from sqlalchemy import Connection, Row, func, or_, select

from services.api.content import ContentOut, show_content
from services.api.content_store import rows_of
from services.api.context import Context
from services.api.opening import Asked, AskedByIdentity, AskedPerson, AskedPersonAt
from services.api.people import state_at
from services.api.problem import described
from services.api.record import own_events
from services.api.telling import content_bits
from services.api.wire import Out, rfc3339
from services.contract.event import Channel
from services.contract.phases import Phase
from services.contract.tables import content, event
from services.model.engagement import IN_ALL, present
from services.model.next_content import SEEING, By, Choice, Item, Reader, ranked
from services.model.path import Path
from services.model.procedure import TELLING, Procedures
from services.model.rhythm import pressure
from services.model.state import PersonState
from services.model.version import Model
from services.model.vocabulary import PHASES as PHASE_NAMES
from services.model.words import Language

router = APIRouter(prefix="/v1/persons", tags=["content"])

SEEN_MAX = 1_000
"""Items of one person, the latest."""
PER_WEEK_MAX = 2
"""More contacts in seven days are pressure, unless the caller asks for another bound."""

_WORDS: dict[str, dict[Language, str]] = {
    "phase": {"nl": "past bij de fase {0}", "en": "is for the phase {0}"},
    "next_phase": {"nl": "leidt naar de fase {0}", "en": "leads to the phase {0}"},
    "of_all_phases": {"nl": "is voor alle fasen", "en": "is for all phases"},
    "topic": {"nl": "gaat over {0}", "en": "is about {0}"},
    "tells": {
        "nl": "een antwoord zegt gemiddeld {0} bit",
        "en": "an answer tells {0} bits on average",
    },
}


_PHASES: dict[str, str] = {str(phase): name for phase, name in PHASE_NAMES.items()}


class ReasonOut(Out):
    """Something that speaks for an item."""

    kind: Literal["phase", "next_phase", "of_all_phases", "topic", "tells"]
    of: str = Field(description="Which phase or topic, or how many bits.")
    text: str


class NextOut(ContentOut):
    """An item to offer."""

    score: float
    reasons: list[ReasonOut]


class HoldOut(Out):
    """Why the person should not be approached now over the channel asked for."""

    reason: Literal["not_followed", "unsubscribed", "pressure"]
    contacts_7_days: int


class NextContentOut(Out):
    """What to offer somebody at a moment, the best first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "as_of": "2026-11-22T09:30:00.000Z",
                    "phase": "think",
                    "in_procedure": False,
                    "hold": None,
                    "next": [
                        {
                            "content_id": "bedrijfsschool",
                            "content_type": "behind_the_scenes",
                            "title": "How the company school teaches medium voltage",
                            "url": "https://werkenbij.example.org/achter-de-schermen/school",
                            "topics": ["training"],
                            "phase": "think",
                            "format": "video",
                            "serves": "behind the scenes",
                            "cell": None,
                            "published_at": None,
                            "closes_at": None,
                            "score": 1.4,
                            "reasons": [
                                {"kind": "phase", "of": "think", "text": "is for the phase Think"},
                                {"kind": "topic", "of": "training", "text": "is about training"},
                            ],
                        }
                    ],
                }
            ]
        }
    )
    as_of: str
    phase: Phase | None = Field(description="Null: the person is not followed.")
    in_procedure: bool = Field(
        description="They applied, or moved on in a procedure, in the 90 days before, and nothing "
        "says that it has ended: no vacancy is among the items."
    )
    hold: HoldOut | None = Field(description="Null: nothing speaks against an approach.")
    next: list[NextOut]


class SeenOut(Out):
    """An item that somebody saw."""

    content_id: str
    title: str | None = Field(description="Null: it is not in the catalogue.")
    content_type: str | None = Field(description="Likewise.")
    times: int
    first: str
    last: str


class SeenContentOut(Out):
    """What somebody saw, the latest first."""

    content: list[SeenOut]


@dataclass(frozen=True)
class Known:
    """What the choice goes by: who somebody is, and what there is."""

    reader: Reader
    rows: dict[str, Row[Any]]
    """The catalogue by content id."""

    def items(self) -> Iterable[Item]:
        """The catalogue as the choice reads it."""
        for row in self.rows.values():
            if row.address is not None:
                yield Item(
                    row.content_id,
                    row.kind,
                    row.phase,
                    frozenset(row.topics),
                    row.published_ms or 0,
                    row.closes_ms,
                )


@dataclass(frozen=True)
class Wish:
    """How to choose, and how to tell it."""

    by: Annotated[
        By,
        Query(
            description="`fit`: phase and interests. `telling`: the item whose answer would tell "
            "most of the person; measured on a sample of people, which takes seconds."
        ),
    ] = "fit"
    channel: Annotated[
        Channel | None, Query(description="Where you would approach them; left out: nowhere.")
    ] = None
    per_week: Annotated[
        int, Query(ge=1, le=50, description="From so many contacts in seven days on: pressure.")
    ] = PER_WEEK_MAX
    lang: Annotated[Language, Query(description="Language of the reasons.")] = "en"
    limit: Annotated[int, Query(ge=1, le=50)] = 3


@router.get(
    "/lookup/next-content",
    summary="What to offer the person with an identity next",
    responses=described(400, 401, 403, 404, 503),
)
def get_next_content_by_identity(
    asked: AskedByIdentity, wish: Annotated[Wish, Depends()]
) -> NextContentOut:
    """As for a person, of whom is known by a cookie, a mail address, or another system's id."""
    return offered(asked, wish)


@router.get(
    "/{person_id}/next-content",
    summary="What to offer a person next",
    responses=described(307, 400, 401, 403, 404, 503),
)
def get_next_content(asked: AskedPersonAt, wish: Annotated[Wish, Depends()]) -> NextContentOut:
    """Not seen yet, by phase and interests. A vacancy only to who is in Do, and in no procedure."""
    return offered(asked, wish)


def offered(asked: Asked, wish: Wish) -> NextContentOut:
    """What to offer to whom is asked about."""
    with asked.opened() as (connection, row):
        model = asked.here.model
        state = state_at(connection, row, asked.at_ms, asked.known_at_ms, model)
        known = known_of(connection, row, state, asked.at_ms, model)
        bits = None
        if known is not None and state is not None and wish.by == "telling":
            bits = _bits(connection, asked.here, asked.workspace_id, state, asked.at_ms)
    choices = [] if known is None else ranked(known.items(), known.reader, asked.at_ms, bits)
    return NextContentOut(
        as_of=rfc3339(asked.at_ms),
        phase=known.reader.phase if known else None,
        in_procedure=known is not None and known.reader.in_procedure,
        hold=_hold(state if known else None, wish.channel, wish.per_week, asked.at_ms),
        next=[_next(one, known.rows, wish.lang) for one in choices[: wish.limit]] if known else [],
    )


@router.get(
    "/{person_id}/content",
    summary="What a person saw",
    responses=described(307, 400, 401, 403, 404, 503),
)
def get_seen_content(asked: AskedPerson) -> SeenContentOut:
    """Each item once, with how often; the latest first, a thousand at most."""
    with asked.opened() as (connection, row):
        seen = _seen(connection, row, asked.at_ms, asked.known_at_ms)
        ids = [one.content_id for one in seen]
        rows = rows_of(connection, asked.workspace_id, ids)
    there = {row.content_id: show_content(row) for row in rows}
    return SeenContentOut(
        content=[
            SeenOut(
                content_id=one.content_id,
                title=there[one.content_id].title if one.content_id in there else None,
                content_type=(
                    there[one.content_id].content_type if one.content_id in there else None
                ),
                times=one.times,
                first=rfc3339(one.first_ms),
                last=rfc3339(one.last_ms),
            )
            for one in seen
        ]
    )


def known_of(
    connection: Connection, row: Row[Any], state: PersonState | None, at_ms: int, model: Model
) -> Known | None:
    """What the choice for somebody at a moment goes by; None: they are not followed."""
    phase = None if state is None else Path(state, model).phase_at(at_ms)[0]
    if state is None or phase is None:
        return None
    engaged = present(state.engagement, at_ms, model)
    whole = engaged.get(IN_ALL, 0.0)
    shares = {t: min(e / whole, 1.0) for t, e in engaged.items() if t != IN_ALL and whole}
    seen = frozenset(one.content_id for one in _seen(connection, row, at_ms, None))
    found = connection.execute(
        select(content).where(
            content.c.workspace_id == row.workspace_id,
            or_(content.c.closes_ms.is_(None), content.c.closes_ms > at_ms),
        )
    )
    reader = Reader(phase, shares, seen, _is_in_procedure(connection, row, at_ms))
    return Known(reader, {one.content_id: one for one in found})


def _is_in_procedure(connection: Connection, row: Row[Any], at_ms: int) -> bool:
    query = (
        own_events(row.workspace_id, row.id, at_ms, None)
        .with_only_columns(event.c.type, event.c.content_id, event.c.occurred_ms)
        .where(event.c.type.in_(TELLING))
        .order_by(event.c.occurred_ms, event.c.event_id)
    )
    procedures = Procedures[Any]()
    for one in connection.execute(query):
        procedures.hear(one)
    return procedures.latest(at_ms) is not None


def _seen(
    connection: Connection, row: Row[Any], at_ms: int, known_at_ms: int | None
) -> list[Row[Any]]:
    last_ms = func.max(event.c.occurred_ms)
    query = (
        own_events(row.workspace_id, row.id, at_ms, known_at_ms)
        .with_only_columns(
            event.c.content_id,
            func.count().label("times"),
            func.min(event.c.occurred_ms).label("first_ms"),
            last_ms.label("last_ms"),
        )
        .where(event.c.content_id.is_not(None), event.c.type.in_(SEEING))
        .group_by(event.c.content_id)
        .order_by(last_ms.desc(), event.c.content_id)
        .limit(SEEN_MAX)
    )
    return list(connection.execute(query).all())


def _bits(
    connection: Connection, here: Context, workspace_id: int, state: PersonState, at_ms: int
) -> dict[str, float]:
    shares = Path(state, here.model).states_at(at_ms)
    return content_bits(connection, here, workspace_id, shares)


def _hold(
    state: PersonState | None, channel: Channel | None, per_week: int, at_ms: int
) -> HoldOut | None:
    if state is None:
        return HoldOut(reason="not_followed", contacts_7_days=0)
    if channel is None:
        return None
    week = sum(one.days_7 for one in pressure(state.habits, at_ms).values())
    off = state.score is not None and {
        "email": state.score.mail_off,
        "magazine": state.score.issue_off,
    }.get(channel, False)
    if off:
        return HoldOut(reason="unsubscribed", contacts_7_days=week)
    return HoldOut(reason="pressure", contacts_7_days=week) if week >= per_week else None


def _next(choice: Choice, rows: dict[str, Row[Any]], lang: Language) -> NextOut:
    return NextOut(
        **show_content(rows[choice.item.content_id]).model_dump(),
        score=choice.score,
        reasons=[
            ReasonOut(kind=kind, of=of, text=_WORDS[kind][lang].format(_PHASES.get(of, of)))
            for kind, of in choice.reasons
        ],
    )
