"""People who live as a model version says, for thresholds and for tests.

The same seed gives the same people. All of them are made at once, column by column.
"""

from dataclasses import dataclass

import numpy as np

from services.model.fitting.history import (
    CLICKS,
    HIRED,
    ISSUE,
    MAIL_CLICK,
    MAIL_OPEN,
    NOT_CLICKED,
    NOT_OPENED,
    NOTHING,
    Floats,
    Histories,
    Ints,
    Rhythm,
    codes_of,
)
from services.model.parameters import MailRates, Parameters
from services.model.version import STATES, generator

MOVES_MAX = 1_000
"""Moves between states of one person, at most."""


@dataclass(frozen=True, slots=True)
class World:
    """What was seen of people, and what nobody sees."""

    histories: Histories
    """One spell per person, in order."""
    state: Ints
    """(steps,) the state at each step."""
    days_in: Floats
    """(3,) person-days spent in each state."""


@dataclass(frozen=True, slots=True)
class _Stays:
    """Stays of all persons, ordered by person and time."""

    person: Ints
    state: Ints
    begin: Floats
    end: Floats
    last_day: Floats
    """(persons,) until when each is watched."""
    hired: np.ndarray
    """(persons,) whether a hire ended that."""

    def state_at(self, person: Ints, day: Floats) -> Ints:
        """The state of persons at days that they are watched."""
        far = float(self.last_day.max()) + 1
        keys = self.person * far + self.begin
        found: Ints = self.state[np.searchsorted(keys, person * far + day, side="right") - 1]
        return found


@dataclass(frozen=True, slots=True)
class _Acts:
    """Things that happened, in any order."""

    person: Ints
    day: Floats
    code: Ints

    def __add__(self, other: "_Acts") -> "_Acts":
        return _Acts(
            np.concatenate([self.person, other.person]),
            np.concatenate([self.day, other.day]),
            np.concatenate([self.code, other.code]),
        )

    def only(self, wanted: np.ndarray) -> "_Acts":
        return _Acts(self.person[wanted], self.day[wanted], self.code[wanted])


def simulate(version: Parameters, people: int, days: float, rhythm: Rhythm, seed: int) -> World:
    """People from the version's rates, frailty, echo and answers to mail.

    Args:
        version: the numbers.
        people: how many.
        days: how long they are watched; a hire ends that early.
        rhythm: what each gets, at even distances.
        seed: of all chance.
    """
    rng = np.random.default_rng(seed)
    stays = _stays(rng, version, people, days)
    mails = _mails(rng, version.mail, stays, people, rhythm.mails_per_day)
    issues = _mails(rng, version.magazine_issue, stays, people, rhythm.issues_per_day)
    mails += _Acts(issues.person, issues.day, issues.code + ISSUE)
    acts = _own_acts(rng, version, stays, people)
    clicks = mails.only(np.isin(mails.code, CLICKS))
    acts += _called(rng, version, stays, acts + clicks)
    seen = _once_per_session(acts, version.session_minutes / 1_440) + mails
    ends = _Acts(np.arange(people), stays.last_day, np.where(stays.hired, HIRED, NOTHING))
    seen = seen.only(seen.day < stays.last_day[seen.person]) + ends
    order = np.lexsort((seen.day, seen.person))
    histories = Histories(
        np.arange(people),
        np.cumsum(np.bincount(seen.person, minlength=people)),
        seen.day[order],
        seen.code[order].astype(np.int8),
    )
    spent: Floats = np.bincount(stays.state, stays.end - stays.begin, STATES).astype(np.float64)
    return World(histories, stays.state_at(seen.person, seen.day)[order], spent)


def _stays(rng: np.random.Generator, version: Parameters, people: int, days: float) -> _Stays:
    q, hire = generator(version)
    moves = np.hstack([q - np.diag(np.diag(q)), hire[:, None]])
    leaving = moves.sum(axis=1)
    bounds = np.cumsum(moves / leaving[:, None], axis=1)
    person = np.arange(people)
    state = rng.choice(STATES, people, p=np.array(version.start) / sum(version.start))
    now, hired = np.zeros(people), np.zeros(people, dtype=bool)
    rows: list[tuple[Ints, Ints, Floats, Floats]] = []
    last_day = np.full(people, float(days))
    for _ in range(MOVES_MAX):
        end = now + rng.exponential(1 / leaving[state])
        rows.append((person, state, now, np.minimum(end, days)))
        following = (rng.random(len(person))[:, None] > bounds[state]).sum(axis=1)
        following = np.minimum(following, STATES)
        found = (following == STATES) & (end < days)
        hired[person[found]], last_day[person[found]] = True, end[found]
        on = (following < STATES) & (end < days)
        person, state, now = person[on], following[on], end[on]
        if not len(person):
            break
    columns = [np.concatenate(column) for column in zip(*rows, strict=True)]
    order = np.lexsort((columns[2], columns[0]))
    who, what, begin, end = (column[order] for column in columns)
    return _Stays(who, what, begin, end, last_day, hired)


