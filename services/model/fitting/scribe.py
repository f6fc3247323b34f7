"""From a person's events to steps, by the fold itself: what it weighs is what is fitted on."""

from collections.abc import Sequence

import numpy as np

from services.contract.event import Event
from services.contract.phases import DAY_MS
from services.model.fitting.history import (
    HIRED,
    ISSUE,
    MAIL_CLICK,
    MAIL_OPEN,
    NOT_CLICKED,
    NOT_OPENED,
    NOTHING,
    UNSEEN,
    UNSUBSCRIBE,
    Histories,
    codes_of,
)
from services.model.fold import elapse, fold_onto
from services.model.path import closing
from services.model.state import Mail, PersonState
from services.model.version import Model

STEPS_MAX = 4_000
"""Of a spell no more is kept; what is known of it ends there."""

_ANSWERS = {
    "mail_open": MAIL_OPEN,
    "mail_click": MAIL_CLICK,
    "issue_open": MAIL_OPEN + ISSUE,
    "issue_click": MAIL_CLICK + ISSUE,
}
_CLOSINGS = {"mail_not_opened", "mail_not_clicked", "issue_not_opened", "issue_not_clicked"}


class Scribe:
    """Writes down what the fold tells it, one person after the other; a ledger.

    Args:
        model: any version with the kinds in question; its numbers do not matter.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._codes = codes_of(model.parameters) | _ANSWERS
        self._persons: list[int] = []
        self._ends: list[int] = []
        self._days: list[float] = []
        self._steps: list[int] = []
        self._begin_ms = 0
        self._is_open = False
        self._person = 0
        self._closing: list[Mail] = []
        self._state: PersonState | None = None
        self._had_issues = True

    def follow(self, person: int, events: Sequence[Event], until_ms: int) -> None:
        """Add a person.

        Args:
            person: a number for the person.
            events: all, in canonical order.
            until_ms: how far the record reaches; not before the last event.
        """
        state: PersonState | None = None
        for event in events:
            self._person = person
            self._prepare(state)
            state = fold_onto(state, event, self._model, ledger=self)
            if self._is_open and state.score is None:
                self._end(HIRED if event.type == "hired" else NOTHING, event.occurred_ms)
        if state is not None and self._is_open:
            self._prepare(state)
            elapse(state, until_ms, self._model, self)
            self._end(NOTHING, until_ms)

    def histories(self) -> Histories:
        """All that was written down."""
        return Histories(
            np.array(self._persons, dtype=np.int64),
            np.array(self._ends, dtype=np.int64),
            np.array(self._days, dtype=np.float64),
            np.array(self._steps, dtype=np.int8),
        )

    def note(self, kind: str, at_ms: int, p: Sequence[float], event: Event | None) -> None:
        """What the fold tells; see :class:`services.model.ledger.Ledger`."""
        del p
        if kind == "start":
            self._begin_ms, self._is_open = at_ms, True
        elif not self._is_open or kind == "silence":
            return
        elif kind in _CLOSINGS:
            self._add(_closing_code(self._closing.pop()), at_ms)
        elif kind == "unsubscribe":
            self._add(UNSUBSCRIBE + (ISSUE if self._is_issue(event) else 0), at_ms)
        else:
            self._add(self._codes[kind], at_ms)

    def _prepare(self, state: PersonState | None) -> None:
        """Look at what the next event may end: mails that close unanswered, the first one last."""
        self._state = state
        if state is not None and state.score is not None:
            self._had_issues = not state.score.issue_off
            score = state.score
            unanswered = [m for m in score.mails if closing(m, score, self._model) is not None]
            unanswered.sort(key=lambda mail: (mail.close_ms, mail.message_id), reverse=True)
            self._closing = unanswered

    def _is_issue(self, event: Event | None) -> bool:
        """Whether an unsubscribe was from the magazine."""
        if self._state is None or self._state.score is None:
            return event is not None and event.channel == "magazine"
        return self._had_issues and self._state.score.issue_off

    def _add(self, code: int, at_ms: int) -> None:
        begin = self._ends[-1] if self._ends else 0
        if len(self._steps) - begin == STEPS_MAX - 1:
            self._end(NOTHING, at_ms)
            return
        self._steps.append(code)
        self._days.append((at_ms - self._begin_ms) / DAY_MS)

    def _end(self, code: int, at_ms: int) -> None:
        self._steps.append(code)
        self._days.append((at_ms - self._begin_ms) / DAY_MS)
        self._ends.append(len(self._steps))
        self._persons.append(self._person)
        self._is_open = False


def _closing_code(mail: Mail) -> int:
    code = NOT_CLICKED if mail.opened else UNSEEN if mail.by_machine else NOT_OPENED
    return code + ISSUE if mail.issue else code
