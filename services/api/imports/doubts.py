"""What the tracker said of a row, in words for whoever made the file."""

from typing import Any

from services.api.imports.calls import Told
from services.api.imports.known import Agreed
from services.api.jobs.hold import RowError
from services.api.wire import rfc3339

_REASONS = {
    "withdrawn": "This person took consent back, later than the file says: nothing was kept.",
    "no_consent": "Nothing is said of consent to be measured: the row is left out.",
    "no_identity": "None of the identities can be used: correct them.",
    "event_too_large": "The row is too large: map fewer columns.",
}
_DOUBTS = {
    "misspelt_name": "It is kept as custom, but is nearly the name of a type: is it a slip?",
    "id_unusable": "One of the identities cannot be used, and was left out.",
    "email_unusable": "The mail address cannot be used, and was left out.",
    "special_category": "An attribute or topic about health, age, origin or the like was left out.",
    "shortened": "A text was too long, or had characters that cannot be kept.",
}


def error_of(row: int, reason: str) -> RowError:
    """Why a row was not kept."""
    text = _REASONS.get(reason, "The row was not taken.")
    return RowError(row, None, reason, text)


def warning_of(row: int, doubt: dict[str, Any]) -> RowError:
    """What is odd about a row that was kept; it is shown, and counts as no error."""
    code = str(doubt["code"])
    text = _DOUBTS.get(code, "It was kept, but perhaps not as it was meant.")
    return RowError(row, None, f"doubt_{code}", text)


def before_consent(one: Told, agreed: Agreed | None) -> RowError | None:
    """Why a row of what happened is left out; None: its person had agreed by then."""
    if agreed is None:
        text = "Nobody is known by this: import the people first, with what they agreed to."
        return RowError(one.number, None, "unknown_person", text)
    if agreed.measure_ms is None:
        text = "This person has not agreed to be measured, or took it back: the row is left out."
        return RowError(one.number, None, "no_consent", text)
    if one.at_ms < agreed.measure_ms:
        text = f"It happened before the person agreed, on {rfc3339(agreed.measure_ms)[:10]}."
        return RowError(one.number, None, "before_consent", text)
    return None
