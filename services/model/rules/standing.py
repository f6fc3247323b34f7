"""Conditions about where somebody is: phase, time in it, latency state, probabilities."""

from functools import cached_property
from typing import ClassVar, Literal

from pydantic import ConfigDict, Field, model_validator

from services.contract.phases import LatencyState, Phase
from services.model.rules.condition import (
    Condition,
    Subject,
    Verdict,
    as_long_as_same,
    days_since,
)

NAMES_MAX = 100


class PhaseIs(Condition):
    """The person is in one of these phases."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "phase", "any_of": ["think", "do"]}]}
    )
    steps: ClassVar[bool] = True
    touching: ClassVar[frozenset[str] | None] = frozenset()
    type: Literal["phase"]
    any_of: tuple[Phase, ...] = Field(min_length=1, max_length=NAMES_MAX, strict=False)

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`."""

        def asked(moment_ms: int) -> Verdict:
            phase, until_ms = subject.phase_at(moment_ms)
            return phase in self.any_of, until_ms

        return as_long_as_same(asked, at_ms)


class TimeInPhase(Condition):
    """The person is in one of these phases, and has been in it for so long without a break."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"type": "time_in_phase", "any_of": ["think"], "at_least_days": 30}]
        }
    )
    steps: ClassVar[bool] = True
    touching: ClassVar[frozenset[str] | None] = frozenset()
    type: Literal["time_in_phase"]
    any_of: tuple[Phase, ...] = Field(min_length=1, max_length=NAMES_MAX, strict=False)
    at_least_days: int | None = Field(default=None, ge=1, le=3650)
    less_than_days: int | None = Field(default=None, ge=1, le=3650)

    @model_validator(mode="after")
    def _bounds(self) -> "TimeInPhase":
        check_span(self.at_least_days, self.less_than_days, "days")
        return self

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`."""

        def asked(moment_ms: int) -> Verdict:
            phase, changes_ms = subject.phase_at(moment_ms)
            if phase not in self.any_of:
                return False, changes_ms
            span = self.at_least_days, self.less_than_days
            truth, until_ms = days_since(subject.phase_since(moment_ms), moment_ms, *span)
            ends = [end_ms for end_ms in (until_ms, changes_ms) if end_ms is not None]
            return truth, min(ends, default=None)

        return as_long_as_same(asked, at_ms)


class LatencyStateIs(Condition):
    """The person is in one of these latency states."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"type": "latency_state", "any_of": ["actively_latent", "active"]}]
        }
    )
    steps: ClassVar[bool] = True
    touching: ClassVar[frozenset[str] | None] = frozenset()
    type: Literal["latency_state"]
    any_of: tuple[LatencyState, ...] = Field(min_length=1, max_length=NAMES_MAX, strict=False)

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`."""

        def asked(moment_ms: int) -> Verdict:
            state, until_ms = subject.latency_state_at(moment_ms)
            return state in self.any_of, until_ms

        return as_long_as_same(asked, at_ms)


class Probability(Condition):
    """An estimated probability is at least, or below, a value.

    ``openness`` is 1 − latency: not latent-latent; the others are the three states.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "probability", "of": "openness", "at_least": 0.5}]}
    )
    touching: ClassVar[frozenset[str] | None] = frozenset()
    type: Literal["probability"]
    of: Literal["openness", "latent_latent", "actively_latent", "active"]
    at_least: float | None = Field(default=None, gt=0, lt=1)
    below: float | None = Field(default=None, gt=0, lt=1)

    @model_validator(mode="after")
    def _one_bound(self) -> "Probability":
        if (self.at_least is None) == (self.below is None):
            raise ValueError("give either at_least or below")
        return self

    @cached_property
    def bound(self) -> float:
        """The value that it is compared with."""
        bound = self.at_least if self.at_least is not None else self.below
        assert bound is not None  # noqa: S101  the validator holds it
        return bound

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`. Who is not scored has no probability: neither of the two."""
        found = subject.probability_at_least(self.of, self.bound, at_ms)
        if found is None:
            return False, None
        truth, until_ms = found
        return truth is (self.at_least is not None), until_ms


def check_span(at_least: int | None, less_than: int | None, unit: str) -> None:
    """Hold that a span of days can be true of something.

    Args:
        at_least: its first day; None: it has none.
        less_than: the day that it ends before; None: it has none.
        unit: what the names of both fields end with.

    Raises:
        ValueError: it has no bound, or ends before it begins.
    """
    if at_least is None and less_than is None:
        raise ValueError(f"give at_least_{unit}, less_than_{unit} or both")
    if at_least is not None and less_than is not None and less_than <= at_least:
        raise ValueError(f"less_than_{unit} must be more than at_least_{unit}")
