"""A score in a few sentences: what is estimated, since when, and why."""

import math
from collections import defaultdict

from services.model.explain import Contribution, Explanation
from services.model.words import Audience, Language, length, together

FOR_MAX = 3
AGAINST_MAX = 2
_WORTH_SAYING = 0.05
"""Log-odds of turning; less says almost nothing."""

_STATES: dict[str, dict[Language, str]] = {
    "latent_latent": {
        "nl": "niet op zoek naar iets nieuws",
        "en": "not looking for something new",
    },
    "actively_latent": {"nl": "open voor iets nieuws", "en": "open to something new"},
    "active": {"nl": "op zoek naar iets nieuws", "en": "looking for something new"},
}
_ESTIMATES: dict[Audience, dict[Language, str]] = {
    "recruiter": {
        "nl": "Schatting: {state}, sinds {span}; openheid {openness}.",
        "en": "Estimate: {state}, for {span}; openness {openness}.",
    },
    "person": {
        "nl": "Naar onze schatting bent u {state}, sinds {span}; uw openheid is {openness}.",
        "en": "We estimate that you are {state}, for {span}; your openness is {openness}.",
    },
}
_FOR: dict[Language, str] = {
    "nl": "Wat daarvoor het meest meetelt: {reasons}.",
    "en": "What counts most for openness: {reasons}.",
}
_AGAINST: dict[Language, str] = {
    "nl": "Wat ertegen het meest meetelt: {reasons}.",
    "en": "What counts most against it: {reasons}.",
}
_CAVEAT: dict[Language, str] = {
    "nl": "Het is een schatting, geen oordeel; er telt niets anders mee dan wat hier staat.",
    "en": "It is an estimate, not a verdict; nothing else counts than what stands here.",
}


def summary(explanation: Explanation, language: Language, audience: Audience) -> str:
    """A few sentences, to a recruiter or to the person concerned."""
    openness = 1 / (1 + math.exp(-explanation.turning))
    told = [
        _ESTIMATES[audience][language].format(
            state=_STATES[explanation.latency_state][language],
            span=length(explanation.at_ms - explanation.latency_since_ms, language),
            openness=f"{openness:.0%}",
        )
    ]
    lines = _by_kind(explanation)
    # Nobody is open to something new because nothing was heard, whatever it did to the estimate.
    favourable = [
        line for weight, line in lines if weight >= _WORTH_SAYING and line[0].kind != "silence"
    ][:FOR_MAX]
    adverse = [line for weight, line in reversed(lines) if weight <= -_WORTH_SAYING][:AGAINST_MAX]
    for sentence, reasons in ((_FOR, favourable), (_AGAINST, adverse)):
        if reasons:
            said = "; ".join(together(line, language, audience) for line in reasons)
            told.append(sentence[language].format(reasons=said))
    told.append(_CAVEAT[language])
    return " ".join(told)


def _by_kind(explanation: Explanation) -> list[tuple[float, list[Contribution]]]:
    """Contributions of each kind with what they weigh together, most for turning first."""
    kinds: dict[str, list[Contribution]] = defaultdict(list)
    for contribution in explanation.contributions:
        kinds[contribution.kind].append(contribution)
    lines = [(sum(c.turning for c in line), line) for line in kinds.values()]
    return sorted(lines, key=lambda one: -one[0])
