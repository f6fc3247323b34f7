"""Persons moved on by their events: from stored state to stored state.

An event after the person's last one is folded onto the state. One that belongs earlier is folded
with what came after it, from the nearest state that was kept from before it: one from the other
side of a quiet week, or a checkpoint. A change of what is whose folds anew from the first event.
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection

from services.contract.event import LISTED, Event
from services.contract.phases import DAY_MS, ChangeReason, IntervalKind
from services.model.behaviour import WINDOW_MS, judged
from services.model.interval import Interval
from services.model.rulebook import Rulebook
from services.model.state import PersonState, encode_state
from services.model.timeline import advance_onto, go_on, join
from services.model.version import Model
from services.runtime import telemetry
from services.scorer.late import back_to, is_reclassified
from services.scorer.owners import Piece
from services.scorer.segments import Segments
from services.scorer.states import (
    CHECKPOINT_EVENTS,
    Announced,
    Head,
    Held,
    Place,
    alike_in_age,
    bases_of,
    heads,
    last_versions,
    load,
    place,
)
from services.scorer.sweeps import histories_of

SETTLED_MS = 7 * DAY_MS
"""The state is kept as it was so long before the last event, where nothing came for so long."""

NOBODY: Mapping[int, Place] = {}


class Forecast(NamedTuple):
    """What a batch comes to if its events are new and nobody else touches their persons."""

    held: Mapping[int, Held]
    """What is stored of them."""
    theirs: Mapping[int, Sequence[Event]]
    """The batch's events per person."""
    owners: Mapping[int, Collection[Piece]]
    """Whose the identities of the events are."""
    segments: Segments


Stored = tuple[IntervalKind, str, int, int | None, bytes | None]
"""An ``Interval`` as it comes out of the database: equal to it, and not made one for that."""


@dataclass(slots=True)
class Folded:
    """A person after this batch."""

    person_id: int
    state: PersonState | None
    """None: nothing is left of the person, who was merged into another."""
    version: int
    cut_ms: int | None
    """Everything from here on is new; None: everything."""
    intervals: list[Interval]
    rulebook: Rulebook
    announced: Announced
    since_ms: Mapping[str, int] | None = None
    """By segment, from when on it was drawn: what is stored of others stands. None: all were."""
    look_ms: int = 0
    """Stored intervals from here on matter: the cut, or an unannounced boundary before it."""
    held: Sequence[Stored] = ()
    """What was stored from there on, before this batch."""
    remade: ChangeReason | None = None
    """Why the person was folded anew, where it was not for an event."""
    checkpoints: list[tuple[Place, bytes]] = field(default_factory=list)
    settled: bytes | None = None
    arrived: tuple[Event, ...] = ()
    """The events that were folded onto the stored state."""
    first: Place | None = None
    """The person's first event, where all were folded."""
    said: Mapping[bytes, ChangeReason] = field(default_factory=dict)
    """The events by which somebody said how it is to be, and what that is as a reason."""
    came: Mapping[int, bytes] = field(default_factory=dict)
    """This batch's events by when they happened: what began or ended then, did by them."""
    due_ms: int | None = None
    """When the next predicted boundary is to be announced."""
    is_new: bool = False
    """Nothing is stored of the person so far."""


def fold_ahead(told: Forecast, model: Model) -> dict[int, Folded]:
    """Fold events that come after their persons' last ones, before the persons are locked.

    :func:`fold_persons` takes what came out where nobody else touched the person meanwhile, and
    all the events were new, so that workers wait for each other's writing only.
    """
    with telemetry.SCORER_FOLD_SECONDS.time():
        return {
            person: _on(person, before, told.theirs[person], told.segments, model)
            for person, before in told.held.items()
            if back_to(told.theirs[person], before, None) is None
        }


def fold_persons(
    db: Connection,
    workspace_id: int,
    arrived: Mapping[int, Sequence[Event]],
    anew: Collection[int],
    segments: Segments,
    model: Model,
    ahead: Mapping[int, Folded],
    *,
    rejudged: Mapping[int, Place] = NOBODY,
) -> list[Folded]:
    """Fold new events into their persons.

    Args:
        db: a transaction that has the persons locked.
        workspace_id: whose.
        arrived: new events per person, in any order.
        anew: persons to fold from their first event on, new events or not.
        segments: the rules to keep.
        model: the version.
        ahead: what :func:`fold_ahead` made of some of them.
        rejudged: persons of whom something is taken for something else from a place on, new
            events or not.
    """
    folded: list[Folded] = []
    for person, head in heads(db, ahead.keys() - set(anew)).items():
        one = ahead[person]
        same_rules = one.rulebook is segments.rulebook_for(person)
        if same_rules and one.version == head.version + 1 and one.arrived == _told(arrived, person):
            folded.append(_after(one, head))  # announcing may have gone on since
    done = {one.person_id for one in folded}
    held = load(db, sorted((arrived.keys() | set(anew) | rejudged.keys()) - done))
    late = {
        person: back
        for person in (arrived.keys() | rejudged.keys()) - set(anew)
        if person in held
        and (back := back_to(arrived.get(person, ()), held[person], rejudged.get(person)))
    }
    persons = sorted((arrived.keys() | set(anew) | late.keys()) - done)
    gone = last_versions(db, [person for person in persons if person not in held])
    bases = bases_of(db, late, held)
    histories = histories_of(db, workspace_id, anew) if anew else {}
    histories |= _since(db, workspace_id, late.keys(), bases)
    for person in persons:
        before = held.get(person)
        if person in anew:
            one = _fold(person, None, judged(histories.get(person, [])), segments, model)
        elif person in late:
            start, base = bases.get(person, (None, None))
            known = judged(histories[person])
            events = [e for e in known if start is None or place(e) > start]
            one = _fold(person, base, events, segments, model)
            new = arrived.get(person, ())
            if person in rejudged or is_reclassified(known, histories[person], new):
                one.remade = "reclassified"
        elif before is not None:
            folded.append(_on(person, before, arrived[person], segments, model))
            continue
        else:
            events = sorted(arrived[person], key=place)
            one = _fold(person, None, judged(events), segments, model)
        folded.append(_after(one, before.head if before else None))
    for one in folded:
        one.version += gone.get(one.person_id, 0)
        one.came = {e.occurred_ms: e.event_id for e in arrived.get(one.person_id, ())}
    return sorted(folded, key=lambda one: one.person_id)


