"""A condition of a rule in words, in Dutch and English."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.model.amounts import amount
from services.model.rules import (
    Attribute,
    AttributeDate,
    Available,
    Cadence,
    ConsentIs,
    Engagement,
    Events,
    FirstEvent,
    IdentityKnown,
    InSegment,
    Interest,
    LastEvent,
    LatencyStateIs,
    MachineShare,
    PhaseIs,
    Pressure,
    Probability,
    TimeInPhase,
)
from services.model.rules.condition import Condition
from services.model.rules.happenings import Happening
from services.model.vocabulary import (
    ANSWERS,
    CHANNELS,
    EVENTS,
    NAMESPACES,
    OF,
    OPS,
    PHASES,
    PURPOSES,
    STATES,
    Both,
    Language,
    attribute,
)

Names = Mapping[str, str]
"""Of segments, by their keys."""
_VALUE_CHARS = 60
_NAMED_MAX = 5
_OR: Both = {"nl": " of ", "en": " or "}


def in_words(leaf: Condition, language: Language, segments: Names | None = None) -> str:
    """A condition that is not put together from others, in words.

    Args:
        leaf: the condition.
        language: of the words.
        segments: what segments are called; one that is not among them goes by its key.
    """
    if isinstance(leaf, InSegment):
        name = (segments or {}).get(leaf.segment, leaf.segment)
        return f"{_say('in segment', 'in segment', language)} {name}"
    return _TOLD[type(leaf)](leaf, language)


def _say(dutch: str, english: str, language: Language) -> str:
    return dutch if language == "nl" else english


def _join(names: Sequence[str], language: Language) -> str:
    return _OR[language].join(name[:_VALUE_CHARS] for name in names[:_NAMED_MAX])


def _phase(leaf: PhaseIs, language: Language) -> str:
    phases = _OR[language].join(PHASES[one] for one in leaf.any_of)
    return f"{_say('fase', 'phase', language)} {phases}"


def _time_in_phase(leaf: TimeInPhase, language: Language) -> str:
    phases = _OR[language].join(PHASES[one] for one in leaf.any_of)
    span = _span(leaf.at_least_days, leaf.less_than_days, language)
    return f"{span} {_say('in fase', 'in phase', language)} {phases}"


def _state(leaf: LatencyStateIs, language: Language) -> str:
    return _OR[language].join(STATES[one][language] for one in leaf.any_of)


def _probability(leaf: Probability, language: Language) -> str:
    return f"{OF[leaf.of][language]} {_bound(leaf.at_least, leaf.below, language, share=True)}"


def _engagement(leaf: Engagement, language: Language) -> str:
    against = leaf.of == "against"
    what = _say("betrokkenheid", "engagement", language)
    if against:
        what = _say("tekenen van desinteresse", "signs of no interest", language)
    if leaf.topic is not None:
        what += f" {_say('bij', 'with', language)} {leaf.topic[:_VALUE_CHARS]}"
    return f"{what} {_bound(leaf.at_least, leaf.below, language, share=False)}"


def _interest(leaf: Interest, language: Language) -> str:
    what = f"{_say('interesse in', 'interest in', language)} {_join(leaf.topic, language)}"
    if leaf.share_at_least is not None:
        share = f"{leaf.share_at_least:.0%}"
        what += _say(f", minstens {share} van alles", f", at least {share} of all", language)
    if leaf.among_strongest is not None:
        most = leaf.among_strongest
        what += _say(f", bij de {most} sterkste", f", among the {most} strongest", language)
    return what


def _events(leaf: Events, language: Language) -> str:
    within = f"in {amount(leaf.within_days, 'day', language)}"
    return f"{_happening(leaf, language)}: {_times(leaf, language)} {within}"


def _first_event(leaf: FirstEvent, language: Language) -> str:
    ago = _ago(leaf.at_least_days_ago, leaf.less_than_days_ago, language)
    when = _say("voor het eerst", "for the first time", language)
    return f"{when} {ago}: {_happening(leaf, language)}"


def _last_event(leaf: LastEvent, language: Language) -> str:
    ago = _ago(leaf.at_least_days_ago, leaf.less_than_days_ago, language)
    return f"{_say('voor het laatst', 'last', language)} {ago}: {_happening(leaf, language)}"


def _happening(leaf: Happening, language: Language) -> str:
    kinds = [EVENTS.get(one, {}).get(language, one) for one in leaf.event]
    what = _OR[language].join(kinds[:_NAMED_MAX]) or _say("iets gedaan", "did anything", language)
    about = [one for one in (leaf.content_type, leaf.content_id) if one is not None]
    about += [*leaf.topic[:_NAMED_MAX], *leaf.campaign[:_NAMED_MAX]]
    about += [f"{one.name} {_compared(one, language)}" for one in leaf.properties[:_NAMED_MAX]]
    if about:
        what += f" ({', '.join(one[:_VALUE_CHARS] for one in about)})"
    if leaf.channel:
        what += f" via {', '.join(CHANNELS[one][language] for one in leaf.channel)}"
    return what


def _times(leaf: Events | Pressure, language: Language) -> str:
    least, most = leaf.at_least, leaf.at_most
    if most == 0:
        return _say("niet", "not at all", language)
    if most is None:
        return f"{_say('minstens', 'at least', language)} {amount(least, 'time', language)}"
    if least == 0:
        return f"{_say('hoogstens', 'at most', language)} {amount(most, 'time', language)}"
    if least == most:
        return f"{_say('precies', 'exactly', language)} {amount(most, 'time', language)}"
    return f"{least}-{amount(most, 'time', language)}"


def _attribute(leaf: Attribute, language: Language) -> str:
    return f"{attribute(leaf.name, language)} {_compared(leaf, language)}"


def _compared(leaf: Any, language: Language) -> str:
    values = [leaf.value] if leaf.value is not None else list(leaf.values)
    text = ", ".join(_value(value, language) for value in values[:_NAMED_MAX])
    return f"{OPS[leaf.op][language]} {text}".rstrip()


def _value(value: object, language: Language) -> str:
    if isinstance(value, bool):
        return _say("ja", "yes", language) if value else _say("nee", "no", language)
    return str(value)[:_VALUE_CHARS]


def _attribute_date(leaf: AttributeDate, language: Language) -> str:
    begin, end = leaf.from_days, leaf.to_days
    when = " ".join(
        part
        for part in (
            "" if begin is None else f"{_say('vanaf', 'from', language)} {_day(begin, language)}",
            "" if end is None else f"{_say('tot en met', 'up to', language)} {_day(end, language)}",
        )
        if part
    )
    yearly = _say(" (elk jaar)", " (every year)", language) if leaf.every_year else ""
    return f"{attribute(leaf.name, language)} {when}{yearly}"


def _day(days: int, language: Language) -> str:
    if days == 0:
        return _say("vandaag", "today", language)
    span = amount(abs(days), "day", language)
    if days > 0:
        return _say(f"over {span}", f"{span} from now", language)
    return _say(f"{span} geleden", f"{span} ago", language)


def _identity(leaf: IdentityKnown, language: Language) -> str:
    name = NAMESPACES.get(leaf.namespace, {}).get(language, leaf.namespace)
    known, unknown = OPS["known"][language], OPS["unknown"][language]
    return f"{name} {known if leaf.known else unknown}"


def _consent(leaf: ConsentIs, language: Language) -> str:
    purpose, answer = PURPOSES[leaf.purpose][language], ANSWERS[leaf.answer][language]
    return f"{answer} {_say('op', 'to', language)} {purpose}"


def _pressure(leaf: Pressure, language: Language) -> str:
    within = f"in {amount(leaf.within_days, 'day', language)}"
    what = _say("kreeg van ons", "was sent something by us", language)
    return f"{what} {_times(leaf, language)}{_via(leaf.channel, language)} {within}"


def _cadence(leaf: Cadence, language: Language) -> str:
    span, via = amount(leaf.every_days, "day", language), _via(leaf.channel, language)
    if leaf.due:
        return _say(
            f"kreeg {span} niets van ons{via}", f"was sent nothing{via} for {span}", language
        )
    return _say(
        f"kreeg in {span} nog iets van ons{via}",
        f"was sent something{via} within {span}",
        language,
    )


def _via(channel: str | None, language: Language) -> str:
    return "" if channel is None else f" via {CHANNELS[channel][language]}"


def _available(leaf: Available, language: Language) -> str:
    told = {
        "available": _available_within(leaf.within_days or 0, language),
        "unavailable": _say("niet beschikbaar", "not available", language),
        "unknown": _say("beschikbaarheid onbekend", "availability not known", language),
    }[leaf.answer]
    said = {"said": _say("zelf gezegd", "said so", language)}
    said["calendar"] = _say("keek naar projecten", "looked at projects", language)
    return told if leaf.source is None else f"{told} ({said[leaf.source]})"


def _available_within(days: int, language: Language) -> str:
    if days == 0:
        return _say("nu beschikbaar", "available now", language)
    span = amount(days, "day", language)
    return _say(f"beschikbaar binnen {span}", f"available within {span}", language)


def _machine(leaf: MachineShare, language: Language) -> str:
    what = _say("deel geopend door software", "share opened by software", language)
    return f"{what} {_bound(leaf.at_least, leaf.below, language, share=True)}"


def _bound(least: float | None, below: float | None, language: Language, *, share: bool) -> str:
    value = least if least is not None else below or 0
    word = _say("minstens", "at least", language)
    if least is None:
        word = _say("onder", "below", language)
    return f"{word} {f'{value:.0%}' if share else f'{value:g}'}"


def _span(least: int | None, less: int | None, language: Language) -> str:
    parts = []
    if least is not None:
        span = amount(least, "day", language)
        parts.append(f"{_say('minstens', 'at least', language)} {span}")
    if less is not None:
        span = amount(less, "day", language)
        parts.append(f"{_say('korter dan', 'less than', language)} {span}")
    return _say(" en ", " and ", language).join(parts)


def _ago(least: int | None, less: int | None, language: Language) -> str:
    return f"{_span(least, less, language)} {_say('geleden', 'ago', language)}"


_TOLD: dict[type[Condition], Callable[[Any, Language], str]] = {
    PhaseIs: _phase,
    TimeInPhase: _time_in_phase,
    LatencyStateIs: _state,
    Probability: _probability,
    Engagement: _engagement,
    Interest: _interest,
    Events: _events,
    FirstEvent: _first_event,
    LastEvent: _last_event,
    Attribute: _attribute,
    AttributeDate: _attribute_date,
    IdentityKnown: _identity,
    ConsentIs: _consent,
    Pressure: _pressure,
    Cadence: _cadence,
    Available: _available,
    MachineShare: _machine,
}
