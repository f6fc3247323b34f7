"""What saving a rule would change now, for the page that edits it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from services.api.dashboard.because import parted
from services.api.dashboard.forms import Sent
from services.api.dashboard.names import Known, known_people
from services.api.dashboard.pages import words_of
from services.api.dashboard.texts import Words, language_of
from services.api.preview import PreviewAsk, PreviewOut, SampleOut, post_preview
from services.contract.phases import Phase
from services.model.path import Path

SAMPLES = 8


@dataclass(frozen=True)
class Sample:
    """One of those who would come or go."""

    person: str
    name: str
    phase: Phase | None
    openness: float | None
    """Both None: not followed."""
    why: str
    """What settles it for them and not for all that are shown."""


@dataclass(frozen=True)
class Samples:
    """Some of those who would come, or go."""

    people: list[Sample]
    shared: list[str]
    """What settles it for all of these."""


@dataclass(frozen=True)
class Previewed:
    """The numbers, and some of those they are of."""

    numbers: PreviewOut
    entering: Samples
    leaving: Samples


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
        words, _ = words_of(connection, visitor, sent.request)
        return Previewed(
            found,
            *(_samples(connection, sent, some, words) for some in (found.entering, found.leaving)),
        )


def _samples(connection: Connection, sent: Sent, some: list[SampleOut], words: Words) -> Samples:
    known = known_people(connection, sent.visitor.workspace_id, [one.person for one in some], words)
    shared, own = parted([one.reasons for one in some])
    return Samples(
        [
            _sample(sent, known[one.person], one.person, theirs)
            for one, theirs in zip(some, own, strict=True)
            if one.person in known
        ],
        shared,
    )


def _sample(sent: Sent, known: Known, public_id: str, reasons: list[str]) -> Sample:
    phase, openness = None, None
    if known.state is not None and known.state.score is not None:
        at_ms = max(sent.here.clock(), known.state.at_ms)
        path = Path(known.state, sent.here.model, at_ms)
        chances = path.states_at(at_ms)
        phase, openness = path.phase_at(at_ms)[0], chances[1] + chances[2]
    return Sample(public_id, known.name, phase, openness, "; ".join(reasons))
