"""The segments that the demonstration begins with."""

import httpx

from services.demo.calls import Call
from services.demo.doors import Doors, post


def _phase(*phases: str) -> Call:
    return {"type": "phase", "any_of": list(phases)}


SEGMENTS: tuple[tuple[str, str, Call], ...] = (
    ("nu-actief", "Nu actief", _phase("do")),
    ("kenteren", "Kenteren", _phase("think")),
    (
        "monteurs-noord",
        "Monteurs regio Noord in Think of Do",
        {
            "type": "all",
            "rules": [
                {"type": "attribute", "name": "profession", "op": "contains", "value": "monteur"},
                {"type": "attribute", "name": "region", "op": "is", "value": "Noord"},
                _phase("think", "do"),
            ],
        },
    ),
    (
        "drie-vacatures",
        "3 vacatures bekeken in 30 dagen",
        {"type": "events", "event": ["vacancy_viewed"], "at_least": 3, "within_days": 30},
    ),
)


async def make_segments(client: httpx.AsyncClient, doors: Doors) -> None:
    """Make them; playing again finds them made."""
    response = await client.get(
        "/v1/segments", headers={"Authorization": f"Bearer {doors.api_key}"}
    )
    response.raise_for_status()
    there = {segment["key"] for segment in response.json()["segments"]}
    for key, name, rule in SEGMENTS:
        if key not in there:
            body = {"key": key, "name": name, "rule": rule}
            await post(client, "/v1/segments", doors.api_key, body)
