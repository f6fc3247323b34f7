"""What is said of a change that no event brought at its moment: it came as time passed."""

from collections.abc import Mapping

from services.api.dashboard.steps import Step
from services.api.dashboard.texts import Words
from services.api.dashboard.titles import title_of
from services.contract.event import Event


def named(event: Event, titles: Mapping[str, str], words: Words) -> str:
    """What somebody did or got, and with what."""
    what, about = words.event(event.type), title_of(event, titles)
    return f"{what}: {about}" if about else what


def before_it(step: Step) -> bytes | None:
    """The event that time followed: of a fall the one that had led on, else the latest step's."""
    return step.earlier_id if step.is_fall else step.event_id or step.earlier_id


def by_time(
    step: Step | None,
    at_ms: int,
    events: Mapping[bytes, Event],
    titles: Mapping[str, str],
    words: Words,
) -> str:
    """Who fell back fell back, from where and since what; of others what came before it.

    Args:
        step: into the phase that held at the moment; None: it is not known.
        at_ms: the moment of the change.
        events: by their ids; :func:`before_it` is among them where it is known still.
        titles: by the ids of content.
        words: in a language.
    """
    event_id = None if step is None else before_it(step)
    event = None if event_id is None else events.get(event_id)
    known = None if event is None else named(event, titles, words)
    day = "" if event is None else words.day(event.occurred_ms)
    if step is not None and step.is_fall and step.before and step.at_ms == at_ms:
        fell = words["fell_back"].format(phase=step.before.capitalize())
        return fell + (words["fell_back_since"].format(what=known, day=day) if known else "")
    if known is None:
        return words["as_time_passed"]
    return words["as_time_passed_since"].format(what=known, day=day)
