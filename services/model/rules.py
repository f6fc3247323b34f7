"""Segment rules: a closed, typed tree, and when its answer may next change.

``evaluate`` is pure. Its second answer, ``until_ms``, is a promise: if nothing more happens to
the person, the truth stays as it is before that moment. So exits are known ahead and nothing is
recomputed by the clock.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from services.contract.event import MACHINE_THRESHOLD, Channel, Event, EventType
from services.contract.phases import DAY_MS, LatencyState, Phase

DEPTH_MAX = 8
CONDITIONS_MAX = 64
COUNT_MAX = 100

Scalar = (
    Annotated[str, Field(max_length=500)]
    | bool
    | Annotated[int, Field(ge=-(2**53), le=2**53)]
    | Annotated[float, Field(allow_inf_nan=False)]
)
Verdict = tuple[bool, int | None]
"""(truth, until_ms); ``until_ms`` None: nothing changes within the horizon."""


class _Condition(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PhaseIs(_Condition):
    """The person is in one of these phases."""

    type: Literal["phase"]
    any_of: tuple[Phase, ...] = Field(min_length=1, strict=False)


class LatencyStateIs(_Condition):
    """The person is in one of these latency states."""

    type: Literal["latency_state"]
    any_of: tuple[LatencyState, ...] = Field(min_length=1, strict=False)


class Probability(_Condition):
    """An estimated probability is at least, or below, a value.

    ``openness`` is 1 − latency: not latent-latent; the others are the three states.
    """

    type: Literal["probability"]
    of: Literal["openness", "latent_latent", "actively_latent", "active"]
    at_least: float | None = Field(default=None, gt=0, lt=1)
    below: float | None = Field(default=None, gt=0, lt=1)

    @model_validator(mode="after")
    def _one_bound(self) -> "Probability":
        if (self.at_least is None) == (self.below is None):
            raise ValueError("give either at_least or below")
        return self


class Attribute(_Condition):
    """Something that was told about the person: by ``identify``, an import or the API.

    Text is compared without regard to case. ``less`` and ``greater`` compare numbers with
    numbers and text (dates as 2026-11-22 among them) with text; other pairs are not true.
    """

    type: Literal["attribute"]
    name: str = Field(min_length=1, max_length=100)
    op: Literal["is", "is_not", "any_of", "contains", "less", "greater", "known", "unknown"]
    value: Scalar | None = None
    values: tuple[Scalar, ...] = Field(default=(), max_length=1000, strict=False)

    @model_validator(mode="after")
    def _operands(self) -> "Attribute":
        if (self.op == "any_of") != bool(self.values):
            raise ValueError("values go with any_of, and any_of needs them")
        if (self.op in {"known", "unknown", "any_of"}) != (self.value is None):
            raise ValueError(
                f"{self.op} {'takes no' if self.value is not None else 'needs a'} value"
            )
        return self


class Events(_Condition):
    """At least so many matching events within the last so many days."""

    type: Literal["events"]
    event: tuple[EventType, ...] = Field(default=(), strict=False)
    channel: tuple[Channel, ...] = Field(default=(), strict=False)
    content_id: str | None = Field(default=None, max_length=500)
    content_type: str | None = Field(default=None, max_length=100)
    at_least: int = Field(default=1, ge=1, le=COUNT_MAX)
    within_days: int = Field(ge=1, le=3650)

    @cached_property
    def ring_key(self) -> str:
        """Names what is counted and how many are kept, the same for equal conditions."""
        return self.model_dump_json(exclude={"type", "within_days"}, exclude_defaults=False)

    def matches(self, event: Event) -> bool:
        """Whether a person's own event is one of those counted."""
        return (
            event.machine.p < MACHINE_THRESHOLD
            and (not self.event or event.type in self.event)
            and (not self.channel or event.channel in self.channel)
            and self.content_id in {None, event.content_id}
            and self.content_type in {None, event.content_type}
        )


class All(_Condition):
    """Every one of the rules holds."""

    type: Literal["all"]
    rules: tuple["Rule", ...] = Field(min_length=1, max_length=CONDITIONS_MAX, strict=False)


class Any(_Condition):
    """At least one of the rules holds."""

    type: Literal["any"]
    rules: tuple["Rule", ...] = Field(min_length=1, max_length=CONDITIONS_MAX, strict=False)


class Not(_Condition):
    """The rule does not hold."""

    type: Literal["not"]
    rule: "Rule"


Rule = Annotated[
    PhaseIs | LatencyStateIs | Probability | Attribute | Events | All | Any | Not,
    Field(discriminator="type"),
]


