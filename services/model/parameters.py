"""The numbers of a model version as they stand in data, and what must hold of them.

Every number is explained in ``docs/model.md``. A version never changes: other numbers are another
version, under another name.
"""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from services.contract.event import EventType

KINDS = (
    "page",
    "magazine",
    "social",
    "podcast",
    "vacancy_view",
    "vacancy_click",
    "sign_up",
    "application_start",
    "application",
)
"""What somebody does of their own accord, as evidence: each has a rate per state."""

Positive = Annotated[float, msgspec.Meta(gt=0)]
Chance = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Three = tuple[float, float, float]
"""One number per state: latent-latent, actively latent, active."""
Rates = tuple[Positive, Positive, Positive]
Chances = tuple[Chance, Chance, Chance]

_ROUNDING = 1e-6


class VersionError(ValueError):
    """A version's data are not what they must be; the message says where and why."""


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Part of a version: immutable, and nothing in it goes unread."""


class Frailty(_Section, frozen=True):
    """Gamma(mean 1, ``shape``) as five points of equal mass, each the mean of its fifth."""

    shape: Positive
    points: tuple[Positive, Positive, Positive, Positive, Positive]


class MailRates(_Section, frozen=True):
    """How a mail, or an issue, is answered per state, until ``window_days`` after sending."""

    open: Chances
    click_given_open: Chances
    unsubscribe: Rates
    window_days: Positive


class Echo(_Section, frozen=True):
    """A visit calls further visits, whatever the state."""

    visits_per_visit: Annotated[float, msgspec.Meta(ge=0, lt=1)]
    time_constant_days: Positive


class Hysteresis(_Section, frozen=True):
    """A signal goes on at ``enter`` and off below ``leave`` (probabilities)."""

    enter: Chance
    leave: Chance


class Signals(_Section, frozen=True):
    """The two signals, and how long each stays on at least."""

    turning: Hysteresis
    active: Hysteresis
    stay_days: Annotated[float, msgspec.Meta(ge=0)]


class Engagement(_Section, frozen=True):
    """Weights per event type, forgotten by half every ``half_life_days``."""

    half_life_days: Positive
    weights: dict[EventType, Positive]
    against: dict[EventType, Positive]
    """Likewise of what speaks against somebody's interest; kept apart."""
    unopened: Annotated[float, msgspec.Meta(ge=0)]
    """Against, for every mail or issue left unopened."""


class Telling(_Section, frozen=True):
    """How many answers per state what is usual counts for, where rates are measured."""

    kind_worth: Positive
    item_worth: Positive


class Parameters(_Section, frozen=True):
    """A model version as it stands in data; see ``day_one.json``."""

    version: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    about: str
    start: Chances
    mean_days_until: dict[str, dict[str, Positive]]
    frailty: Frailty
    rates_per_day: dict[str, Rates]
    site_kinds: tuple[str, ...]
    mail: MailRates
    magazine_issue: MailRates
    echo: Echo
    session_minutes: Positive
    signals: Signals
    milestone_days: dict[EventType, Positive]
    engagement: Engagement
    telling: Telling


def _completed(data: Any) -> Any:
    """A version's data with what was added to the schema since it was written.

    What is added to it has its place here, and stands for what such a version did without it: so
    every version that was ever stored can be read and scores as it did.
    """
    if not isinstance(data, dict):
        return data
    added: dict[str, Any] = {"telling": {"kind_worth": 200, "item_worth": 50}}
    if "mail" in data:  # an issue of the magazine was a mail like all others
        added["magazine_issue"] = data["mail"]
    engagement = data.get("engagement")
    if isinstance(engagement, dict):  # nothing spoke against anybody
        data = {**data, "engagement": {"against": {}, "unopened": 0, **engagement}}
    return {**added, **data}


def read(data: bytes) -> Parameters:
    """A version from its JSON.

    Raises:
        VersionError: something is missing, unknown, of the wrong form or out of bounds, or the
            numbers contradict each other.
    """
    try:
        parameters = msgspec.convert(_completed(msgspec.json.decode(data)), Parameters)
    except msgspec.DecodeError as error:
        raise VersionError(f"not a model version: {error}") from None
    check(parameters)
    return parameters


def check(parameters: Parameters) -> None:
    """Whether numbers that are each in bounds also fit together.

    Raises:
        VersionError: they do not; it names everything that is wrong.
    """
    wrong = list(_contradictions(parameters))
    if wrong:
        raise VersionError(f"version {parameters.version}: " + "; ".join(wrong))


def _contradictions(parameters: Parameters) -> Iterator[str]:
    if abs(sum(parameters.start) - 1) > _ROUNDING:
        yield f"start adds up to {sum(parameters.start):g}, not to 1"
    yield from _moves(parameters)
    points = parameters.frailty.points
    if abs(sum(points) / len(points) - 1) > _ROUNDING:
        yield f"the mean of frailty.points is {sum(points) / len(points):g}, not 1"
    if list(points) != sorted(points):
        yield "frailty.points do not ascend"
    yield from _differences("rates_per_day", set(parameters.rates_per_day), set(KINDS))
    for kind in parameters.site_kinds:
        if kind not in KINDS:
            yield f"site_kinds has {kind}, which is no kind"
    for name in ("turning", "active"):
        bounds: Hysteresis = getattr(parameters.signals, name)
        if bounds.leave > bounds.enter:
            yield f"signals.{name} is left above where it is entered"


def _moves(parameters: Parameters) -> Iterator[str]:
    states: set[str] = {"latent_latent", "actively_latent", "active"}
    yield from _differences("mean_days_until", set(parameters.mean_days_until), states)
    for state, targets in parameters.mean_days_until.items():
        for target in targets:
            if target not in states - {state} | {"hired"}:
                yield f"mean_days_until.{state} has {target}, to which nobody moves from there"


def _differences(where: str, found: set[str], wanted: set[str]) -> Iterator[str]:
    for name in sorted(wanted - found):
        yield f"{where} lacks {name}"
    for name in sorted(found - wanted):
        yield f"{where} has {name}, which is unknown"
