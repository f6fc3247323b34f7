"""One event more: what is known of a person moves on.

``fold`` is pure. Events come in the canonical order (occurred_ms, event_id); whoever has one
that belongs before the last folds anew from an earlier state.
"""

from itertools import pairwise

from services.contract.consent import is_answer, said_ms
from services.contract.event import LISTED, Event
from services.model.behaviour import is_evidence, tells
from services.model.engagement import engage, ignore
from services.model.evidence import MAILS_MAX, weigh_event
from services.model.filter import states
from services.model.habits import contact, keep, uncontact
from services.model.ledger import NO_LEDGER, Ledger
from services.model.parameters import Hysteresis
from services.model.path import Path
from services.model.rules.memory import (
    NO_MEMORIES,
    Memories,
    Told,
    forget,
    put_by_hand,
    remember,
    remember_phase,
)
from services.model.state import Mail, PersonState, Score, copy_state
from services.model.stretch import Stretch
from services.model.version import Model

CLICKS_MAX = 32
ATTRIBUTES_MAX = 200


def fold(
    state: PersonState | None,
    event: Event,
    model: Model,
    memories: Memories = NO_MEMORIES,
    ledger: Ledger = NO_LEDGER,
) -> PersonState:
    """The state after ``event``.

    Args:
        state: after the event before it; None for a person's first. It is not changed.
        event: not before the last one folded.
        model: the version.
        memories: what rules ask to be kept.
        ledger: is told what moved the probabilities.
    """
    copied = None if state is None else copy_state(state)
    return fold_onto(copied, event, model, memories, ledger)


def fold_onto(
    state: PersonState | None,
    event: Event,
    model: Model,
    memories: Memories = NO_MEMORIES,
    ledger: Ledger = NO_LEDGER,
    path: Path | None = None,
) -> PersonState:
    """The same, for who keeps no other hold of ``state``: it is changed.

    ``path``, where one is at hand, leads from ``state`` to the event.
    """
    at = event.occurred_ms
    if state is None:
        state = PersonState(at_ms=at, at_id=event.event_id, first_ms=at)
    elif memories.phase and at > state.at_ms:
        path = path or Path(state, model, until_ms=at)
        remember_phase(state, path.phase, path.end_ms)
        elapse(state, at, model, ledger, path)
    else:
        elapse(state, at, model, ledger, path)
    state.at_ms, state.at_id = at, event.event_id
    state.events += 1
    _agree(state, event, model, ledger)
    if event.type == "identified":
        learn(state, event)
    _employ(state, event)
    told = memories.of(event.type)
    _remember(state, event, told)
    if tells(event):
        state.told_ms = at
    if not is_evidence(event):
        _machine(state, event)
    elif state.score is not None and not is_silent(event) and not same_click(state, event):
        engage(state, event, model)
        if told.heard:
            remember(state, event, told.heard)
        _hear(state, state.score, event, model, ledger)
        keep(state, event, model)
    if state.score is not None:
        _judge(state.score, event, model)
    return state


def _remember(state: PersonState, event: Event, told: Told) -> None:
    """What rules ask to be kept, whoever did it; and who was put in a segment by hand."""
    if event.type == LISTED and event.content_id is not None:
        put_by_hand(state, event.content_id, str(event.properties.get("list")), event.occurred_ms)
    if told.always:
        remember(state, event, told.always)
    if told.scored and state.score is not None:
        remember(state, event, told.scored)


def learn(state: PersonState, event: Event) -> None:
    """Attributes: the latest value of each; of names beyond the bound nothing is kept."""
    for name, value in event.properties.items():
        if name in state.attributes or len(state.attributes) < ATTRIBUTES_MAX:
            state.attributes[name] = value


def _agree(state: PersonState, event: Event, model: Model, ledger: Ledger) -> None:
    """What the person agreed to by this event; scoring begins, or ends and is forgotten."""
    said = event.consent
    state.measure = state.measure if said.measure is None else said.measure
    state.contact = state.contact if said.contact is None else said.contact
    left_ms = state.left_ms
    employed = state.hired_ms is not None and not (
        left_ms is not None
        and (event.type == "identified" or (is_answer(event) and said_ms(event) > left_ms))
    )
    if said.profile is False:
        if not is_silent(event):
            state.profile = False
            _forget(state)
    elif said.profile and not employed:
        state.profile = True
        if state.score is None:
            state.hired_ms = state.left_ms = None
            state.score = Score(
                p=list(model.start), since_ms=event.occurred_ms, at_ms=event.occurred_ms
            )
            ledger.note("start", event.occurred_ms, model.start, None)


def is_silent(event: Event) -> bool:
    """Whether a page or an old mail repeats a no: it is no evidence, and ends nothing.

    Anybody can write somebody's user id into a page's call; what a no comes to that is an answer
    is told by ``services/contract/terms.py``.
    """
    return event.consent.profile is False and not event.server_only and not is_answer(event)


