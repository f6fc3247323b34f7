"""What content tells: a newsletter, mails that make people show themselves, and these aimed.

A sparse world of the filter's own family, a mail a week for everybody. Three ways to spend it:
a newsletter; as many mails of revealing content (a project calendar: few who are content click,
most who look for a job do); and as many of those, each sent to whom it tells most about being
active just then, at least three days apart. How much a mail tells is the product's own number.
"""

import heapq
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np

from bench.detection.alarms import MISS_DAYS, Alarms, half_probability, spells_of
from bench.detection.filtered import fold_everybody
from bench.detection.life import ACTIVE, BEGIN_MS, Act, World, event_of, events_of
from bench.detection.measures import Draws, Interval, Ranking, mean
from bench.detection.own_family import OwnFamily, acts_of, answers, truth_of
from bench.detection.tracks import Ints, looks_of
from services.contract.event import Event
from services.contract.phases import DAY_MS, HOUR_MS
from services.model.fold import fold_onto
from services.model.path import Path
from services.model.state import PersonState
from services.model.telling import bits_of_active, usual
from services.model.version import Model, build, load

SEED = 2031
SPARSE = OwnFamily(seen=0.3, shape=None)
REVEALING = (0.02, 0.20, 0.60)
"""Chance of clicking what was opened, by state."""
NEWSLETTER, REVEALS, AIMED = (
    "newsletter",
    "content that reveals",
    "the same, sent where it tells most",
)
ARMS = (NEWSLETTER, REVEALS, AIMED)
APART_DAYS = 3
WEEK_DAYS = 7


class Arm(NamedTuple):
    """One way to send, and what came of it."""

    name: str
    mails_per_week: float
    mean_days: Interval
    caught: float
    auc: Interval
    bits: float
    """What a mail tells about being active, of somebody of whom nothing is known."""


def arm(name: str, people: int) -> Arm:
    """One of ``ARMS``; the people are the same in all."""
    model = load("day-one")
    if name != NEWSLETTER:
        model = revealing_version(model)
    world = aimed(model, people) if name == AIMED else weekly(model, people)
    return _judged(name, world, model)


def revealing_version(model: Model) -> Model:
    """The version whose mails are of revealing content."""
    mail = msgspec.structs.replace(model.parameters.mail, click_given_open=REVEALING)
    return build(msgspec.structs.replace(model.parameters, mail=mail))


def weekly(model: Model, people: int) -> World:
    """Everybody gets a mail on a weekday of their own."""
    lives = [_Life(person, model) for person in range(people)]
    for life in lives:
        first = int(life.rng.integers(WEEK_DAYS))
        for day in range(first, SPARSE.days, WEEK_DAYS):
            life.mail(BEGIN_MS + day * DAY_MS + 8 * HOUR_MS)
    return _world(lives)


def aimed(model: Model, people: int) -> World:
    """Every morning a seventh of all mails of a week, to those whom they tell most about."""
    lives = [_Life(person, model) for person in range(people)]
    rates = usual(model.parameters.mail)
    last = np.full(people, -APART_DAYS)
    for day in range(SPARSE.days):
        now_ms = BEGIN_MS + day * DAY_MS + 8 * HOUR_MS
        waiting: Ints = np.array(
            [i for i, life in enumerate(lives) if life.truth.end_ms > now_ms], dtype=np.int64
        )
        count = round(len(waiting) / WEEK_DAYS)
        waiting = waiting[day - last[waiting] >= APART_DAYS]
        bits = bits_of_active(
            np.array([lives[i].states_at(now_ms) for i in waiting]).reshape(-1, 3), rates
        )
        for i in waiting[np.argsort(-bits, kind="stable")[:count]]:
            lives[i].mail(now_ms)
            last[i] = day
    return _world(lives)


@dataclass
class _Due:
    """What is going to happen to a person, in order, and what is known so far."""

    acts: list[Act]
    state: PersonState | None = None
    path: Path | None = None


class _Life:
    """One person: what they do, and what the model knows, as mails go out."""

    def __init__(self, person: int, model: Model) -> None:
        self.rng = np.random.default_rng((SEED, person))
        self.truth = truth_of(self.rng, model, SPARSE.days)
        self.acts = acts_of(self.rng, model, self.truth, SPARSE.seen)
        self._person, self._model, self._mails = person, model, 0
        self._due = _Due(sorted(self.acts))
        self._hear(events_of(SEED, person, [])[0])

    def mail(self, at_ms: int) -> None:
        """Send one, which the person answers or not."""
        if at_ms >= self.truth.end_ms:
            return
        number, self._mails = self._mails, self._mails + 1
        for act in (
            Act(at_ms, "sent", number),
            *answers(self.rng, self._model, self.truth, number, at_ms),
        ):
            self.acts.append(act)
            heapq.heappush(self._due.acts, act)

    def states_at(self, at_ms: int) -> tuple[float, float, float]:
        """P of the three states by all that was heard until then."""
        due = self._due
        while due.acts and due.acts[0].t_ms <= at_ms:
            act = heapq.heappop(due.acts)
            self._hear(event_of(SEED, self._person, act.t_ms, act))
        if due.path is None:
            assert due.state is not None
            due.path = Path(due.state, self._model)
        return due.path.states_at(at_ms)

    def _hear(self, event: Event) -> None:
        self._due.state = fold_onto(self._due.state, event, self._model)
        self._due.path = None

    def events(self) -> list[Event]:
        """All of them."""
        return events_of(SEED, self._person, self.acts)


def _world(lives: list[_Life]) -> World:
    return World([life.truth for life in lives], [life.events() for life in lives])


def _judged(name: str, world: World, model: Model) -> Arm:
    looks, spells = looks_of(world.truths), spells_of(world.truths)
    track = fold_everybody(world.events, looks, model)
    alarms = Alarms(track, spells, half_probability)
    days = alarms.days(alarms.threshold())
    counted = np.minimum(days, MISS_DAYS)
    active = (looks.state == ACTIVE).astype(float)
    draws = Draws.of(len(world.truths))
    followed_ms = sum(truth.end_ms - BEGIN_MS for truth in world.truths)
    sent = sum(event.type == "sent" for own in world.events for event in own)
    return Arm(
        name,
        sent / (followed_ms / DAY_MS / WEEK_DAYS),
        draws.interval(spells.person, lambda w: mean(counted, w)),
        float(np.isfinite(days).mean()),
        draws.interval(looks.person, Ranking(track.looks, active).area),
        float(bits_of_active([model.parameters.start], usual(model.parameters.mail))[0]),
    )
