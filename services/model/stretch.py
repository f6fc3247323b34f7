"""A piece of silence: the probabilities in it, and how each of them goes.

What is made of its beginning is made once, where somebody asks: many rules look at one stretch.
"""

from services.contract.phases import DAY_MS
from services.model.crossing import Motion
from services.model.filter import Probabilities, after_silence, spread, states
from services.model.state import Mail
from services.model.threshold import Column, Quantity, column_of
from services.model.version import Model


class Stretch:
    """Silence from ``from_ms`` on, up to the next stretch.

    Args:
        from_ms: its beginning.
        p: the probabilities then.
        closed: the mail whose window closed then.
        model: the version.
    """

    __slots__ = ("_c", "_column", "_model", "_motions", "_states", "closed", "from_ms", "p")

    def __init__(self, from_ms: int, p: Probabilities, closed: Mail | None, model: Model) -> None:
        self.from_ms, self.p, self.closed = from_ms, p, closed
        self._model = model
        self._c: list[float] | None = None
        self._column: Column | None = None
        self._motions: dict[str, Motion] = {}
        self._states: tuple[float, float, float] | None = None

    def motion(self, quantity: Quantity, length_ms: int) -> Motion:
        """How a probability goes in it.

        Args:
            quantity: the probability.
            length_ms: of the stretch: the same for whoever asks.
        """
        found = self._motions.get(quantity.of)
        if found is None:
            if self._c is None or self._column is None:
                self._c = spread(self.p, self._model)
                self._column = column_of(self._c)
            found = Motion(quantity, self._c, self._column, length_ms)
            self._motions[quantity.of] = found
        return found

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
