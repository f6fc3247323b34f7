"""When each hidden state was entered, kept step by step while a history is folded."""

from collections.abc import Sequence

from services.contract.event import Event
from services.contract.phases import DAY_MS
from services.model.since import filling, held_after_silence
from services.model.version import SIZE, STATES, Model


class Entries:
    """A ledger (see ``services/model/ledger.py``) that keeps when states were entered.

    What it keeps, and how that moves, says ``services/model/since.py``.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._fillings = [filling(silence) for silence in model.silence]
        self._origin_ms = self._at_ms = 0
        self._p: Sequence[float] = model.start
        self._m = [0.0] * SIZE
        """In days after the origin."""

    def note(self, kind: str, at_ms: int, p: Sequence[float], event: Event | None) -> None:  # noqa: ARG002  a ledger's
        """``kind`` of step ended at ``at_ms`` and left ``p``."""
        if kind == "start":
            self._origin_ms, self._m = at_ms, [0.0] * SIZE
        elif kind == "silence":
            begin = (self._at_ms - self._origin_ms) / DAY_MS
            days = (at_ms - self._at_ms) / DAY_MS
            points = self._model.silence
            self._m = held_after_silence(self._p, self._m, points, self._fillings, begin, days)
        else:
            self._m = [m * (now / then) for m, now, then in zip(self._m, p, self._p, strict=True)]
        self._p, self._at_ms = p, at_ms

    def entered_ms(self) -> tuple[int, int, int]:
        """For each state, when it was entered, should the person be in it now: UTC ms."""
        ms = [
            self._origin_ms + round(sum(self._m[i::STATES]) / sum(self._p[i::STATES]) * DAY_MS)
            for i in range(STATES)
        ]
        return ms[0], ms[1], ms[2]
