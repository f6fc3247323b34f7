"""What happens to a person if nothing happens: the path ahead of the last event.

Silence moves the probabilities along smooth curves; the closing of a mail's window moves them at
once, at a moment known in advance. So the path is a few stretches, and everything about the
future (and every moment between two events) is read off it.
"""

from bisect import bisect_right

from services.contract.phases import HORIZON_MS, LatencyState, Phase
from services.model.course import Course
from services.model.filter import Probabilities, states, weigh
from services.model.parameters import Three
from services.model.rules.memory import phase_since
from services.model.state import Mail, PersonState, Score
from services.model.steps import Steps, Switch, latency_steps, phase_steps, step_at
from services.model.stretch import Stretch
from services.model.threshold import threshold, thresholds
from services.model.turns import Turns, all_turns, index_at, next_turn, sides
from services.model.version import Model


def closing(mail: Mail, score: Score, model: Model) -> Three | None:
    """What the end of a mail's window says, per state; None: nothing."""
    rates = model.answers(mail)
    if mail.clicked or (score.issue_off if mail.issue else score.mail_off):
        return None
    opened, clicked = rates.open, rates.click_given_open
    if mail.opened:
        return (1 - clicked[0], 1 - clicked[1], 1 - clicked[2])
    if mail.by_machine:
        return (
            1 - opened[0] * clicked[0],
            1 - opened[1] * clicked[1],
            1 - opened[2] * clicked[2],
        )
    return (1 - opened[0], 1 - opened[1], 1 - opened[2])


