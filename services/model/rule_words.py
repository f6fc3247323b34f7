"""Why a rule holds for somebody, or does not: the conditions that settle it, in words."""

from collections.abc import Iterator
from typing import Literal

from services.contract.phases import LatencyState, Phase
from services.model.rules import Attribute, Events, LatencyStateIs, Not, PhaseIs, Probability
from services.model.rules.condition import Condition, Node, Subject
from services.model.rules.membership import ByHand
from services.model.rules.tree import Turned

Language = Literal["nl", "en"]
REASONS_MAX = 10
_VALUE_CHARS = 60

_PHASES: dict[Phase, str] = {"see": "See", "think": "Think", "do": "Do", "care": "Care"}
_STATES: dict[LatencyState, dict[Language, str]] = {
    "latent_latent": {"nl": "latent-latent", "en": "latent-latent"},
    "actively_latent": {"nl": "actief latent", "en": "actively latent"},
    "active": {"nl": "actief", "en": "active"},
}
_OF: dict[str, dict[Language, str]] = {
    "openness": {"nl": "openheid", "en": "openness"},
    "latent_latent": {"nl": "kans op latent-latent", "en": "probability of latent-latent"},
    "actively_latent": {"nl": "kans op actief latent", "en": "probability of actively latent"},
    "active": {"nl": "kans op actief", "en": "probability of active"},
}
_EVENTS: dict[str, dict[Language, str]] = {
    "page": {"nl": "pagina bekeken", "en": "page viewed"},
    "site_search": {"nl": "gezocht op de site", "en": "site searched"},
    "read": {"nl": "verhaal gelezen", "en": "story read"},
    "play": {"nl": "afgespeeld", "en": "played"},
    "magazine_page": {"nl": "magazine gelezen", "en": "magazine read"},
    "download": {"nl": "gedownload", "en": "downloaded"},
    "sign_up": {"nl": "aangemeld", "en": "signed up"},
    "question": {"nl": "vraag gesteld", "en": "question asked"},
    "comment": {"nl": "gereageerd", "en": "commented"},
    "ambassador_contacted": {"nl": "ambassadeur benaderd", "en": "ambassador contacted"},
    "share": {"nl": "gedeeld", "en": "shared"},
    "attend": {"nl": "aanwezig geweest", "en": "attended"},
    "vacancy_viewed": {"nl": "vacature bekeken", "en": "vacancy viewed"},
    "application_started": {"nl": "sollicitatie begonnen", "en": "application begun"},
    "applied": {"nl": "gesolliciteerd", "en": "applied"},
    "stage_changed": {"nl": "stap in de procedure", "en": "stage of the procedure"},
    "rejected": {"nl": "afgewezen", "en": "rejected"},
    "hired": {"nl": "aangenomen", "en": "hired"},
    "left": {"nl": "vertrokken", "en": "left"},
    "sent": {"nl": "mail gestuurd", "en": "mail sent"},
    "delivered": {"nl": "mail bezorgd", "en": "mail delivered"},
    "open": {"nl": "mail geopend", "en": "mail opened"},
    "click": {"nl": "op een link geklikt", "en": "link clicked"},
    "bounce": {"nl": "mail niet bezorgd", "en": "mail bounced"},
    "unsubscribe": {"nl": "afgemeld voor mail", "en": "unsubscribed"},
    "complaint": {"nl": "mail als spam gemeld", "en": "mail reported as spam"},
    "identified": {"nl": "bekend geworden", "en": "identified"},
    "consent_changed": {"nl": "toestemming gewijzigd", "en": "consent changed"},
    "custom": {"nl": "iets anders", "en": "something else"},
}
_OPS: dict[str, dict[Language, str]] = {
    "is": {"nl": "is", "en": "is"},
    "is_not": {"nl": "is niet", "en": "is not"},
    "any_of": {"nl": "is een van", "en": "is one of"},
    "none_of": {"nl": "is geen van", "en": "is none of"},
    "contains": {"nl": "bevat", "en": "contains"},
    "less": {"nl": "is minder dan", "en": "is less than"},
    "less_or_same": {"nl": "is hoogstens", "en": "is at most"},
    "greater_or_same": {"nl": "is minstens", "en": "is at least"},
    "greater": {"nl": "is meer dan", "en": "is more than"},
    "known": {"nl": "is bekend", "en": "is known"},
    "unknown": {"nl": "is onbekend", "en": "is not known"},
}
_NOT: dict[Language, str] = {"nl": "niet: {}", "en": "not: {}"}
_BY_HAND: dict[Language, str] = {"nl": "met de hand toegevoegd", "en": "put in by hand"}
_WITHIN: dict[Language, str] = {"nl": "in {} dagen", "en": "in {} days"}
_OR: dict[Language, str] = {"nl": " of ", "en": " or "}


