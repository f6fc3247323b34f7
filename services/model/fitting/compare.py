"""Before and after, on held-out people, and whether the fitted version may be written.

A fit without labels easily turns "active" into "busy": whoever does much of anything explains the
events well. The prior holds it, and looks afterwards. Within *active*, acts on vacancies and
applications must keep their share of all acts. Among held-out people who did about as much as each
other, P(active) must tell who applies or is hired as well as before; and it must resemble plain
activity hardly more than it did.
"""

from dataclasses import dataclass, replace
from math import log

import numpy as np

from services.model.fitting.alarms import Manner
from services.model.fitting.each import Each
from services.model.fitting.history import MAIL_CLICK, MAIL_OPEN, codes_of
from services.model.fitting.judge import Judged, Watched, calibration, judge
from services.model.fitting.ranks import auc, auc_among_alike, auc_gain, rank_correlation
from services.model.fitting.scores import AHEAD_DAYS, Score, Scored, points, score
from services.model.fitting.thresholds import YEAR_DAYS, manner_of
from services.model.parameters import Parameters

OUTCOMES_MIN = 20
"""With fewer applications and hires among the held-out nothing is said by them."""
SHARE_KEPT_MIN = 0.6
"""Of the share that looking for a job has among the acts of somebody active."""
LIKER_MAX = 0.10
"""By so much may P(active) become more like plain activity (rank correlation)."""
ALIKE_FALL_MAX = 0.02
"""By so much may P(active) rank people worse who are alike in activity (AUC)."""
CALIBRATION_SLACK = 0.10
"""By so much (log of expected over observed) may calibration be worse by chance."""
HALF_LIVES = (3.0, 7.0, 14.0, 30.0, 60.0)
LOOKING = ("vacancy_view", "vacancy_click", "application_start", "application")
_P_BOUNDS = (0.002, 0.998)
_POINT_EVENTS = {
    "page": "page",
    "magazine": "magazine_page",
    "social": "share",
    "podcast": "play",
    "vacancy_view": "vacancy_viewed",
    "vacancy_click": "click",
    "sign_up": "sign_up",
    "application_start": "application_started",
    "application": "applied",
}


@dataclass(frozen=True, slots=True)
class Side:
    """One version on held-out people."""

    log_likelihood_per_year: float
    """Nats per person-year."""
    expected: float
    observed: float
    calibration_error: float
    """Of applications and hires within four weeks, see ``judge.calibration``."""
    judged: Judged
    auc: float
    """How well its own chances of an application or a hire rank who does or is."""
    auc_among_alike: float
    """How well P(active) ranks them among people of like activity."""
    looking_share: float
    """Of what somebody active does of their own accord, the share that is about vacancies."""
    like_activity: float
    """Rank correlation of P(active) with plain activity."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions beside decayed points and plain activity."""

    people: int
    person_years: float
    outcomes: int
    before: Side
    after: Side
    gain_per_person: float
    """Nats of log-likelihood by which the fitted version is better, per spell."""
    gain_error: float
    """Its standard error."""
    auc_gain: tuple[float, float]
    """95 % interval of what ``Side.auc`` gained."""
    points: Judged
    points_half_life_days: float
    """The one of HALF_LIVES that ranked the people best that the version was fitted on."""
    activity_auc: float
    worse: tuple[str, ...]
    """Why the fitted version must not be used; none: it may be."""


def compare(
    before: Parameters,
    after: Parameters,
    held_out: Watched,
    fitted_on: Watched,
    each: Each,
    seed: int,
) -> Comparison:
    """Judge both versions on people that neither was fitted on."""
    histories, packed, marks = held_out.histories, held_out.packed, held_out.is_mark
    one = score(histories, packed, before, each)
    other = score(histories, packed, after, each)
    activity = points(histories, packed, _equal(before), AHEAD_DAYS)
    life = best_half_life(fitted_on, before)
    decayed = points(histories, packed, _weights(before), life)
    gain = other.log_likelihood - one.log_likelihood
    owner = histories.person[histories.spell_of][marks]
    interval = auc_gain(
        one.outcome[marks], other.outcome[marks], held_out.follows[marks], owner, seed
    )
    comparison = Comparison(
        people=len(np.unique(histories.person)),
        person_years=float(histories.spell_days.sum()) / YEAR_DAYS,
        outcomes=held_out.outcomes,
        before=_side(before, one, held_out, activity),
        after=_side(after, other, held_out, activity),
        gain_per_person=float(gain.mean()),
        gain_error=float(gain.std() / np.sqrt(max(len(gain), 1))),
        auc_gain=interval,
        points=judge(held_out, decayed, Manner(0.5, before.signals.stay_days), (0.5, 300.0)),
        points_half_life_days=life,
        activity_auc=auc(activity.after[marks], held_out.follows[marks]),
        worse=(),
    )
    return replace(comparison, worse=tuple(_worse(comparison)))


