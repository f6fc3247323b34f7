"""The whole filter again, from the formulas alone: plain matrices, every event kept, no shortcuts.

Nothing of the model's code is used but its parameters as they stand in the data file.
"""

import json
import math
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.linalg import expm

from services.contract.event import Event
from services.model.fold import fold
from tests.unit.model.journeys import MODEL, journeys, quick

DATA = json.loads(files("services.model").joinpath("day_one.json").read_text())
DAY_MS = 86_400_000
NAMES = ("latent_latent", "actively_latent", "active")
RATES = {kind: np.array(rates) for kind, rates in DATA["rates_per_day"].items()}
SITE = sum(RATES[kind] for kind in DATA["site_kinds"])
ANSWERS = {
    sort: {name: np.array(value) for name, value in DATA[sort].items()}
    for sort in ("mail", "magazine_issue")
}
KINDS = {
    "page": "page",
    "read": "page",
    "download": "page",
    "magazine_page": "magazine",
    "play": "podcast",
    "share": "social",
    "vacancy_viewed": "vacancy_view",
    "application_started": "application_start",
    "sign_up": "sign_up",
    "applied": "application",
}


def silence_generator(z: float) -> np.ndarray:
    g = np.zeros((3, 3))
    for i, name in enumerate(NAMES):
        for target, days in DATA["mean_days_until"][name].items():
            g[i, i] -= 1 / days
            if target != "hired":
                g[i, NAMES.index(target)] += 1 / days
        g[i, i] -= z * sum(rates[i] for rates in RATES.values())
    return g


POINTS = DATA["frailty"]["points"]
GENERATORS = [silence_generator(z) for z in POINTS]


class Plain:
    """One person, the slow way."""

    def __init__(self, at_ms: int) -> None:
        self.p = np.tile(np.array(DATA["start"]) / 5, (5, 1))
        self.at_ms = at_ms
        self.calls: list[int] = []
        self.seen: dict[str, int] = {}
        self.mails: dict[str, dict] = {}
        self.off: set[str] = set()

    def wait(self, to_ms: int) -> None:
        due = sorted(
            (mail["close"], name)
            for name, mail in self.mails.items()
            if not mail["closed"] and mail["close"] <= to_ms
        )
        for close, name in due:
            self._silence(close)
            mail = self.mails[name]
            mail["closed"] = True
            if mail["sort"] in self.off or mail["clicked"]:
                continue
            opened, clicked = (ANSWERS[mail["sort"]][x] for x in ("open", "click_given_open"))
            if mail["opened"]:
                self._bayes(1 - clicked)
            elif mail["machine"]:
                self._bayes(1 - opened * clicked)
            else:
                self._bayes(1 - opened)
        self._silence(to_ms)

    def _silence(self, to_ms: int) -> None:
        days = (to_ms - self.at_ms) / DAY_MS
        self.p = np.array([row @ expm(g * days) for row, g in zip(self.p, GENERATORS, strict=True)])
        self.p /= self.p.sum()
        self.at_ms = to_ms

    def _bayes(self, factor: np.ndarray) -> None:
        self.p = self.p * factor
        self.p /= self.p.sum()

    def hear(self, event: Event, *, same_click: bool) -> None:
        mail = self.mails.get(event.message_id)
        if event.machine.p >= 0.5:
            if event.type == "open" and mail and not mail["closed"]:
                mail["machine"] = True
        elif not same_click:
            self._hear_person(event, mail)

    def _hear_person(self, event: Event, mail: dict | None) -> None:
        sort = "magazine_issue" if event.channel == "magazine" else "mail"
        if event.type == "unsubscribe":
            if sort not in self.off:
                self._bayes(ANSWERS[sort]["unsubscribe"])
            self.off.add(sort)
        elif event.type == "bounce":
            self.off.add(sort)
        elif event.type == "magazine_page":
            self._magazine()
        elif event.message_id and not (mail and mail["closed"]):
            self._mail(event)
        elif event.type == "click":
            self._visit("vacancy_click" if event.content_type == "vacancy" else "page")
        elif event.type in KINDS:
            self._visit(KINDS[event.type])

    def _magazine(self) -> None:
        burst = self.at_ms - self.seen.get("magazine", -(10**15)) < DATA["session_minutes"] * 60_000
        unread = [
            mail
            for mail in self.mails.values()
            if mail["sort"] == "magazine_issue" and not mail["closed"] and not mail["opened"]
        ]
        if burst or not unread:
            self._visit("magazine")
            return
        self.seen["magazine"] = self.at_ms
        self._open(unread[-1])

    def _mail(self, event: Event) -> None:
        sort = "magazine_issue" if event.channel == "magazine" else "mail"
        close = event.occurred_ms + round(DATA[sort]["window_days"] * DAY_MS)
        new = {"close": close, "closed": False, "opened": False, "clicked": False, "machine": False}
        mail = self.mails.setdefault(event.message_id, new | {"sort": sort})
        if event.type in {"open", "click"} and not mail["opened"]:
            self._open(mail)
        if event.type == "click" and not mail["clicked"]:
            mail["clicked"] = True
            self._bayes(ANSWERS[mail["sort"]]["click_given_open"])
            self.calls.append(event.occurred_ms)

    def _open(self, mail: dict) -> None:
        mail["opened"] = True
        self._bayes(ANSWERS[mail["sort"]]["open"])

    def _visit(self, kind: str) -> None:
        at = self.at_ms
        before = self.seen.get(kind)
        self.seen[kind] = at
        if before is not None and at - before < DATA["session_minutes"] * 60_000:
            return
        factor = np.array([z * RATES[kind] for z in POINTS])
        if kind in DATA["site_kinds"]:
            n, tau = DATA["echo"]["visits_per_visit"], DATA["echo"]["time_constant_days"]
            level = sum(n / tau * math.exp(-(at - t) / DAY_MS / tau) for t in self.calls)
            factor = factor * (1 + level / np.array([z * SITE for z in POINTS]))
            self.calls.append(at)
        self._bayes(factor)


def plainly(events: list[Event]) -> Plain | None:
    """None where nothing is scored after them."""
    person: Plain | None = None
    clicks: set[str] = set()
    for event in events:
        if person:
            person.wait(event.occurred_ms)
        is_heard = event.server_only or event.type == "consent_changed"
        if event.consent.profile is False and is_heard:
            person = None
        elif event.consent.profile and person is None:
            person = Plain(event.occurred_ms)
        same_click = event.click_id in clicks
        if event.machine.p < 0.5 and event.click_id:
            clicks.add(event.click_id)
        if person and event.consent.profile is not False:
            person.hear(event, same_click=same_click)
    return person


@settings(quick, max_examples=25)
@given(journeys(least=8))
def test_the_fold_is_the_formulas(events):
    state = None
    for event in events:
        state = fold(state, event, MODEL)
    person = plainly(events)
    assert (state.score is None) == (person is None)
    if person is not None:
        assert np.array(state.score.p) == pytest.approx(person.p.ravel(), abs=1e-10)
