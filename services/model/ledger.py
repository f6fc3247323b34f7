"""Who listens while probabilities move; see ``services/model/explain.py``."""

from collections.abc import Sequence
from typing import Protocol

from services.contract.event import Event


class Ledger(Protocol):
    """Is told every step that moved the probabilities."""

    def note(self, kind: str, at_ms: int, p: Sequence[float], event: Event | None) -> None:
        """``kind`` of step ended at ``at_ms`` and left ``p``."""


class _NoLedger:
    def note(self, kind: str, at_ms: int, p: Sequence[float], event: Event | None) -> None:
        pass


NO_LEDGER = _NoLedger()
