"""A piece of silence: the probabilities in it, and what looking for crossings needs of them.

What is made of its beginning is made once, where somebody asks: many rules look at one stretch.
"""

from services.contract.phases import DAY_MS
from services.model.filter import Probabilities, after_silence, spread, states
from services.model.state import Mail
from services.model.threshold import Column, column_of
from services.model.version import Model


class Stretch:
    """Silence from ``from_ms`` on, up to the next stretch.

    Args:
        from_ms: its beginning.
        p: the probabilities then.
        closed: the mail whose window closed then.
        model: the version.
    """

    __slots__ = ("_c", "_column", "_model", "_states", "closed", "from_ms", "p")

    def __init__(self, from_ms: int, p: Probabilities, closed: Mail | None, model: Model) -> None:
        self.from_ms, self.p, self.closed = from_ms, p, closed
        self._model = model
        self._c: list[float] | None = None
        self._column: Column | None = None
        self._states: tuple[float, float, float] | None = None

    @property
    def c(self) -> list[float]:
        """``p`` as from ``filter.spread``, where somebody asks."""
        if self._c is None:
            self._c = spread(self.p, self._model)
        return self._c

    @property
    def column(self) -> Column:
        """The same as a column."""
        if self._column is None:
            self._column = column_of(self.c)
        return self._column

    def begins_at(self, wanted: tuple[int, ...]) -> float:
        """The probability of being in one of some states at its beginning."""
        if self._states is None:
            self._states = states(self.p)
        total = 0.0
        for i in wanted:
            total += self._states[i]
        return total

    def at(self, at_ms: int) -> Probabilities:
        """The probabilities at a moment in it."""
        if at_ms == self.from_ms:
            return self.p
        return after_silence(self.p, (at_ms - self.from_ms) / DAY_MS, self._model)
