"""What a webhook's receiver gets, described for the OpenAPI's section of webhooks."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header
from pydantic import ConfigDict, Field, JsonValue

from services.api.changes import ChangeOut
from services.api.wire import Out

router = APIRouter(tags=["webhooks"])

_CHANGE: dict[str, JsonValue] = {
    "position": 4711,
    "type": "segment",
    "person": "p_6f1c0b9a2d3e4f50",
    "segment": "monteurs-noord",
    "namespace": None,
    "before": None,
    "after": "member",
    "valid_at": "2026-11-22T09:30:00.000Z",
    "recorded_at": "2026-11-22T09:30:00.412Z",
    "reason": "event",
    "event": "8c1f0a5e2b3d4c6f8e9a0b1c2d3e4f50",
    "person_version": 12,
    "trigger": None,
    "content": None,
}
Id = Annotated[str, Header(description="The message; the same however often it is sent.")]
Timestamp = Annotated[int, Header(description="Seconds since 1970 at which it was sent.")]
Signature = Annotated[
    str,
    Header(
        description="`v1,` and the HMAC-SHA256, in base64, of id, timestamp and body joined by "
        "dots; one for every secret that signs, with spaces between. Verify it by a library of "
        "Standard Webhooks."
    ),
]


class ChangeMessage(Out):
    """A change."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "segment.entered",
                    "timestamp": "2026-11-22T09:30:00.412Z",
                    "data": _CHANGE,
                }
            ]
        }
    )
    type: Literal[
        "phase.moved",
        "latency.moved",
        "segment.entered",
        "segment.left",
        "identity.linked",
        "identity.unlinked",
        "identity.merged",
        "identity.parted",
        "person.erased",
        "trigger.fired",
    ]
    timestamp: str = Field(description="When we came to know: `recorded_at` of the change.")
    data: ChangeOut = Field(description="The change as `GET /v1/changes` tells it.")


class TestData(Out):
    """What a test tells."""

    webhook: str = Field(examples=["wh_5f0c1b9a2d3e4f50"])


class TestMessage(Out):
    """A test that somebody asked for."""

    type: Literal["webhook.test"]
    timestamp: str
    data: TestData


@router.post(
    "change",
    operation_id="change_message",
    status_code=204,
    summary="A change, posted to a webhook",
    responses={410: {"description": "Stop: the webhook is then dead until it is resumed."}},
)
def change(
    body: ChangeMessage,
    webhook_id: Id,
    webhook_timestamp: Timestamp,
    webhook_signature: Signature,
) -> None:
    """At least once, and in order for each person. Answer any 2xx within 15 seconds.

    What fails is tried again for a day, at growing distances; `Retry-After` is kept to.
    """


@router.post(
    "test",
    operation_id="test_message",
    status_code=204,
    summary="A test, posted to a webhook",
)
def test(
    body: TestMessage,
    webhook_id: Id,
    webhook_timestamp: Timestamp,
    webhook_signature: Signature,
) -> None:
    """As `POST /v1/webhooks/{id}/test` asks for."""