def _employ(state: PersonState, event: Event) -> None:
    """Nobody employed is scored or followed; after leaving only with consent given anew."""
    if event.type == "hired" and not _employed(state):
        state.hired_ms, state.left_ms = event.occurred_ms, None
        _forget(state)
    elif event.type == "left" and _employed(state):
        state.left_ms = event.occurred_ms


def _forget(state: PersonState) -> None:
    """Nothing of what was scored, or counted for rules, is kept."""
    state.score = state.habits = None
    state.engagement, state.clicks_ms = {}, {}
    forget(state)


def _employed(state: PersonState) -> bool:
    return state.hired_ms is not None and state.left_ms is None


def elapse(
    state: PersonState,
    to_ms: int,
    model: Model,
    ledger: Ledger = NO_LEDGER,
    path: Path | None = None,
) -> None:
    """Change ``state`` by silence up to ``to_ms``, which ``path`` (None: not at hand) leads to.

    Windows of mails close on the way, and signals go on and off.
    """
    score = state.score
    if score is None:
        return
    path = path or Path(state, model, until_ms=to_ms)
    if ledger is not NO_LEDGER:
        _tell(path, to_ms, ledger)
    for switch in path.switches:
        setattr(score, f"{switch.signal}_ms", switch.at_ms if switch.on else None)
    score.p, score.at_ms = path.stretches[-1].at(to_ms), to_ms
    closed = [mail for mail in score.mails if mail.close_ms <= to_ms]
    if closed:
        score.mails = [mail for mail in score.mails if mail.close_ms > to_ms]
        for mail in closed:
            ignore(state, mail, model)
        score.closed_mails += [mail.message_id for mail in closed]
        del score.closed_mails[:-MAILS_MAX]


def _tell(path: Path, to_ms: int, ledger: Ledger) -> None:
    """Of every silence on the way, and of the closing that ended it."""
    for before, stretch in pairwise(path.stretches):
        assert stretch.closed is not None  # noqa: S101  only a closing begins a new one
        _tell_silence(before, stretch.from_ms, ledger)
        ledger.note(_closing_kind(stretch.closed), stretch.from_ms, stretch.p, None)
    _tell_silence(path.stretches[-1], to_ms, ledger)


def _tell_silence(stretch: Stretch, to_ms: int, ledger: Ledger) -> None:
    if to_ms > stretch.from_ms:
        ledger.note("silence", to_ms, stretch.at(to_ms), None)


def _closing_kind(mail: Mail) -> str:
    kind = "not_clicked" if mail.opened else "not_opened"
    return f"issue_{kind}" if mail.issue else f"mail_{kind}"


def same_click(state: PersonState, event: Event) -> bool:
    """Whether this is the landing page of a click already counted, or the other way round."""
    if event.click_id is None:
        return False
    if event.click_id in state.clicks_ms:
        return True
    state.clicks_ms[event.click_id] = event.occurred_ms
    while len(state.clicks_ms) > CLICKS_MAX:
        del state.clicks_ms[next(iter(state.clicks_ms))]
    return False


def _machine(state: PersonState, event: Event) -> None:
    """Software's hit: no evidence, and neither is the page that its click led to."""
    if state.score is None:
        return
    if event.type == "click":
        same_click(state, event)
    elif event.type == "open" and event.message_id:
        for mail in state.score.mails:
            if mail.message_id == event.message_id:
                mail.by_machine = True


def _hear(state: PersonState, score: Score, event: Event, model: Model, ledger: Ledger) -> None:
    """Weigh the event; an opportunity that it begins is a contact, unless it never arrived."""
    latest = score.mails[-1] if score.mails else None
    weigh_event(score, event, model, ledger)
    if score.mails and score.mails[-1] is not latest:
        contact(state, event)
    elif event.type == "bounce" and event.properties.get("kind") != "soft":
        for mail in score.mails:
            if mail.message_id == event.message_id:
                uncontact(state, mail, model)


def _judge(score: Score, event: Event, model: Model) -> None:
    """Set the two signals by the probabilities after the event."""
    _, turning, active = states(score.p)
    signals, at, stay_ms = model.parameters.signals, event.occurred_ms, model.stay_ms
    score.turning_ms = _signal(score.turning_ms, turning + active, signals.turning, at, stay_ms)
    score.active_ms = _signal(score.active_ms, active, signals.active, at, stay_ms)


def _signal(
    since_ms: int | None, p: float, bounds: Hysteresis, at_ms: int, stay_ms: int
) -> int | None:
    """Since when a signal is on, the probability now being ``p``."""
    if since_ms is None:
        return at_ms if p >= bounds.enter else None
    return None if p < bounds.leave and at_ms >= since_ms + stay_ms else since_ms