def _on(
    person: int, before: Held, events: Sequence[Event], segments: Segments, model: Model
) -> Folded:
    """Events after the last one, folded onto the state."""
    ordered = judged(sorted(events, key=place))
    one = _fold(person, before.state, ordered, segments, model, stored=before.stored)
    one.arrived = tuple(events)
    one.settled = one.settled or before.settled
    return _after(one, before.head)


def _after(one: Folded, head: Head | None) -> Folded:
    if head is None:
        one.version, one.is_new = 1, True
        return one
    one.version, one.announced = head.version + 1, head.announced
    if one.cut_ms is not None:
        one.look_ms = min(one.cut_ms, head.due_ms or one.cut_ms)
    return one


def _told(arrived: Mapping[int, Sequence[Event]], person: int) -> tuple[Event, ...]:
    return tuple(arrived.get(person, ()))


def _since(
    db: Connection,
    workspace_id: int,
    persons: Collection[int],
    bases: Mapping[int, tuple[Place, PersonState]],
) -> dict[int, list[Event]]:
    """Events of persons from their bases on, and those that tell of the first of them."""
    near = [person for person in persons if person in bases]
    far = [person for person in persons if person not in bases]
    found = histories_of(db, workspace_id, far) if far else {}
    begins_ms = {person: bases[person][0][0] - WINDOW_MS for person in near}
    for begin_ms, some in alike_in_age(begins_ms):
        found |= histories_of(db, workspace_id, some, begin_ms)
    return found


def _fold(
    person_id: int,
    base: PersonState | None,
    events: Sequence[Event],
    segments: Segments,
    model: Model,
    stored: bytes | None = None,
) -> Folded:
    """Fold events in order, keeping the states that later events may be folded from.

    ``base`` is changed: whoever calls this has just read it, for this alone. ``stored`` is the
    same as bytes, where it is what is stored now: so is, as intervals, all that lay ahead of it.
    """
    rulebook = segments.rulebook_for(person_id)
    if not events:
        return Folded(person_id, None, 0, None, [], rulebook, {})
    one = Folded(
        person_id,
        base,
        version=0,
        cut_ms=None if base is None else events[0].occurred_ms,
        intervals=[],
        rulebook=rulebook,
        announced={},
        first=place(events[0]) if base is None else None,
        said={event.event_id: reason for event in events if (reason := _said(event))},
    )
    settled_ms = events[-1].occurred_ms - SETTLED_MS
    if base is not None and base.at_ms <= settled_ms:
        # What another worker has still to read of a backlog begins about where this batch did.
        one.settled = stored or encode_state(base)
        settles = -1
    else:
        settles = bisect_right(events, settled_ms, key=_occurred_ms)
    state, begin = base, 0
    while begin < len(events):
        if begin == settles and state is not None and state.at_ms <= settled_ms:
            one.settled = encode_state(state)
        done = 0 if state is None else state.events
        end = min(begin + CHECKPOINT_EVENTS - done % CHECKPOINT_EVENTS, len(events))
        if begin < settles:
            end = min(end, settles)
        until_ms = events[end].occurred_ms if end < len(events) else None
        if state is not None and stored is not None and end - begin == len(events):
            state, pieces, one.since_ms = go_on(state, events, model, rulebook)
        else:
            state, pieces = advance_onto(state, events[begin:end], model, rulebook, until_ms)
        one.intervals += pieces
        if state.events % CHECKPOINT_EVENTS == 0:
            one.checkpoints.append((place(events[end - 1]), encode_state(state)))
        begin = end
    one.state = state
    one.intervals = join(one.intervals)
    return one


def _said(event: Event) -> ChangeReason | None:
    if event.type == LISTED:
        return "manual"
    return "withdrawn" if event.consent.profile is False else None


def _occurred_ms(event: Event) -> int:
    return event.occurred_ms