class RuleTree(BaseModel):
    """A whole rule, bounded in depth and size.

    Raises:
        pydantic.ValidationError: it is not of the closed form, too deep or too large.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    rule: Rule

    @field_validator("rule")
    @classmethod
    def _bounded(cls, rule: Rule) -> Rule:
        if _depth(rule) > DEPTH_MAX:
            raise ValueError(f"a rule is at most {DEPTH_MAX} deep")
        if sum(1 for _ in conditions(rule)) > CONDITIONS_MAX:
            raise ValueError(f"a rule has at most {CONDITIONS_MAX} conditions")
        return rule


All.model_rebuild()
Any.model_rebuild()
Not.model_rebuild()


def conditions(rule: Rule) -> Iterator[Rule]:
    """The leaves of a rule."""
    if isinstance(rule, All | Any):
        for part in rule.rules:
            yield from conditions(part)
    elif isinstance(rule, Not):
        yield from conditions(rule.rule)
    else:
        yield rule


def _depth(rule: Rule) -> int:
    if isinstance(rule, All | Any):
        return 1 + max(_depth(part) for part in rule.rules)
    return 1 + _depth(rule.rule) if isinstance(rule, Not) else 1


class Subject(Protocol):
    """A person as rules see it: what is known, and the path ahead if nothing more happens."""

    attributes: dict[str, object]

    def phase_at(self, at_ms: int) -> tuple[Phase | None, int | None]:
        """The phase (None: not scored) and when it next changes."""

    def latency_state_at(self, at_ms: int) -> tuple[LatencyState | None, int | None]:
        """The latency state (None: not scored) and when it next changes."""

    def probability_at_least(self, of: str, threshold: float, at_ms: int) -> Verdict | None:
        """Whether a probability is at least ``threshold``, and when that next changes.

        None: the person is not scored.
        """

    def ring(self, key: str) -> tuple[int, ...]:
        """Times of the newest matching events, oldest first, at most as many as counted."""


def evaluate(rule: Rule, subject: Subject, at_ms: int) -> Verdict:
    """Whether the rule holds for the person at ``at_ms``, and until when that stands."""
    # By its tag: to ask a pydantic class whether something is one of its own takes far longer.
    match rule.type:
        case "all" | "any" as kind:
            verdicts = [evaluate(part, subject, at_ms) for part in rule.rules]
            return _combine(verdicts, decisive=kind == "any")
        case "not":
            truth, until = evaluate(rule.rule, subject, at_ms)
            return not truth, until
        case "phase":
            phase, until = subject.phase_at(at_ms)
            return phase in rule.any_of, until
        case "latency_state":
            state, until = subject.latency_state_at(at_ms)
            return state in rule.any_of, until
        case "probability":
            return _probability(rule, subject, at_ms)
        case "attribute":
            return _attribute(rule, subject.attributes.get(rule.name)), None
        case "events":
            return _events(rule, subject.ring(rule.ring_key), at_ms)


def _combine(verdicts: list[Verdict], *, decisive: bool) -> Verdict:
    """One part with the decisive truth settles the whole, for as long as the longest of them."""
    settling = [until for truth, until in verdicts if truth is decisive]
    if settling:
        return decisive, None if None in settling else max(u for u in settling if u is not None)
    return not decisive, min((u for _, u in verdicts if u is not None), default=None)


def _probability(rule: Probability, subject: Subject, at_ms: int) -> Verdict:
    threshold = rule.at_least if rule.at_least is not None else rule.below
    assert threshold is not None  # noqa: S101  the validator holds it
    verdict = subject.probability_at_least(rule.of, threshold, at_ms)
    if verdict is None:
        return False, None
    truth, until = verdict
    return truth is (rule.at_least is not None), until


def _events(rule: Events, times_ms: tuple[int, ...], at_ms: int) -> Verdict:
    if len(times_ms) < rule.at_least:
        return False, None
    leaves_ms = times_ms[-rule.at_least] + rule.within_days * DAY_MS
    return (True, leaves_ms) if at_ms < leaves_ms else (False, None)


def _attribute(rule: Attribute, found: object) -> bool:
    match rule.op:
        case "known":
            return found is not None
        case "unknown":
            return found is None
        case "is":
            return _same(found, rule.value)
        case "is_not":
            return not _same(found, rule.value)
        case "any_of":
            return any(_same(found, value) for value in rule.values)
        case "contains":
            return _contains(found, rule.value)
        case "less":
            return _less(found, rule.value)
        case "greater":
            return _less(rule.value, found)


def _same(found: object, wanted: object) -> bool:
    if isinstance(found, list):
        return any(_same(item, wanted) for item in found)
    if isinstance(found, str) and isinstance(wanted, str):
        return found.casefold() == wanted.casefold()
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    return found is not None and found == wanted


def _contains(found: object, wanted: object) -> bool:
    if isinstance(found, list):
        return any(_same(item, wanted) for item in found)
    if isinstance(found, str) and isinstance(wanted, str):
        return wanted.casefold() in found.casefold()
    return False


def _less(a: object, b: object) -> bool:
    if isinstance(a, str) and isinstance(b, str):
        return a.casefold() < b.casefold()
    if isinstance(a, int | float) and isinstance(b, int | float):
        return not isinstance(a, bool) and not isinstance(b, bool) and a < b
    return False
