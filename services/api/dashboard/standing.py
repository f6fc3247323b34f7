"""Where somebody stands: one statement, since when, what that day means, and how sure it is."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from services.api.dashboard.texts import PHASES, Words
from services.contract.phases import Phase
from services.model.explain import Explanation
from services.model.parameters import Three


@dataclass(frozen=True)
class Chance:
    """One of the three states, and how probable it is."""

    name: str
    share: str
    width: float
    """Of a bar that is 100 wide."""


@dataclass(frozen=True)
class Standing:
    """The statement, what stands below it, and what it rests on."""

    phase: Phase | None
    told: str
    meaning: tuple[str, ...]
    chances: tuple[Chance, ...]
    """None of who is not scored."""
    as_of: str


def standing(
    phase: Row[Any] | None,
    explanation: Explanation | None,
    chances: Three | None,
    words: Words,
    now_ms: int,
    *,
    inferred: bool,
) -> Standing:
    """What a person's page says first.

    The day is that of the phase, which lists, segments and the API tell too. When the hidden state
    itself was entered is an expectation, and another day: it is told as what it is.

    Args:
        phase: the interval that holds now; None: there is none.
        explanation: of now; None: not scored.
        chances: of the three states; None: not scored.
        words: in a language.
        now_ms: the time.
        inferred: whether the phase follows from the estimate alone.
    """
    return Standing(
        phase=None if phase is None else phase.key,
        told=""
        if phase is None
        else words["stands"].format(
            meaning=PHASES[phase.key][words.language], day=words.day(phase.valid_from_ms)
        ),
        meaning=() if phase is None else _meaning(phase, explanation, words, inferred=inferred),
        chances=() if chances is None else _chances(chances, words),
        as_of=words["as_of"].format(moment=words.moment(now_ms)),
    )


def _meaning(
    phase: Row[Any], explanation: Explanation | None, words: Words, *, inferred: bool
) -> tuple[str, ...]:
    told = [words[_why(phase.key, inferred=inferred)]]
    turned = explanation is not None and explanation.latency_state != "latent_latent"
    if inferred and explanation is not None and turned:
        turn_ms = explanation.latency_since_ms
        if turn_ms < phase.valid_from_ms:
            told.append(words["turn_was"].format(day=words.day(turn_ms)))
    if phase.valid_to_ms is not None:
        told.append(words["changes_on"].format(day=words.day(phase.valid_to_ms)))
    return tuple(told)


def _why(phase: Phase, *, inferred: bool) -> str:
    if phase == "care":
        return "stands_care"
    if phase == "see":
        return "stands_see"
    return "stands_inferred" if inferred else "stands_observed"


def _chances(chances: Three, words: Words) -> tuple[Chance, ...]:
    names = ("latent_latent", "actively_latent", "active")
    return tuple(
        Chance(words[name], words.percent(share), round(share * 100, 1))
        for name, share in zip(names, chances, strict=True)
    )
