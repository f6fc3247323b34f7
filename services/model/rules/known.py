"""Conditions about what is known of somebody beside their behaviour."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import ConfigDict, Field, model_validator

from services.contract.consent import Purpose
from services.contract.spelling import NAMESPACE_PATTERN
from services.model.rules.condition import Condition, Subject, Verdict
from services.model.rules.memory import HITS_KEPT, Agreed, Hits, Memory, Named


class IdentityKnown(Condition):
    """Somebody is known by an identity of this kind; or is not (`known` false).

    An event of theirs named one: `user_id`, `email`, `anonymous_id` (a cookie), `person_token`
    (from a mail), or an id of another system by its name.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "identity", "namespace": "email"}]}
    )
    type: Literal["identity"]
    namespace: str = Field(pattern=NAMESPACE_PATTERN)
    known: bool = True

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`."""
        key = Named(self.namespace).key
        return (key in subject.state.rings_ms) is self.known, None

    def memories(self) -> Sequence[Memory]:
        """Whether there is one."""
        return (Named(self.namespace),)


class ConsentIs(Condition):
    """What somebody answered for a purpose: `yes`, `no`, or `none` where nothing was said.

    What is said of `contact` holds for `contact_mail`, `contact_phone` and `contact_messaging`
    too, until something is said of these. Who took back `profile` is in no segment at all.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"type": "consent", "purpose": "contact_mail", "answer": "yes"}]
        }
    )
    type: Literal["consent"]
    purpose: Purpose
    answer: Literal["yes", "no", "none"] = "yes"

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`."""
        said = self._said(subject)
        return self.answer == ("none" if said is None else "yes" if said else "no"), None

    def _said(self, subject: Subject) -> bool | None:
        state = subject.state
        match self.purpose:
            case "measure":
                return state.measure
            case "profile":
                return state.profile
            case "contact":
                return state.contact
            case purpose:
                kept = state.rings_ms.get(Agreed(purpose).key)
                return bool(kept[0]) if kept else None

    def memories(self) -> Sequence[Memory]:
        """What was said last, where the state does not have it anyway."""
        if self.purpose in {"measure", "profile", "contact"}:
            return ()
        return (Agreed(self.purpose),)


class MachineShare(Condition):
    """Of somebody's latest opens and clicks (50 at most), so large a part was made by software.

    `of_at_least` is how many there must be to tell; whoever has fewer is not meant.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "machine_share", "below": 0.5}]}
    )
    touching: ClassVar[frozenset[str] | None] = frozenset({"open", "click"})
    type: Literal["machine_share"]
    at_least: float | None = Field(default=None, gt=0, le=1)
    below: float | None = Field(default=None, gt=0, le=1)
    of_at_least: int = Field(default=5, ge=1, le=HITS_KEPT)

    @model_validator(mode="after")
    def _one_bound(self) -> "MachineShare":
        if (self.at_least is None) == (self.below is None):
            raise ValueError("give either at_least or below")
        return self

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`."""
        hits = subject.state.rings_ms.get(Hits().key, ())
        if len(hits) < self.of_at_least:
            return False, None
        share = sum(hits) / len(hits)
        if self.at_least is not None:
            return share >= self.at_least, None
        return self.below is not None and share < self.below, None

    def memories(self) -> Sequence[Memory]:
        """Which of the latest were software's."""
        return (Hits(),)
