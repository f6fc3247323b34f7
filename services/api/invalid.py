"""Requests that are not as described: what is wrong with which value, in words for people."""

import re
from collections.abc import Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError

from services.api.place import walked
from services.api.problem import Problem
from services.api.suggest import meant, nearest, shown
from services.contract.spelling import IN_WORDS


def invalid(request: Request, error: RequestValidationError) -> Problem:
    """The problem that tells of a request's first error, and how many more there are."""
    found = error.errors()
    first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
    if first["type"] == "extra_forbidden":
        return Problem(400, "unknown_field", _unknown_field(request, first["loc"]))
    # What holds a wrong value is often wrong for that alone.
    others = [one for one in found if first["loc"][: len(one["loc"])] != one["loc"]]
    places = [_place(request, first)]
    if first["type"] == "missing":
        missing = [one for one in others if one["type"] == "missing"]
        places += [_place(request, one) for one in missing[:_MISSING_SAID]]
    more = len(others) + 1 - len(places)
    tail = f"; and {more} more" if more else ""
    meant = _meant_value(first)
    text = f"{', '.join(places)}: {_said(first)}{meant and '.'}{meant}{tail}"
    return Problem(400, "invalid", text.encode("utf-8", "replace").decode())


_MISSING_SAID = 4
"""Other fields that are missing, by name."""


def _place(request: Request, error: Any) -> str:
    """Which value is wrong; where in a text JSON ends is told with what is wrong there."""
    where = error["loc"][:1] if error["type"] == "json_invalid" else error["loc"]
    return _walked(request, where)[0]


def _walked(request: Request, place: Sequence[int | str]) -> tuple[str, set[str]]:
    """The way to a place as it was sent, and the fields that an object there may have."""
    part, *rest = place
    body = request.scope["route"].body_field if part == "body" else None
    way, fields = walked(body and body.field_info.annotation, rest)
    return ".".join([str(part), *way])[:_WAY_LENGTH_MAX], fields


_WAY_LENGTH_MAX = 200
_OBJECT = "give an object"
_SENT_AS = ", as `Content-Type: application/json`"
"""What is no object may be one that was sent as something else."""
_PLAIN = {
    "dict_type": _OBJECT,
    "json_invalid": "this is not JSON: {error}",
    "list_type": "give a list",
    "model_attributes_type": _OBJECT,
    "model_type": _OBJECT,
    "too_long": "give {max_length} at most",
    "too_short": "give at least {min_length}",
    "tuple_type": "give a list",
    "union_tag_invalid": "there is no {discriminator} {tag}, there are {expected_tags}",
    "union_tag_not_found": "{discriminator} is missing: it says which kind this is",
}
"""Kinds of errors that the validator tells in words of its own trade; it fills in the details."""


def _said(error: Any) -> str:
    """What is wrong with a value."""
    told: dict[str, Any] = {**error.get("ctx", {})}
    if "tag" in told:
        told["tag"] = shown(str(told["tag"]))
    plain = IN_WORDS.get(told.get("pattern", "")) or _PLAIN.get(error["type"])
    if plain is None:
        # What we say ourselves comes with the validator's own words before it.
        return str(error["msg"]).removeprefix("Value error, ")
    said = plain.format_map(told)
    return said + _SENT_AS if plain == _OBJECT and error["loc"] == ("body",) else said


_EXPECTED = {"literal_error": "expected", "enum": "expected", "union_tag_invalid": "expected_tags"}
"""Kinds of errors about a value that is none of a few, and where these stand."""


def _meant_value(error: Any) -> str:
    """Of a value that is none of a few the one that was probably meant."""
    told = error.get("ctx", {})
    if error["type"] not in _EXPECTED:
        return ""
    match error["loc"]:
        case "query", name, int() if "," in error["input"]:
            return f" Give several one by one: {name}=…&{name}=…"
    given = told["tag"] if error["type"] == "union_tag_invalid" else error["input"]
    return nearest(given, re.findall(r"'([^']*)'", str(told[_EXPECTED[error["type"]]])))


def _unknown_field(request: Request, place: Sequence[int | str]) -> str:
    """Which field it is, and which was probably meant."""
    where, known = _walked(request, place[:-1])
    name = str(place[-1])
    text = f"{where} has no field {shown(name)}.{meant(name, known)}"
    return text.encode("utf-8", "replace").decode()
