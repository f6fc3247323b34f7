"""The tracker's door, from inside: what changes a person is an event, said by the product."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from services.api.problem import Problem
from services.contract.event import Identity

TIMEOUT_S = 5.0
BATCH_MAX = 100


@dataclass(frozen=True)
class Tie:
    """Two identities of one person, with what the person had agreed to."""

    known: Identity
    token: Identity
    measure: bool
    profile: bool


class Door(Protocol):
    """Takes what the API says of persons."""

    def tie(self, workspace_id: int, ties: Sequence[Tie]) -> str | None:
        """Let the record know that identities belong together; the last event's position.

        Raises:
            Problem: 503, the tracker cannot be reached or takes nothing now.
        """


class HttpDoor:
    """The tracker over HTTP, with the internal key."""

    def __init__(self, tracker_url: str, internal_key: str) -> None:
        self._url = tracker_url.rstrip("/") + "/v1/batch"
        self._internal_key = internal_key

    def tie(self, workspace_id: int, ties: Sequence[Tie]) -> str | None:
        """See :meth:`Door.tie`."""
        position: str | None = None
        for i in range(0, len(ties), BATCH_MAX):
            calls = [_identify(tie) for tie in ties[i : i + BATCH_MAX]]
            position = self._send(workspace_id, calls) or position
        return position

    def _send(self, workspace_id: int, calls: list[dict[str, Any]]) -> str | None:
        try:
            answer = httpx.post(
                self._url,
                json={"batch": calls},
                auth=(self._internal_key, ""),
                headers={"X-Kentering-Workspace": str(workspace_id)},
                timeout=TIMEOUT_S,
            )
            if answer.status_code == httpx.codes.OK:
                position: str | None = answer.json()["position"]
                return position
        except (httpx.HTTPError, ValueError, KeyError):
            pass
        text = "The tracker takes no events just now, so nothing was signed."
        raise Problem(503, "tracker_away", text, {"Retry-After": "5"})


def _identify(tie: Tie) -> dict[str, Any]:
    """A Segment identify call; its id is the tie's own, so that saying it again changes nothing."""
    return {
        "type": "identify",
        "messageId": f"person-token:{tie.token.value}:{tie.known.namespace}:{tie.known.value}",
        "context": {
            "externalIds": [
                {"type": identity.namespace, "id": identity.value, "collection": "users"}
                for identity in (tie.known, tie.token)
            ],
            "consent": {"categoryPreferences": {"measure": tie.measure, "profile": tie.profile}},
        },
    }
