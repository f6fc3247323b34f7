"""What the scorer's process tells of itself, for the one port that stands for all of ``up``."""

import httpx

PATIENCE_S = 1.0
_SCORERS = "kentering_scorer_"


class ScorerHealth:
    """Asks the health server of the scorer beside us.

    Args:
        address: host and port, as ``127.0.0.1:8003``.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def why_not_ready(self) -> str | None:
        """What the scorer itself says; None where it is ready."""
        answer = self._get("/readyz")
        if answer is None:
            return "the scorer does not answer"
        return None if answer.is_success else f"the scorer: {answer.text.strip()}"

    def with_scorer(self, metrics: str) -> str:
        """Our metrics, those of the scorer's being its own."""
        answer = self._get("/metrics")
        theirs = "" if answer is None else answer.text
        kept = [line for line in metrics.splitlines() if not _is_scorers(line)]
        return "\n".join([*kept, *filter(_is_scorers, theirs.splitlines()), ""])

    def _get(self, path: str) -> httpx.Response | None:
        try:
            return httpx.get(f"http://{self._address}{path}", timeout=PATIENCE_S)
        except httpx.TransportError:
            return None


def _is_scorers(line: str) -> bool:
    name = line.split(" ", 3)[2] if line.startswith("# ") else line
    return name.startswith(_SCORERS)
