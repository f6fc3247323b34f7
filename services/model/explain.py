"""Why somebody stands where they stand: every step of the fold, in log-odds.

Each step moved the log-odds of being *active*, and of *turning* (actively latent or active), by
the difference between after and before. So the contributions telescope: prior + their sum is
the score, to rounding (within 1e-9).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.contract.event import Event
from services.model.filter import log_odds
from services.model.fold import elapse, fold
from services.model.state import PersonState
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


class _Book:
    """Keeps the steps of a fold; a fresh start forgets those before it."""

    def __init__(self) -> None:
        self.contributions: list[Contribution] = []
        self.prior = self.last = (0.0, 0.0)
        self.since_ms = self.last_ms = 0

    def note(self, kind: str, at_ms: int, p: Sequence[float], event: Event | None) -> None:
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


def state_at(events: Sequence[Event], model: Model, at_ms: int) -> PersonState | None:
    """The state at a moment between events: folded up to it, silence included.

    Args:
        events: the person's, in canonical order; those after ``at_ms`` are left out.
        model: the version.
        at_ms: the moment; None comes back where it lies before the first event.
    """
    state: PersonState | None = None
    for event in events:
        if event.occurred_ms <= at_ms:
            state = fold(state, event, model)
    if state is not None:
        elapse(state, at_ms, model)
    return state


def explain(events: Sequence[Event], model: Model, at_ms: int) -> Explanation | None:
    """The whole account of a score at ``at_ms``; None where nothing is scored then.

    Args:
        events: the person's, in canonical order (occurred_ms, event_id).
        model: the version.
        at_ms: past, now or ahead; events after it are left out.
    """
    book = _Book()
    state: PersonState | None = None
    for event in events:
        if event.occurred_ms <= at_ms:
            state = fold(state, event, model, ledger=book)
    if state is None or state.score is None:
        return None
    elapse(state, at_ms, model, book)
    active, turning = log_odds(state.score.p)
    return Explanation(
        at_ms=at_ms,
        since_ms=book.since_ms,
        prior_active=book.prior[0],
        prior_turning=book.prior[1],
        contributions=tuple(book.contributions),
        active=active,
        turning=turning,
    )
