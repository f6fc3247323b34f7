"""A version beside the one in force: who would change phase, what each alarms and foretells."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from services.contract import tables
from services.contract.phases import DAY_MS
from services.model.behaviour import judged
from services.model.foretold import WITHIN_DAYS, foretold
from services.model.interval import Interval
from services.model.version import Model
from services.scorer.anew import PERSONS_MAX, intervals_of
from services.scorer.segments import load_segments
from services.scorer.shadow import rules_of, shadows_of
from services.scorer.states import heads
from services.scorer.sweeps import histories_of

YEAR_DAYS = 365
EDGES = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Between which chances are taken together, to compare them with what came."""

_fold = tables.model_fold.c


@dataclass
class Alarms:
    """How often the two signals went on, over the time in which people were scored."""

    turning: int = 0
    active: int = 0
    scored_ms: int = 0

    def add(self, intervals: Iterable[Interval], begin_ms: int, end_ms: int) -> None:
        """Add a person's latency intervals within [begin_ms, end_ms)."""
        latency = sorted((i for i in intervals if i.kind == "latency"), key=lambda i: i.from_ms)
        was_on = False
        for one in latency:
            to_ms = end_ms if one.to_ms is None else min(one.to_ms, end_ms)
            self.scored_ms += max(0, to_ms - max(one.from_ms, begin_ms))
            is_on = one.key != "latent_latent"
            if begin_ms <= one.from_ms < end_ms:
                self.turning += is_on and not was_on
                self.active += one.key == "active"
            was_on = is_on

    def per_year(self, alarms: int) -> float:
        """Alarms per person-year."""
        return alarms * YEAR_DAYS * DAY_MS / self.scored_ms if self.scored_ms else 0.0


@dataclass
class Foretold:
    """Chances given, and what came of them."""

    bins: dict[int, list[float]] = field(default_factory=dict)
    """Per bin: how many, sum of chances, how many came."""
    loss: float = 0.0
    """Sum of −ln of the chance given to what came about."""

    def add(self, given: float, *, came: bool) -> None:
        """Add one."""
        place = next(i for i in range(1, len(EDGES)) if given <= EDGES[i] or i == len(EDGES) - 1)
        one = self.bins.setdefault(place, [0.0, 0.0, 0.0])
        one[0] += 1
        one[1] += given
        one[2] += came
        self.loss -= math.log(max(given if came else 1 - given, 1e-12))

    @property
    def count(self) -> int:
        """How many there are."""
        return round(sum(one[0] for one in self.bins.values()))

    @property
    def error(self) -> float:
        """How far chances are from what came, on the average over all."""
        return sum(abs(one[1] - one[2]) for one in self.bins.values()) / (self.count or 1)


@dataclass
class Versus:
    """What is known of two versions: the one in force first, the other second."""

    persons: int = 0
    stale: int = 0
    """Persons whose shadows are not good any more: left out."""
    phases: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Persons by (phase now, phase by the other); ``none`` is nobody scored."""
    alarms: tuple[Alarms, Alarms] = field(default_factory=lambda: (Alarms(), Alarms()))
    foretold: tuple[Foretold, Foretold] = field(default_factory=lambda: (Foretold(), Foretold()))


def add_next(
    db: Connection, version_id: int, workspace_id: int, done: Versus, after_id: int, now_ms: int
) -> int:
    """Add the next few persons to what is compared; the last one's id, 0 at the end."""
    query = (
        select(_fold.person_id)
        .where(
            _fold.version_id == version_id,
            _fold.workspace_id == workspace_id,
            _fold.person_id > after_id,
        )
        .order_by(_fold.person_id)
        .limit(PERSONS_MAX)
    )
    persons: list[int] = list(db.execute(query).scalars())
    if not persons:
        return 0
    segments = load_segments(db, workspace_id)
    standing = heads(db, persons)
    live = intervals_of(db, workspace_id, persons)
    begin_ms = now_ms - YEAR_DAYS * DAY_MS
    for person, (version, of, shadow) in shadows_of(db, version_id, persons).items():
        head = standing.get(person)
        if head is None or (head.version, rules_of(segments, person)) != (version, of):
            done.stale += 1
            continue
        done.persons += 1
        both = live[person], shadow.intervals
        done.phases[_phase(both[0], now_ms), _phase(both[1], now_ms)] += 1
        for alarms, intervals in zip(done.alarms, both, strict=True):
            alarms.add(intervals, begin_ms, now_ms)
    return persons[-1]


def _phase(intervals: Iterable[Interval], at_ms: int) -> str:
    for kind, key, from_ms, to_ms, _ in intervals:
        if kind == "phase" and from_ms <= at_ms and (to_ms is None or at_ms < to_ms):
            return key
    return "none"


def add_foretold(
    db: Connection,
    workspace_id: int,
    persons: Sequence[int],
    models: tuple[Model, Model],
    done: Versus,
    now_ms: int,
) -> None:
    """Add what both models would have foretold of persons, every four weeks of the last year."""
    step_ms = WITHIN_DAYS * DAY_MS
    moments = range(now_ms - YEAR_DAYS // WITHIN_DAYS * step_ms, now_ms - step_ms + 1, step_ms)
    for events in histories_of(db, workspace_id, persons).values():
        for model, told in zip(models, done.foretold, strict=True):
            for given, came in foretold(judged(events), model, moments):
                told.add(given, came=came)


def sample(db: Connection, version_id: int, workspace_id: int, count: int) -> list[int]:
    """Persons with a shadow, evenly spread over their ids: at most about so many."""
    query = select(_fold.person_id).where(
        _fold.version_id == version_id, _fold.workspace_id == workspace_id
    )
    everybody = sorted(db.execute(query).scalars())
    return everybody[:: max(1, -(-len(everybody) // count))]
