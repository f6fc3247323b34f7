"""The fields of a trigger's form: what stands in them, and what they ask for."""

from typing import Any

from services.api.dashboard.forms import Sent, whole_number
from services.api.next_content import PER_WEEK_MAX
from services.api.trigger_view import AtOnce, Later, TriggerOut

UNITS_MINUTES = {"minutes": 1, "hours": 60, "days": 24 * 60}
_EMPTY = {
    "name": "", "place": "phase:think", "content": "", "when": "at_once", "number": "7",
    "unit": "days", "channel": "", "per_week": str(PER_WEEK_MAX), "webhook": "",
}  # fmt: skip
"""What a new trigger's form begins with."""


def wished(sent: Sent) -> dict[str, Any]:
    """What the form asks for, as the API takes it.

    Raises:
        Problem: 400, a number is none.
    """
    kind, _, key = sent.field("place").partition(":")
    return {
        "name": sent.field("name"),
        "phase": key if kind == "phase" else None,
        "segment": key if kind == "segment" else None,
        "content_id": sent.field("content") or None,
        "when": _when(sent),
        "channel": sent.field("channel") or None,
        "per_week": whole_number(sent, "per_week"),
        "webhook_id": sent.field("webhook") or None,
    }


def _when(sent: Sent) -> dict[str, Any]:
    kind = sent.field("when")
    if kind == "at_once":
        return {"type": kind}
    minutes = (whole_number(sent, "number") or 0) * UNITS_MINUTES.get(sent.field("unit"), 0)
    if kind == "after":
        return {"type": kind, "minutes": minutes}
    return {"type": kind, "within_days": minutes // UNITS_MINUTES["days"]}


def given_by(sent: Sent | None) -> dict[str, str]:
    """What stands in the form: what was sent, else what it begins with."""
    return _EMPTY if sent is None else {name: sent.field(name) for name in _EMPTY}


def given_of(found: TriggerOut) -> dict[str, str]:
    """What stands in the form of a trigger that is there."""
    return _EMPTY | {
        "name": found.name,
        "content": found.content_id or "",
        "channel": found.channel or "",
        "per_week": str(found.per_week),
        "webhook": found.webhook_id or "",
        "when": found.when.type,
        **_wait_of(found),
    }


def _wait_of(found: TriggerOut) -> dict[str, str]:
    """How long it waits, in the largest unit that it is whole in."""
    if isinstance(found.when, AtOnce):
        return {}
    if not isinstance(found.when, Later):
        return {"number": str(found.when.within_days), "unit": "days"}
    minutes = found.when.minutes
    unit = next(one for one in ("days", "hours", "minutes") if minutes % UNITS_MINUTES[one] == 0)
    return {"number": str(minutes // UNITS_MINUTES[unit]), "unit": unit}
