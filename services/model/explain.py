"""Why somebody stands where they stand: every step of the fold, in log-odds.

Each step moved the log-odds of being *active*, and of *turning* (actively latent or active), by
the difference between after and before. So the contributions telescope: prior + their sum is
the score, to rounding (within 1e-9).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from services.contract.event import Event
from services.contract.phases import LatencyState
from services.model.filter import log_odds
from services.model.fold import elapse, fold
from services.model.ledger import NO_LEDGER, Ledger
from services.model.since import Entries
from services.model.state import PersonState, Score
from services.model.version import Model


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
    prior_turning: float
    contributions: tuple[Contribution, ...]
    active: float
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
    """Keeps the steps of a fold; a fresh start forgets those before it."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.contributions: list[Contribution] = []
        self.prior = self.last = (0.0, 0.0)
        self.since_ms = self.last_ms = 0

    def note(self, kind: str, at_ms: int, p: Sequence[float], event: Event | None) -> None:
        super().note(kind, at_ms, p, event)
        now = log_odds(p)
        if kind == "start":
            self.contributions = []
            self.prior, self.since_ms = now, at_ms
        else:
            begin = self.last_ms if kind == "silence" else at_ms
            self.contributions.append(
                Contribution(
                    kind, begin, at_ms, event, now[0] - self.last[0], now[1] - self.last[1]
                )
            )
        self.last, self.last_ms = now, at_ms


def state_at(
    events: Sequence[Event], model: Model, at_ms: int, ledger: Ledger = NO_LEDGER
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
            state = fold(state, event, model, ledger=ledger)
    if state is not None:
        elapse(state, at_ms, model, ledger)
    return state


def entered(events: Sequence[Event], model: Model, at_ms: int) -> tuple[int, int, int] | None:
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


def explain(events: Sequence[Event], model: Model, at_ms: int) -> Explanation | None:
    """The whole account of a score at ``at_ms``; None where nothing is scored then.

    Args:
        events: the person's, in canonical order (occurred_ms, event_id).
        model: the version.
        at_ms: past, now or ahead; events after it are left out.
    """
    book = _Book(model)
    state = state_at(events, model, at_ms, book)
    if state is None or state.score is None:
        return None
    active, turning = log_odds(state.score.p)
    return Explanation(
        at_ms=at_ms,
        since_ms=book.since_ms,
        prior_active=book.prior[0],
        prior_turning=book.prior[1],
        contributions=tuple(book.contributions),
        active=active,
        turning=turning,
        latency_state=_latency_state(state.score),
        entered_ms=book.entered_ms(),
    )


def _latency_state(score: Score) -> LatencyState:
    if score.active_ms is not None:
        return "active"
    return "latent_latent" if score.turning_ms is None else "actively_latent"