def reasons(rule: Node, subject: Subject, at_ms: int, language: Language) -> list[str]:
    """The conditions by which a rule holds, or does not, each as a few words.

    One that does not hold begins with *not*. At most ``REASONS_MAX``, in the order of the rule.
    """
    found: list[str] = []
    for text, truth in _settling(rule, subject, at_ms, language):
        told = text if truth else _NOT[language].format(text)
        if told not in found:
            found.append(told)
    return found[:REASONS_MAX]


def _settling(
    rule: Node, subject: Subject, at_ms: int, language: Language
) -> Iterator[tuple[str, bool]]:
    """What settles a rule's truth, each with its own."""
    truth = rule.verdict(subject, at_ms)[0]
    if isinstance(rule, ByHand) and rule.key in subject.state.rings_ms:
        yield _BY_HAND[language], truth
    elif isinstance(rule, Not | Turned):
        yield from _settling(rule.parts()[0], subject, at_ms, language)
    elif isinstance(rule, Condition) and not rule.parts():
        yield in_words(rule, language), truth
    else:
        for part in rule.parts():
            if part.verdict(subject, at_ms)[0] is truth:
                yield from _settling(part, subject, at_ms, language)


def in_words(leaf: Condition, language: Language) -> str:
    """A condition in words."""
    match leaf:
        case PhaseIs():
            return ("fase " if language == "nl" else "phase ") + _OR[language].join(
                _PHASES[one] for one in leaf.any_of
            )
        case LatencyStateIs():
            return _OR[language].join(_STATES[one][language] for one in leaf.any_of)
        case Probability():
            return _probability(leaf, language)
        case Attribute():
            return _attribute(leaf, language)
        case Events():
            return _events(leaf, language)
        case _:
            return _plainly(leaf)


def _probability(leaf: Probability, language: Language) -> str:
    of, least = _OF[leaf.of][language], leaf.at_least
    if least is not None:
        return f"{of} {'minstens' if language == 'nl' else 'at least'} {least:.0%}"
    return f"{of} {'onder' if language == 'nl' else 'below'} {leaf.below or 0:.0%}"


def _attribute(leaf: Attribute, language: Language) -> str:
    values = [leaf.value] if leaf.value is not None else list(leaf.values)
    text = ", ".join(str(value)[:_VALUE_CHARS] for value in values[:5])
    return f"{leaf.name} {_OPS[leaf.op][language]} {text}".rstrip()


def _events(leaf: Events, language: Language) -> str:
    kinds = [_EVENTS.get(one, {}).get(language, one) for one in leaf.event]
    what = _OR[language].join(kinds[:5]) or ("iets gedaan" if language == "nl" else "did anything")
    about = [one for one in (leaf.content_type, leaf.content_id) if one is not None]
    about += [*leaf.topic[:5], *leaf.campaign[:5]]
    if about:
        what += f" ({', '.join(one[:_VALUE_CHARS] for one in about)})"
    if leaf.channel:
        what += f" via {', '.join(leaf.channel)}"
    return f"{what}: {_times(leaf, language)} {_WITHIN[language].format(leaf.within_days)}"


def _times(leaf: Events, language: Language) -> str:
    least, most = leaf.at_least, leaf.at_most
    if most == 0:
        return "niet" if language == "nl" else "not at all"
    unit = "keer" if language == "nl" else "times"
    if most is None:
        return f"{'minstens' if language == 'nl' else 'at least'} {least} {unit}"
    if least == 0:
        return f"{'hoogstens' if language == 'nl' else 'at most'} {most} {unit}"
    return f"{least}-{most} {unit}"


def _plainly(leaf: Condition) -> str:
    """By its fields, where there are no better words."""
    told = leaf.model_dump(mode="json", exclude={"type"}, exclude_defaults=True)
    fields = ", ".join(f"{name} {value}"[:_VALUE_CHARS] for name, value in told.items())
    kind = str(leaf.model_dump()["type"])
    return f"{kind} ({fields})" if fields else kind
