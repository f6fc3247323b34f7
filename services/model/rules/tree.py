"""Rules: a closed, typed tree of conditions, bounded in depth and size.

``evaluate`` is pure. Its second answer, ``until_ms``, is a promise: if nothing more happens to
the person, the truth stays as it is before that moment. So exits are known ahead and nothing is
recomputed by the clock. A type of condition never changes what it means: another meaning is
another type, so that a rule that was stored can be read for ever.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, get_args
from typing import Any as Json

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from typing_extensions import TypeAliasType

from services.model.rules.attributes import Attribute, AttributeDate
from services.model.rules.condition import Composed, Node, Subject, Verdict, unknown
from services.model.rules.contact import Available, Cadence, Pressure
from services.model.rules.happenings import Events, FirstEvent, LastEvent
from services.model.rules.interest import Engagement, Interest
from services.model.rules.joined import Joined, Turned, combined
from services.model.rules.known import ConsentIs, IdentityKnown, MachineShare
from services.model.rules.membership import InSegment, leaves
from services.model.rules.standing import LatencyStateIs, PhaseIs, Probability, TimeInPhase

DEPTH_MAX = 8
CONDITIONS_MAX = 64
_TOO_DEEP = f"a rule is at most {DEPTH_MAX} deep"


class AllOf(Composed):
    """Every one of the rules holds."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "all",
                    "rules": [
                        {"type": "phase", "any_of": ["think"]},
                        {"type": "interest", "topic": ["energy"], "among_strongest": 3},
                    ],
                }
            ]
        }
    )
    type: Literal["all"]
    rules: tuple["Rule", ...] = Field(min_length=1, max_length=CONDITIONS_MAX, strict=False)

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`."""
        return combined(self.rules, subject, at_ms, decisive=False)

    def parts(self) -> Sequence[Node]:
        """The rules."""
        return self.rules

    def with_parts(self, parts: Sequence[Node]) -> Node:
        """The same of others."""
        return Joined(tuple(parts), decisive=False)


class AnyOf(Composed):
    """At least one of the rules holds."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "any",
                    "rules": [
                        {"type": "phase", "any_of": ["do"]},
                        {"type": "events", "event": ["attend"], "within_days": 30},
                    ],
                }
            ]
        }
    )
    type: Literal["any"]
    rules: tuple["Rule", ...] = Field(min_length=1, max_length=CONDITIONS_MAX, strict=False)

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`."""
        return combined(self.rules, subject, at_ms, decisive=True)

    def parts(self) -> Sequence[Node]:
        """The rules."""
        return self.rules

    def with_parts(self, parts: Sequence[Node]) -> Node:
        """The same of others."""
        return Joined(tuple(parts), decisive=True)


class Not(Composed):
    """The rule does not hold."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"type": "not", "rule": {"type": "in_segment", "segment": "own-staff"}},
            ]
        }
    )
    type: Literal["not"]
    rule: "Rule"

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`."""
        truth, until_ms = self.rule.verdict(subject, at_ms)
        return not truth, until_ms

    def parts(self) -> Sequence[Node]:
        """The rule."""
        return (self.rule,)

    def with_parts(self, parts: Sequence[Node]) -> Node:
        """The same of another."""
        return Turned(parts[0])


_Written = (
    PhaseIs
    | TimeInPhase
    | LatencyStateIs
    | Probability
    | Engagement
    | Interest
    | Events
    | FirstEvent
    | LastEvent
    | Attribute
    | AttributeDate
    | IdentityKnown
    | ConsentIs
    | Pressure
    | Cadence
    | Available
    | MachineShare
    | InSegment
    | AllOf
    | AnyOf
    | Not
)
TYPES: tuple[str, ...] = tuple(
    get_args(kind.model_fields["type"].annotation)[0] for kind in get_args(_Written)
)
"""Of conditions, all that there are."""


def _of_a_known_type(data: Json) -> Json:
    """An unknown type is named, with the one that was probably meant."""
    if isinstance(data, dict) and "type" in data and data["type"] not in TYPES:
        raise ValueError(unknown("condition", data["type"], TYPES))
    return data


# By a name of its own the OpenAPI refers to it instead of repeating it, which generators of
# clients need: else they do not find its end.
Rule = TypeAliasType(
    "Rule",
    Annotated[
        _Written,
        Field(
            discriminator="type",
            description="A condition on a person, or several put together by `all`, `any`, `not`.",
        ),
        BeforeValidator(_of_a_known_type),
    ],
)


class RuleTree(BaseModel):
    """A whole rule, bounded in depth and size.

    Raises:
        pydantic.ValidationError: it is not of the closed form, too deep or too large.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    rule: Rule

    @field_validator("rule", mode="wrap")
    @classmethod
    def _bounded(cls, told: Json, read: ValidatorFunctionWrapHandler) -> Rule:
        try:
            rule: Rule = read(told)
        except ValidationError as error:
            # What is far too deep is not read to its end.
            if any(one["type"].startswith("recursion_") for one in error.errors()):
                raise ValueError(_TOO_DEEP) from None
            raise
        if _depth(rule) > DEPTH_MAX:
            raise ValueError(_TOO_DEEP)
        if sum(1 for _ in conditions(rule)) > CONDITIONS_MAX:
            raise ValueError(f"a rule has at most {CONDITIONS_MAX} conditions")
        return rule


AllOf.model_rebuild()
AnyOf.model_rebuild()
Not.model_rebuild()

conditions = leaves


def evaluate(rule: Node, subject: Subject, at_ms: int) -> Verdict:
    """Whether the rule holds for the person at ``at_ms``, and until when that stands."""
    return rule.verdict(subject, at_ms)


def _depth(rule: Node) -> int:
    return 1 + max((_depth(part) for part in rule.parts()), default=0)