class Path:
    """A person from the last event on; a :class:`services.model.rules.Subject`.

    Args:
        state: after the last event; it is not changed.
        model: the version that made it.
        until_ms: how far to look; never beyond the horizon, so that what was foretold is what
            comes, however late the next event.
        course: the phases and latency states, where they are known already; no signal is then
            said to go on or off.
    """

    def __init__(
        self,
        state: PersonState,
        model: Model,
        until_ms: int | None = None,
        course: Course | None = None,
    ) -> None:
        self._state = state
        self._model = model
        self.scored = state.score is not None
        """Whether there is consent to profile, and no hire."""
        horizon_ms = state.at_ms + HORIZON_MS
        self.end_ms = horizon_ms if until_ms is None else min(until_ms, horizon_ms)
        self.answers: dict[tuple[object, int], tuple[bool, int | None]] = {}
        """See ``Subject``."""
        self._stretches: list[Stretch] | None = None
        self._latency: Steps[LatencyState | None] | None = None
        self._phase: Steps[Phase | None] | None = None
        self._turns: dict[tuple[str, float], Turns] = {}
        self._switches: list[Switch] | None = None
        if course is not None:
            self._switches = []
            self._latency = course.latency_states(state.at_ms, self.end_ms)
            self._phase = course.phases(state.at_ms, self.end_ms)

    @property
    def state(self) -> PersonState:
        """After the last event."""
        return self._state

    @property
    def model(self) -> Model:
        """The version that made it."""
        return self._model

    @property
    def is_calm(self) -> bool:
        """Whether it is plain without following it that the latency state stays latent-latent.

        And the phase See: false where it takes a closer look.
        """
        score = self._state.score
        if score is None or score.milestone_until_ms > self._state.at_ms:
            return False
        return self._both_stay_off(score)

    # Made when first asked for; cached_property takes a lock in Python 3.11.

    @property
    def stretches(self) -> list[Stretch]:
        """The silences between what is known to come; none where nothing is scored."""
        if self._stretches is None:
            score = self._state.score
            self._stretches = _stretches(score, self._model, self.end_ms) if score else []
        return self._stretches

    @property
    def switches(self) -> list[Switch]:
        """When the two signals go on and off ahead, in order."""
        if self._switches is None:
            self._switches = self._all_switches()
        return self._switches

    @property
    def latency(self) -> "Steps[LatencyState | None]":
        """The latency state (None: not scored) from the last event on."""
        if self._latency is None:
            self._latency = latency_steps(self._state, self.switches)
        return self._latency

    @property
    def phase(self) -> "Steps[Phase | None]":
        """The phase (None: not scored), likewise."""
        if self._phase is None:
            self._phase = phase_steps(self._state, self.latency)
        return self._phase

    def probabilities_at(self, at_ms: int) -> Probabilities:
        """The 15 probabilities at a moment from the last event on."""
        return self.stretches[self._index(at_ms)].at(at_ms)

    def states_at(self, at_ms: int) -> Three:
        """P(latent-latent), P(actively latent), P(active) at a moment from the last event on."""
        return states(self.probabilities_at(at_ms))

    def probability_at_least(
        self, of: str, theta: float, at_ms: int, *, guess: bool | None = None
    ) -> tuple[bool, int | None] | None:
        """Whether P(``of``) ≥ ``theta``, and when that next changes; None: not scored.

        ``guess`` is for who asks once: it saves work where it is right, and changes no answer.
        None: who asks goes on from change to change, and all are found at once.
        """
        if not self.stretches:
            return None
        if guess is not None or at_ms >= self.end_ms:
            t = threshold(self._model, of, theta)
            return next_turn(self.stretches, self.end_ms, t, at_ms, guess=guess)
        turns = self._turns.get((of, theta))
        if turns is None:
            bounds = (threshold(self._model, of, theta),)
            turns = self._turns[of, theta] = all_turns(self.stretches, self.end_ms, bounds)[0]
        truth, moments_ms = turns
        done = bisect_right(moments_ms, at_ms)
        until_ms = moments_ms[done] if done < len(moments_ms) else None
        return truth if done % 2 == 0 else not truth, until_ms

    def sides(self, of: str, thetas: tuple[float, ...]) -> tuple[int, int]:
        """Which bounds P(``of``) surely keeps to one side of, all the way; others are followed.

        Args:
            of: a key of ``threshold.STATES_OF``.
            thetas: ascending.

        Returns:
            (low, high): at least all of ``thetas[:low]``, below all of ``thetas[high:]``.
            Where nothing is scored: (0, 0).
        """
        if not self.stretches:
            return 0, 0
        bounds = thresholds(self._model, of, thetas)
        low, high = sides(self.stretches, self.end_ms, bounds)
        for theta in thetas[:low]:
            self._turns[of, theta] = True, []
        for theta in thetas[high:]:
            self._turns[of, theta] = False, []
        if low < high:
            found = all_turns(self.stretches, self.end_ms, bounds[low:high])
            for theta, turns in zip(thetas[low:high], found, strict=True):
                self._turns[of, theta] = turns
        return low, high

    def _all_switches(self) -> list[Switch]:
        score = self._state.score
        if score is None or self._both_stay_off(score):
            return []
        found = self._switches_of("turning", "openness", score.turning_ms)
        found += self._switches_of("active", "active", score.active_ms)
        return sorted(found)

    def _both_stay_off(self, score: Score) -> bool:
        """Whether that is plain without following the path.

        Mails left unanswered on the way change nothing about it where that speaks the less for a
        state the nearer it is to active: from then on, f (see ``threshold``) is at most what it
        would be without them, but for a factor above 0.
        """
        model, signals = self._model, self._model.parameters.signals
        if score.turning_ms is not None or score.active_ms is not None:
            return False
        if score.mails and not model.silence_cools:
            return False
        # Nobody is likelier active than open.
        enter = min(signals.turning.enter, signals.active.enter)
        t = threshold(model, "openness", enter)
        return t.surely(score.p, 0, self.end_ms - score.at_ms, truth=False)

    def _switches_of(self, signal: str, of: str, since_ms: int | None) -> list[Switch]:
        bounds = getattr(self._model.parameters.signals, signal)
        at = self._state.at_ms
        found: list[Switch] = []
        while True:
            on = since_ms is not None
            # While a signal must stay on, what happens to the probability does not matter.
            look = at if since_ms is None else max(at, since_ms + self._model.stay_ms)
            if look >= self.end_ms:
                return found
            theta = bounds.leave if on else bounds.enter
            truth, until = self.probability_at_least(of, theta, look, guess=on) or (False, None)
            at = look
            if truth is on:
                if until is None:
                    return found
                at = until
            since_ms = None if on else at
            found.append(Switch(at, signal, not on))

    def latency_state_at(self, at_ms: int) -> tuple[LatencyState | None, int | None]:
        """The latency state (None: not scored) and when it next changes."""
        return step_at(self.latency, at_ms)

    def phase_at(self, at_ms: int) -> tuple[Phase | None, int | None]:
        """The phase (None: not scored) and when it next changes."""
        return step_at(self.phase, at_ms)

    def phase_since(self, at_ms: int) -> int:
        """When the phase that holds at a moment began, where the fold was asked to keep that."""
        steps = self.phase
        begun_ms = max((at for at, _ in steps[1:] if at <= at_ms), default=None)
        return phase_since(self._state, steps[0][1]) if begun_ms is None else begun_ms

    def _index(self, at_ms: int) -> int:
        """Which stretch a moment is in."""
        return index_at(self.stretches, at_ms)


def _stretches(score: Score, model: Model, end_ms: int) -> list[Stretch]:
    stretches = [Stretch(score.at_ms, score.p, None, model)]
    for mail in sorted(score.mails, key=lambda mail: (mail.close_ms, mail.message_id)):
        if mail.close_ms > end_ms:
            break
        factor = closing(mail, score, model)
        if factor is not None:
            p = weigh(stretches[-1].at(mail.close_ms), factor)
            stretches.append(Stretch(mail.close_ms, p, mail, model))
    return stretches
