"""``POST /v1/segments/preview``: who would enter and who would leave, before anything is saved."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field
from sqlalchemy import Connection, select

from services.api.context import Here
from services.api.lawful import must_be_lawful, names_in, topics_in
from services.api.needs import SegmentsWriter
from services.api.previewing import Seen, look_at_everybody, persons_in_all
from services.api.problem import Problem, described
from services.api.rule_doubts import doubts_of
from services.api.segment_links import check_references
from services.api.segment_shapes import EXAMPLE
from services.api.segment_store import find_segment, rules_in_force
from services.api.sieve import Rules
from services.api.wire import Body, Out, rfc3339
from services.contract.spelling import KEY_PATTERN
from services.contract.tables import person
from services.contract.tables.unguessed import unguessed
from services.model.path import Path
from services.model.recall import Questions
from services.model.rule_words import reasons
from services.model.rulebook import Rulebook
from services.model.rules import RuleTree
from services.model.rules.condition import Node
from services.model.rules.membership import whole
from services.model.state import PersonState
from services.model.version import Model
from services.model.words import Language
from services.runtime.database import reading

router = APIRouter(prefix="/v1/segments", tags=["segments"])

SAMPLES_MAX = 50
AT_ONCE_MAX = 1
"""Of one process: each keeps a thread busy for up to ``previewing.BUDGET_S``."""
_UNSAVED = ""
"""The key of a rule that is no segment's yet; no segment has it."""
_places = threading.BoundedSemaphore(AT_ONCE_MAX)


class PreviewAsk(Body, RuleTree):
    """A rule that is not saved, and perhaps the segment that it is to become."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"key": "almost-ready", "rule": EXAMPLE}]}
    )
    key: str | None = Field(
        default=None,
        pattern=KEY_PATTERN,
        description="The segment whose rule in force this one is compared with; none: with nobody.",
    )
    samples: int = Field(
        default=10, ge=0, le=SAMPLES_MAX, description="How many of each to name, with reasons."
    )


class SampleOut(Out):
    """One of those who would enter or leave."""

    person: str
    reasons: list[str] = Field(description="What settles it, in words.")


class PreviewOut(Out):
    """What saving the rule would change now."""

    as_of: str
    exact: bool = Field(
        description="True: everybody was looked at. False: time was up before, and the numbers are "
        "estimated from those who were, picked from all over."
    )
    persons: int = Field(description="All persons of the workspace.")
    looked_at: int
    members: int = Field(description="Those who would be in it: who enters and who stays.")
    enter: int
    leave: int
    stay: int
    entering: list[SampleOut]
    leaving: list[SampleOut]
    warnings: list[str] = Field(
        description="What may be a slip: an attribute that none of the people looked at has, or "
        "that is of another sort with them (a number, and a text here), a topic that none of them "
        "did anything about, a kind of identity that nobody has, content that is not in the "
        "catalogue."
    )


@router.post(
    "/preview",
    summary="Preview a rule",
    responses=described(400, 401, 403, 404, 409, 413, 503),
)
def post_preview(
    here: Here,
    credential: SegmentsWriter,
    body: PreviewAsk,
    lang: Annotated[Language, Query(description="Language of the reasons and warnings.")] = "en",
) -> PreviewOut:
    """Who would enter and who would leave if it were saved now. Nothing is changed or kept."""
    must_be_lawful(names_in(body.rule), topics_in(body.rule))
    workspace_id, now_ms, model = credential.workspace_id, here.clock(), here.model
    with _place(), reading(here.engine).connect() as connection:
        rules = _rules(connection, workspace_id, body)
        seen = look_at_everybody(connection, workspace_id, rules, model, now_ms, body.samples)
        total = seen.looked_at if seen.done else persons_in_all(connection, workspace_id)
        chosen = (seen.entering, seen.leaving)
        names = _names(connection, workspace_id, chosen)
        found = doubts_of(connection, workspace_id, body.rule)
    entering, leaving = (_samples(some, names, rules.rule, model, now_ms, lang) for some in chosen)
    scaled = _scaled(seen, total)
    return PreviewOut(
        as_of=rfc3339(now_ms),
        exact=seen.done,
        persons=total,
        looked_at=seen.looked_at,
        members=scaled["enter"] + scaled["stay"],
        entering=entering,
        leaving=leaving,
        warnings=[one.told(lang) for one in found],
        **scaled,
    )


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        text = "Another preview is being made just now."
        raise Problem(503, "busy", text, {"Retry-After": "5"})
    try:
        yield
    finally:
        _places.release()


def _rules(connection: Connection, workspace_id: int, body: PreviewAsk) -> Rules:
    live = None if body.key is None else find_segment(connection, workspace_id, body.key).live
    check_references(connection, workspace_id, body.key or _UNSAVED, body.rule)
    in_force = rules_in_force(connection, workspace_id)
    kept = Rulebook(tuple(whole(in_force).items())).memories
    rule = whole({**in_force, body.key or _UNSAVED: body.rule})[body.key or _UNSAVED]
    return Rules(rule, Questions(rule, kept), None if live is None else str(live.id))


def _names(
    connection: Connection, workspace_id: int, chosen: Sequence[list[tuple[int, PersonState]]]
) -> dict[int, str]:
    ids = [person_id for some in chosen for person_id, _ in some]
    query = select(person.c.id, person.c.public_id).where(
        person.c.workspace_id == unguessed(workspace_id), person.c.id.in_(ids)
    )
    return {int(row.id): str(row.public_id) for row in connection.execute(query)}


def _samples(
    some: list[tuple[int, PersonState]],
    names: dict[int, str],
    rule: Node,
    model: Model,
    now_ms: int,
    language: Language,
) -> list[SampleOut]:
    return [
        SampleOut(
            person=names[person_id],
            reasons=reasons(rule, Path(state, model), now_ms, language),
        )
        for person_id, state in some
    ]


def _scaled(seen: Seen, total: int) -> dict[str, Any]:
    """Of everybody, from those who were looked at."""
    share = 1.0 if seen.done or not seen.looked_at else total / seen.looked_at
    counted = {"enter": seen.enter, "leave": seen.leave, "stay": seen.stay}
    return {name: round(number * share) for name, number in counted.items()}
