"""Why somebody stands where they stand: every step of the fold, in log-odds.

Each step moved the log-odds of being *active*, and of *turning* (actively latent or active), by
the difference between after and before. So the contributions telescope: prior + their sum is
the score, to rounding (within 1e-9). That holds of any stretch of them too, so of somebody of whom
there are very many a part can be told, from the log-odds that it begins with.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

from services.contract.event import Event
from services.contract.phases import LatencyState
from services.model.entries import Entries
from services.model.filter import log_odds
from services.model.fold import elapse, fold_onto
from services.model.ledger import NO_LEDGER, Ledger
from services.model.state import PersonState, Score
from services.model.version import Model

CONTRIBUTIONS_MAX = 20_000
"""Told at once; the newest of them unless older ones are asked for."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one event, or one stretch of silence, said.

    ``kind`` is ``silence``, ``mail_not_opened``, ``mail_not_clicked``, ``mail_open``,
    ``mail_click``, ``unsubscribe`` or a kind of the model's rates, such as ``vacancy_view``.
    """

    kind: str
    from_ms: int
    to_ms: int
    """Equal to ``from_ms`` but for silence."""
    event: Event | None
    active: float
    """Log-odds by which being active became likelier (or, below 0, less likely)."""
    turning: float
    """Likewise for being actively latent or active."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """``prior + Σ contributions = total``, for each of the two signals, in log-odds."""

    at_ms: int
    since_ms: int
    """From when on events are scored."""
    prior_active: float
    """Where the first of the contributions began."""
    prior_turning: float
    earlier: int
    """Contributions before the first one told here: they lead from the start to the prior."""
    contributions: tuple[Contribution, ...]
    active: float
    """Where the last of the contributions ended."""
    turning: float
    latency_state: LatencyState
    """That the two signals say."""
    entered_ms: tuple[int, int, int]
    """When each state was entered, should the person be in it; see ``services/model/since.py``."""

    @property
    def latency_since_ms(self) -> int:
        """Since when the person is in the latency state, in expectation."""
        return self.entered_ms[get_args(LatencyState).index(self.latency_state)]


class _Book(Entries):
    """Keeps the newest steps of a fold up to a number; a fresh start forgets those before it."""

    def __init__(self, model: Model, until: int | None, limit: int) -> None:
        super().__init__(model)
        self._until = until
        self._limit = limit
        self.told: deque[tuple[Contribution, tuple[float, float]]] = deque()
        """Each with the log-odds after it."""
        self.number = 0
        self.prior = self.score = self.last = (0.0, 0.0)
        self.since_ms = self.last_ms = 0

    def note(self, kind: str, at_ms: int, p: Sequence[float], event: Event | None) -> None:
        super().note(kind, at_ms, p, event)
        now = log_odds(p)
        if kind == "start":
            self.told.clear()
            self.number = 0
            self.prior, self.score, self.since_ms = now, now, at_ms
        else:
            begin = self.last_ms if kind == "silence" else at_ms
            self._keep(
                Contribution(
                    kind, begin, at_ms, event, now[0] - self.last[0], now[1] - self.last[1]
                ),
                now,
            )
        self.last, self.last_ms = now, at_ms

    def _keep(self, one: Contribution, now: tuple[float, float]) -> None:
        self.number += 1
        if self._until is not None and self.number > self._until:
            return
        self.told.append((one, now))
        self.score = now
        if len(self.told) > self._limit:
            self.prior = self.told.popleft()[1]


def state_at(
    events: Iterable[Event], model: Model, at_ms: int, ledger: Ledger = NO_LEDGER
) -> PersonState | None:
    """The state at a moment between events: folded up to it, silence included.

    Args:
        events: the person's, in canonical order; those after ``at_ms`` are left out.
        model: the version.
        at_ms: the moment; None comes back where it lies before the first event.
        ledger: is told what moved the probabilities.
    """
    state: PersonState | None = None
    for event in events:
        if event.occurred_ms <= at_ms:
            state = fold_onto(state, event, model, ledger=ledger)
    if state is not None:
        elapse(state, at_ms, model, ledger)
    return state


def entered(events: Iterable[Event], model: Model, at_ms: int) -> tuple[int, int, int] | None:
    """When each hidden state was entered, should the person be in it at a moment: UTC ms.

    Args:
        events: the person's, in canonical order; those after ``at_ms`` are left out.
        model: the version.
        at_ms: past, now or ahead.

    Returns:
        None where nothing is scored then.
    """
    entries = Entries(model)
    state = state_at(events, model, at_ms, entries)
    return None if state is None or state.score is None else entries.entered_ms()


def explain(
    events: Iterable[Event],
    model: Model,
    at_ms: int,
    *,
    until: int | None = None,
    limit: int = CONTRIBUTIONS_MAX,
) -> Explanation | None:
    """The account of a score at ``at_ms``; None where nothing is scored then.

    Args:
        events: the person's, in canonical order (occurred_ms, event_id); gone through once.
        model: the version.
        at_ms: past, now or ahead; events after it are left out.
        until: tell the contributions up to this number, the first one being 1; None: to the last.
        limit: so many at most are told, the newest of these.
    """
    book = _Book(model, until, limit)
    state = state_at(events, model, at_ms, book)
    if state is None or state.score is None:
        return None
    return Explanation(
        at_ms=at_ms,
        since_ms=book.since_ms,
        prior_active=book.prior[0],
        prior_turning=book.prior[1],
        earlier=min(book.number, until or book.number) - len(book.told),
        contributions=tuple(one for one, _ in book.told),
        active=book.score[0],
        turning=book.score[1],
        latency_state=_latency_state(state.score),
        entered_ms=book.entered_ms(),
    )


def _latency_state(score: Score) -> LatencyState:
    if score.active_ms is not None:
        return "active"
    return "latent_latent" if score.turning_ms is None else "actively_latent"
