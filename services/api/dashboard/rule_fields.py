"""What the form of a rule asks of each condition, and how a field becomes part of a rule."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from services.contract.consent import PURPOSES
from services.contract.event import LISTED, Channel, EventType
from services.contract.phases import PHASES, LatencyState
from services.model.rules.values import Op

Kind = Literal["choices", "choice", "yes_no", "whole", "percent", "number", "text", "list", "value"]
"""``value`` is a number, yes or no, or text, as it is written; ``list`` has commas between."""

_WHOLE = re.compile(r"-?\d{1,12}")
_NUMBER = re.compile(r"-?\d{1,12}([.,]\d{1,12})?")
_LISTS = frozenset({"any_of", "none_of"})


@dataclass(frozen=True)
class Field:
    """One field of a condition."""

    name: str
    kind: Kind
    options: tuple[str, ...] = ()
    """Of choices; of one choice the first is taken where nothing was chosen."""
    may_lack: bool = True
    """Whether a choice may be left open."""


_EVENTS = tuple(one for one in get_args(EventType) if one != LISTED)
_SHOWN_EVENTS = tuple(one for one in _EVENTS if one not in {"identity_decision", "erased"})
_CHANNEL = Field("channel", "choice", get_args(Channel))
_EVENT = Field("event", "choices", _SHOWN_EVENTS)

CONDITIONS: dict[str, tuple[Field, ...]] = {
    "phase": (Field("any_of", "choices", PHASES),),
    "events": (
        _EVENT,
        Field("at_least", "whole"),
        Field("at_most", "whole"),
        Field("within_days", "whole"),
        Field("topic", "list"),
        Field("content_id", "text"),
        Field("campaign", "list"),
        Field("channel", "choices", get_args(Channel)),
    ),
    "attribute": (
        Field("name", "text"),
        Field("op", "choice", get_args(Op), may_lack=False),
        Field("value", "value"),
    ),
    "interest": (
        Field("topic", "list"),
        Field("among_strongest", "whole"),
        Field("share_at_least", "percent"),
    ),
    "probability": (
        Field(
            "of", "choice", ("openness", "latent_latent", "actively_latent", "active"),
            may_lack=False,
        ),
        Field("at_least", "percent"),
        Field("below", "percent"),
    ),
    "latency_state": (Field("any_of", "choices", get_args(LatencyState)),),
    "time_in_phase": (
        Field("any_of", "choices", PHASES),
        Field("at_least_days", "whole"),
        Field("less_than_days", "whole"),
    ),
    "last_event": (
        _EVENT,
        Field("at_least_days_ago", "whole"),
        Field("less_than_days_ago", "whole"),
        Field("topic", "list"),
    ),
    "engagement": (
        Field("of", "choice", ("engaged", "against"), may_lack=False),
        Field("topic", "text"),
        Field("at_least", "number"),
        Field("below", "number"),
    ),
    "availability": (
        Field("answer", "choice", ("available", "unavailable", "unknown"), may_lack=False),
        Field("within_days", "whole"),
        Field("source", "choice", ("said", "calendar")),
    ),
    "attribute_date": (
        Field("name", "text"),
        Field("from_days", "whole"),
        Field("to_days", "whole"),
        Field("every_year", "yes_no", ("no", "yes"), may_lack=False),
    ),
    "cadence": (
        Field("every_days", "whole"),
        _CHANNEL,
        Field("due", "yes_no", ("yes", "no"), may_lack=False),
    ),
    "pressure": (
        Field("at_least", "whole"),
        Field("at_most", "whole"),
        Field("within_days", "whole"),
        _CHANNEL,
    ),
    "consent": (
        Field("purpose", "choice", PURPOSES, may_lack=False),
        Field("answer", "choice", ("yes", "no", "none"), may_lack=False),
    ),
    "identity": (
        Field("namespace", "text"),
        Field("known", "yes_no", ("yes", "no"), may_lack=False),
    ),
    "in_segment": (Field("segment", "choice", may_lack=False),),
}  # fmt: skip
"""Those that the form knows, the most used first; what else a rule may have is shown as JSON."""


def read(kind: str, values: dict[str, list[str]]) -> dict[str, Any]:
    """A condition as JSON from its fields; what cannot be read stays as written, to be refused."""
    found: dict[str, Any] = {"type": kind}
    for field in CONDITIONS[kind]:
        given = [text.strip() for text in values.get(field.name, []) if text.strip()]
        if given:
            found[field.name] = given if field.kind == "choices" else _READ[field.kind](given[0])
    if kind == "attribute" and "value" in found:
        if found.get("op") in _LISTS:
            found["values"] = [_value(one) for one in _list(values["value"][0])]
            del found["value"]
        elif found.get("op") in {"known", "unknown"}:
            del found["value"]
    return found


def write(condition: dict[str, Any]) -> dict[str, list[str]] | None:
    """The fields of a condition; None: the form has not all that it says.

    Args:
        condition: as JSON.
    """
    told = bare(condition)
    kind = told.pop("type")
    if kind == "attribute" and "values" in told:
        told["value"] = told.pop("values")
    fields = {field.name: field for field in CONDITIONS.get(kind, ())}
    if not told.keys() <= fields.keys():
        return None
    values = {name: _written(fields[name], value) for name, value in told.items()}
    # What would not come back as it is cannot be shown so.
    return values if read(kind, values) == bare(condition) else None


def bare(condition: dict[str, Any]) -> dict[str, Any]:
    """A condition's JSON without the fields that say nothing."""
    return {name: one for name, one in condition.items() if one not in (None, [], "")}


def _written(field: Field, value: Any) -> list[str]:
    if field.kind == "choices":
        return [str(one) for one in value]
    if isinstance(value, list):
        return [", ".join(_text(one) if field.kind == "value" else str(one) for one in value)]
    if field.kind in {"text", "choice"}:
        return [str(value)]
    if field.kind == "percent":
        return [f"{value * 100:g}"]
    if field.kind == "yes_no":
        return ["yes" if value else "no"]
    return [_text(value)]


def _text(value: Any) -> str:
    """A value as it is written, so that it is read as the same."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:.12g}"
    return f'"{value}"' if _value(value) != value else value


def _whole(text: str) -> int | str:
    return int(text) if _WHOLE.fullmatch(text) else text


def _number(text: str) -> float | str:
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else text


def _percent(text: str) -> float | str:
    number = _number(text.rstrip("% "))
    return text if isinstance(number, str) else round(number / 100, 9)


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _value(text: str) -> Any:
    if text in {"true", "false"}:
        return text == "true"
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    if _WHOLE.fullmatch(text):
        return int(text)
    return _number(text) if "." in text else text


_READ: dict[Kind, Callable[[str], Any]] = {
    "choice": str,
    "text": str,
    "yes_no": lambda text: text == "yes",
    "whole": _whole,
    "number": _number,
    "percent": _percent,
    "list": _list,
    "value": _value,
}