def _mails(
    rng: np.random.Generator, answers: MailRates, stays: _Stays, people: int, per_day: float
) -> _Acts:
    """Answers to mails at an even rhythm, and the closing of their windows."""
    counts = np.floor(stays.last_day * per_day + rng.random(people)).astype(np.int64)
    person = np.repeat(np.arange(people), counts)
    nth = np.arange(len(person)) - np.repeat(np.cumsum(counts) - counts, counts)
    sent = (nth + rng.random(people)[person]) / max(per_day, 1e-9)
    inside = sent < stays.last_day[person]
    person, sent = person[inside], sent[inside]
    state = stays.state_at(person, sent)
    opened = rng.random(len(person)) < np.array(answers.open)[state]
    clicked = opened & (rng.random(len(person)) < np.array(answers.click_given_open)[state])
    window = answers.window_days
    opens = sent + np.minimum(rng.exponential(0.5, len(person)), window * 0.9)
    closes = sent + window
    return (
        _Acts(person[opened], opens[opened], np.full(opened.sum(), MAIL_OPEN))
        + _Acts(person[clicked], opens[clicked] + 1e-4, np.full(clicked.sum(), MAIL_CLICK))
        + _Acts(person[~opened], closes[~opened], np.full((~opened).sum(), NOT_OPENED))
        + _closed_unclicked(person, closes, opened & ~clicked)
    )


def _closed_unclicked(person: Ints, closes: Floats, which: np.ndarray) -> _Acts:
    return _Acts(person[which], closes[which], np.full(which.sum(), NOT_CLICKED))


def _own_acts(rng: np.random.Generator, version: Parameters, stays: _Stays, people: int) -> _Acts:
    shape = version.frailty.shape
    keen = rng.gamma(shape, 1 / shape, people)[stays.person]
    spent = stays.end - stays.begin
    acts = _Acts(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
    for kind, code in codes_of(version).items():
        rate = np.array(version.rates_per_day[kind])[stays.state]
        stay = np.repeat(np.arange(len(spent)), rng.poisson(rate * keen * spent))
        day = stays.begin[stay] + rng.random(len(stay)) * spent[stay]
        acts += _Acts(stays.person[stay], day, np.full(len(stay), code))
    return acts


def _called(rng: np.random.Generator, version: Parameters, stays: _Stays, callers: _Acts) -> _Acts:
    """Visits that visits and clicks in mails called forth, those that these called, and so on."""
    codes = codes_of(version)
    site = np.array([codes[kind] for kind in version.site_kinds])
    rates = np.array([version.rates_per_day[kind] for kind in version.site_kinds])
    bounds = np.cumsum(rates / rates.sum(axis=0), axis=0).T
    echo = version.echo
    generation = callers.only(np.isin(callers.code, [*site.tolist(), *CLICKS]))
    made = _Acts(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
    while len(generation.person):
        caller = np.repeat(
            np.arange(len(generation.person)),
            rng.poisson(echo.visits_per_visit, len(generation.person)),
        )
        person = generation.person[caller]
        day = generation.day[caller] + rng.exponential(echo.time_constant_days, len(caller))
        inside = day < stays.last_day[person]
        person, day = person[inside], day[inside]
        state = stays.state_at(person, day)
        which = (rng.random(len(person))[:, None] > bounds[state]).sum(axis=1)
        generation = _Acts(person, day, site[np.minimum(which, len(site) - 1)])
        made += generation
    return made


def _once_per_session(acts: _Acts, session_days: float) -> _Acts:
    """Without those that had one of their kind shortly before."""
    order = np.lexsort((acts.day, acts.code, acts.person))
    ordered = _Acts(acts.person[order], acts.day[order], acts.code[order])
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (
        (np.diff(ordered.person) != 0)
        | (np.diff(ordered.code) != 0)
        | (np.diff(ordered.day) >= session_days)
    )
    return ordered.only(fresh)
