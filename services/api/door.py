"""The tracker's door, from inside: what changes a person is an event, said by the product."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from services.api import said
from services.api.problem import Problem
from services.api.said import Answer, Farewell, Put, Sending, Tie, Word
from services.contract.token import Recipient

TIMEOUT_S = 5.0
BATCH_MAX = 100
TOLD_BYTES_MAX = 2 * 2**20
"""Of calls in one request; the tracker takes twice as much."""


@dataclass(frozen=True)
class Told:
    """What the tracker answered to calls."""

    position: str | None
    """Of the last event that follows somebody."""
    results: dict[str, dict[str, Any]]
    """By message id, as the tracker's answer has them."""


class Door:
    """The tracker over HTTP, with the internal key."""

    def __init__(self, tracker_url: str, internal_key: str) -> None:
        self._url = tracker_url.rstrip("/") + "/v1/batch"
        # One for all: to make a client reads all certificates of the system. Each request has a
        # connection of its own, for an idle one may be gone when it is wanted.
        self._client = httpx.Client(
            auth=(internal_key, ""),
            timeout=TIMEOUT_S,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def tell(self, workspace_id: int, calls: Sequence[dict[str, Any]]) -> Told:
        """Tell calls of the Segment spec, together at most TOLD_BYTES_MAX.

        Raises:
            Problem: 503, the tracker cannot be reached or takes nothing now.
        """
        return self._send(workspace_id, calls)

    def tie(self, workspace_id: int, ties: Sequence[Tie]) -> str | None:
        """Let the record know that identities belong together; the last event's position.

        Raises:
            Problem: 503, the tracker cannot be reached or takes nothing now.
        """
        return self._tell(workspace_id, [said.identify(tie) for tie in ties])

    def sent(
        self,
        workspace_id: int,
        sending: Sending,
        people: Sequence[tuple[str, Recipient | None]],
    ) -> str | None:
        """Tell that people were sent a mailing; the last event's position.

        Args:
            workspace_id: whose mailing.
            sending: the mailing.
            people: (person token, what they agreed to); None: it counts, but follows nobody.

        Raises:
            Problem: 503, the tracker cannot be reached or takes nothing now.
        """
        return self._tell(workspace_id, [said.sent(sending, *person) for person in people])

    def answer(self, workspace_id: int, answer: Answer) -> str | None:
        """Tell what a person answered about consent; the event's position, None if it is refused.

        Raises:
            Problem: 503, the tracker cannot be reached or takes nothing now.
        """
        return self._tell(workspace_id, [said.answered(answer)])

    def decide(self, workspace_id: int, words: Sequence[Word]) -> str | None:
        """Tell what was decided of who is who; the last event's position, None if it is refused.

        Raises:
            Problem: 503, the tracker cannot be reached or takes nothing now.
        """
        return self._tell(workspace_id, [said.decided(word) for word in words])

    def put(self, workspace_id: int, put: Put) -> str | None:
        """Tell that somebody was put in a segment by hand; the position, None if it is refused.

        Raises:
            Problem: 503, the tracker cannot be reached or takes nothing now.
        """
        return self._tell(workspace_id, [said.listed(put)])

    def erase(self, workspace_id: int, farewell: Farewell) -> str | None:
        """Tell that a person is erased; the last event's position, None if it is refused.

        Raises:
            Problem: 503, the tracker cannot be reached or takes nothing now.
        """
        return self._tell(workspace_id, said.erased(farewell))

    def _tell(self, workspace_id: int, calls: Sequence[dict[str, Any]]) -> str | None:
        position: str | None = None
        for i in range(0, len(calls), BATCH_MAX):
            position = self._send(workspace_id, calls[i : i + BATCH_MAX]).position or position
        return position

    def _send(self, workspace_id: int, calls: Sequence[dict[str, Any]]) -> Told:
        try:
            answer = self._client.post(
                self._url,
                content=msgspec.json.encode({"batch": calls}),
                headers={
                    "Content-Type": "application/json",
                    "X-Kentering-Workspace": str(workspace_id),
                },
            )
            if answer.status_code == httpx.codes.OK:
                told = answer.json()
                return Told(told["position"], told["results"])
        except (httpx.HTTPError, ValueError, KeyError):
            pass
        text = "The tracker takes no events just now, so nothing was done."
        raise Problem(503, "tracker_away", text, {"Retry-After": "5"})