def best_half_life(watched: Watched, version: Parameters) -> float:
    """Which half-life ranks those best who apply or are hired."""
    marks = watched.is_mark
    weights = _weights(version)

    def worth(life: float) -> float:
        found = points(watched.histories, watched.packed, weights, life)
        return auc(found.after[marks], watched.follows[marks])

    return max(HALF_LIVES, key=worth)


def looking_share(version: Parameters) -> float:
    """Of what somebody active does of their own accord, the share that is about vacancies."""
    of_active = {kind: rates[2] for kind, rates in version.rates_per_day.items()}
    return sum(of_active[kind] for kind in LOOKING) / sum(of_active.values())


def _side(version: Parameters, scored: Scored, watched: Watched, activity: Score) -> Side:
    expected, observed, error = calibration(watched, scored.outcome)
    years = float(watched.histories.spell_days.sum()) / YEAR_DAYS
    marks = watched.is_mark
    active, alike, follows = (
        scored.active.after[marks],
        activity.after[marks],
        watched.follows[marks],
    )
    return Side(
        log_likelihood_per_year=float(scored.log_likelihood.sum()) / years,
        expected=expected,
        observed=observed,
        calibration_error=error,
        judged=judge(watched, scored.active, manner_of(version, "active"), _P_BOUNDS),
        auc=auc(scored.outcome[marks], follows),
        auc_among_alike=auc_among_alike(active, follows, alike),
        looking_share=looking_share(version),
        like_activity=rank_correlation(active, alike),
    )


def _worse(c: Comparison) -> list[str]:
    b, a = c.before, c.after
    found = []
    if c.gain_per_person < 0:
        found.append("it explains what held-out people did less well than the version before")
    if a.looking_share < b.looking_share * SHARE_KEPT_MIN:
        found.append(
            "active would turn into busy: of what somebody active does, the share about vacancies "
            f"falls from {b.looking_share:.0%} to {a.looking_share:.0%}"
        )
    if a.like_activity > b.like_activity + LIKER_MAX:
        found.append(
            "active would turn into busy: P(active) comes to follow plain activity "
            f"(rank correlation {b.like_activity:.2f} before, {a.like_activity:.2f} after)"
        )
    return found + (_worse_by_outcomes(c) if c.outcomes >= OUTCOMES_MIN else [])


def _worse_by_outcomes(c: Comparison) -> list[str]:
    b, a = c.before, c.after
    found = []
    if c.auc_gain[1] < 0:
        found.append("it ranks those who apply or are hired lower than the version before")
    if a.auc_among_alike < b.auc_among_alike - ALIKE_FALL_MAX:
        found.append(
            "active would turn into busy: among people of like activity, P(active) tells less well "
            f"who applies or is hired (AUC {b.auc_among_alike:.3f} before, "
            f"{a.auc_among_alike:.3f} after)"
        )
    if _off(a) > _off(b) + CALIBRATION_SLACK:
        found.append(
            "its expectation of applications and hires is farther from what came: "
            f"{a.expected:.2%} against {a.observed:.2%} (before: {b.expected:.2%})"
        )
    return found


def _off(side: Side) -> float:
    return abs(log(max(side.expected, 1e-9) / max(side.observed, 1e-9)))


def _weights(version: Parameters) -> dict[int, float]:
    """Decayed points by the weights of engagement."""
    worth: dict[str, float] = {str(k): v for k, v in version.engagement.weights.items()}
    codes = codes_of(version)
    found = {codes[kind]: worth.get(event, 0.0) for kind, event in _POINT_EVENTS.items()}
    return found | {MAIL_OPEN: worth.get("open", 0.0), MAIL_CLICK: worth.get("click", 0.0)}


def _equal(version: Parameters) -> dict[int, float]:
    return dict.fromkeys([*codes_of(version).values(), MAIL_OPEN, MAIL_CLICK], 1.0)
