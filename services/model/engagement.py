"""Engagement: decayed sums of what somebody did, in all and per topic, and of what speaks against.

Forward decay (Cormode, Shkapenyuk, Srivastava and Xu, 2009): kept is K = ln Σ wᵢ e^(μtᵢ), which
does not change by waiting, so that people can be compared, and sorted, for any moment. What speaks
against stands in keys of its own: a sum of both signs has no logarithm.
"""

import math

from services.contract.event import Event
from services.model.habits import habits_of
from services.model.state import Mail, PersonState
from services.model.version import Model

TOPICS_MAX = 100
"""Of each sign; the weakest gives way to a stronger one."""
EVENT_TOPICS_MAX = 20
"""Of one event."""
TOPIC_LENGTH_MAX = 200
IN_ALL = ""
"""The key beside the topics."""


def engage(state: PersonState, event: Event, model: Model) -> None:
    """Count what the event is worth, in place."""
    numbers = model.parameters.engagement
    weight = numbers.weights.get(event.type)
    if weight:
        for key in (IN_ALL, *_topics(event)):
            _add(state.engagement, key, weight, event.occurred_ms, model)
    elif event.type in numbers.against:
        kept = habits_of(state)
        kept.against = dict(kept.against)
        for key in (IN_ALL, *_topics(event)):
            _add(kept.against, key, numbers.against[event.type], event.occurred_ms, model)


def ignore(state: PersonState, mail: Mail, model: Model) -> None:
    """A window has closed: left unopened, the mail or issue speaks against, as far as we saw."""
    weight = model.parameters.engagement.unopened
    if weight and _is_ignored(state, mail):
        kept = habits_of(state)
        kept.against = dict(kept.against)
        _add(kept.against, IN_ALL, weight, mail.close_ms, model)


def _is_ignored(state: PersonState, mail: Mail) -> bool:
    score = state.score
    off = score is None or (score.issue_off if mail.issue else score.mail_off)
    return not (off or mail.opened or mail.clicked or mail.by_machine)


def closings(state: PersonState, model: Model) -> list[int]:
    """When windows will close, each leaving a mail or issue unopened, if nothing happens."""
    if not model.parameters.engagement.unopened or state.score is None:
        return []
    return sorted(mail.close_ms for mail in state.score.mails if _is_ignored(state, mail))


def raised(level: float | None, weight: float, at_ms: int, model: Model) -> float:
    """What is kept of a sum after something more was added to it; None: nothing was."""
    term = math.log(weight) + model.engagement_per_ms * at_ms
    if level is None:
        return term
    high, low = max(level, term), min(level, term)
    return high + math.log1p(math.exp(low - high))


def present(kept: dict[str, float], at_ms: int, model: Model) -> dict[str, float]:
    """The decayed sums at a moment, from their keys."""
    decay = model.engagement_per_ms * at_ms
    return {key: math.exp(level - decay) for key, level in kept.items()}


def _topics(event: Event) -> list[str]:
    topics = event.properties.get("topics")
    if not isinstance(topics, list):
        return []
    named = (t for t in topics if isinstance(t, str) and 0 < len(t) <= TOPIC_LENGTH_MAX)
    return list(dict.fromkeys(named))[:EVENT_TOPICS_MAX]


def _add(kept: dict[str, float], key: str, weight: float, at_ms: int, model: Model) -> None:
    term = math.log(weight) + model.engagement_per_ms * at_ms
    if key in kept:
        kept[key] = raised(kept[key], weight, at_ms, model)
        return
    if len(kept) >= TOPICS_MAX:
        weakest = min((name for name in kept if name != IN_ALL), key=kept.__getitem__)
        if kept[weakest] >= term:
            return
        del kept[weakest]
    kept[key] = term
