"""Why somebody stands where they stand, as lines that add up to the estimate."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.api.dashboard.texts import Words
from services.api.dashboard.titles import title_known
from services.model import words as model_words
from services.model.explain import Contribution, Explanation

ALONE_MAX = 10
_SILENCE = "silence"
_ALONE_FROM = 1.0
"""Log-odds from which something that happened may have a line of its own."""


@dataclass(frozen=True)
class Reason:
    """A line of the account: what, when, and a bar from the middle (0-50 wide).

    Of all but silence the line that says most has the widest bar. Silence adds up over years; were
    it to set the measure, nothing that somebody did would be seen.
    """

    text: str
    when: str
    strength: str
    log_odds: float
    value: str
    width: float
    counts_for: bool
    is_cut: bool
    """The bar would be longer than there is room for: its number tells."""


def reasons_of(explanation: Explanation, titles: Mapping[str, str], words: Words) -> list[Reason]:
    """The starting point, every contribution once, and what they make together.

    What says most has a line of its own, in the order of time. The others, and all that did not
    happen (silence, mail left alone), are gathered by kind, those that weigh most first and
    silence last.

    Args:
        explanation: of a moment.
        titles: of the content in :func:`alone`, by its id.
        words: in a language.
    """
    notable, gathered = _parted(explanation.contributions)
    lines = [[c] for c in notable] + gathered
    prior, total = explanation.prior_turning, explanation.turning
    loud = (_sum(line) for line in lines if line[0].kind != _SILENCE)
    most = max(map(abs, (prior, total, *loud))) or 1.0
    return [
        _reason(words["prior"], "", "", prior, most, words),
        *(_line(line, most, titles, words) for line in lines),
        _reason(words["total"], "", "", total, most, words),
    ]


def alone(told: Iterable[Contribution]) -> list[Contribution]:
    """What says most, in the order of time: of that each has a line of its own."""
    notable = [c for c in told if c.event is not None and abs(c.turning) >= _ALONE_FROM]
    chosen = sorted(notable, key=lambda c: -abs(c.turning))[:ALONE_MAX]
    return sorted(chosen, key=lambda c: c.from_ms)


def told_of(contribution: Contribution, titles: Mapping[str, str], words: Words) -> str:
    """What was done or left, and with what, as far as its name is known."""
    what = model_words.what(contribution, words.language)
    title = "" if contribution.event is None else title_known(contribution.event, titles)
    return what if not title or what.endswith(f": {title}") else f"{what}: {title}"


def _parted(
    told: Iterable[Contribution],
) -> tuple[list[Contribution], list[list[Contribution]]]:
    ranked = sorted(told, key=lambda c: -abs(c.turning))
    notable = alone(ranked)
    chosen = {id(c) for c in notable}
    kinds: dict[str, list[Contribution]] = {}
    for c in ranked:
        if id(c) not in chosen:
            kinds.setdefault(c.kind, []).append(c)
    return notable, sorted(kinds.values(), key=_order)


def _order(line: list[Contribution]) -> tuple[bool, float]:
    return line[0].kind == _SILENCE, -abs(_sum(line))


def _line(line: list[Contribution], most: float, titles: Mapping[str, str], words: Words) -> Reason:
    first = words.day(min(c.from_ms for c in line))
    last = words.day(max(c.to_ms for c in line))
    return _reason(
        told_of(line[0], titles, words)
        if len(line) == 1
        else model_words.together(line, words.language),
        first if first == last else f"{first} – {last}",
        model_words.strength(_sum(line), words.language),
        _sum(line),
        most,
        words,
    )


def _sum(line: list[Contribution]) -> float:
    return sum(c.turning for c in line)


def _reason(
    text: str, when: str, strength: str, log_odds: float, most: float, words: Words
) -> Reason:
    share = abs(log_odds) / most
    return Reason(
        text=text,
        when=when,
        strength=strength,
        log_odds=log_odds,
        value=words.decimal(log_odds),
        width=round(min(share, 1.0) * 50, 1),
        counts_for=log_odds >= 0,
        is_cut=share > 1.0,
    )
