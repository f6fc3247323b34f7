"""What processes beside us tell of themselves, for the one port that stands for all of ``up``."""

import httpx

PATIENCE_S = 1.0


class Beside:
    """Asks the health server of a process beside us.

    Args:
        name: what it is, in words.
        address: host and port, as ``127.0.0.1:8003``.
        metrics: each a way in which the names of its own metrics begin.
    """

    def __init__(self, name: str, address: str, metrics: tuple[str, ...]) -> None:
        self._name, self._metrics = name, metrics
        self._client = httpx.Client(base_url=f"http://{address}", timeout=PATIENCE_S)

    def why_not_ready(self) -> str | None:
        """What it says itself; None where it is ready."""
        answer = self._get("/readyz")
        if answer is None:
            return f"{self._name} does not answer"
        return None if answer.is_success else f"{self._name}: {answer.text.strip()}"

    def with_own(self, metrics: str) -> str:
        """Our metrics, those of its being its own."""
        answer = self._get("/metrics")
        theirs = "" if answer is None else answer.text
        kept = [line for line in metrics.splitlines() if not self._is_own(line)]
        return "\n".join([*kept, *filter(self._is_own, theirs.splitlines()), ""])

    def _get(self, path: str) -> httpx.Response | None:
        try:
            return self._client.get(path)
        except httpx.TransportError:
            return None

    def _is_own(self, line: str) -> bool:
        name = line.split(" ", 3)[2] if line.startswith("# ") else line
        return name.startswith(self._metrics)
