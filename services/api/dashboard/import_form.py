"""The form of an import: from what is filled in to the request that begins it."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from services.api.dashboard.error_texts import FormError
from services.api.dashboard.forms import Sent
from services.api.dashboard.import_glimpse import COLUMNS_SHOWN_MAX
from services.api.dashboard.texts import Words
from services.api.imports.asked import EARLIEST_MS
from services.api.wire import rfc3339
from services.contract.file_name import shown_name
from services.contract.phases import DAY_MS
from services.contract.special_category import category_of

IDENTITIES = ("email", "user_id")
PURPOSES = ("measure", "profile", "contact")
KINDS = ("text", "number", "date", "yes_no", "list")
_DIGITS_MAX = 15


@dataclass(frozen=True)
class _Means:
    """A column that is read."""

    column: str
    kind: str
    """``id``, ``as``, ``consent``, ``given_at`` or ``text_version``."""
    what: str
    """The namespace, the type, the purpose; else empty."""
    attribute: str


def wished(sent: Sent, words: Words, now_ms: int) -> dict[str, Any]:
    """What the form asks for, as the API takes it.

    Raises:
        FormError: something is missing, or said twice.
    """
    read = _read(sent)
    by_kind = {
        kind: [one for one in read if one.kind == kind]
        for kind in ("id", "as", "consent", "given_at", "text_version")
    }
    if not by_kind["id"]:
        raise FormError("import_nobody")
    return {
        "kind": "people",
        "format": "ndjson" if sent.field("format") == "ndjson" else "csv",
        "dialect": {
            "encoding": "windows-1252" if sent.field("encoding") == "windows-1252" else None,
            "dates": sent.field("dates") or "iso",
            "decimal": sent.field("decimal") or ".",
        },
        "as_of": _as_of(sent, words, now_ms),
        "identities": {one.what: one.column for one in by_kind["id"]},
        "attributes": _attributes(by_kind["as"]),
        "consent": _basis(sent, words, by_kind),
        "dry_run": sent.field("dry_run") != "no",
        "file_name": shown_name(sent.field("file_name")),
    }


def _read(sent: Sent) -> list[_Means]:
    found = []
    for i in range(COLUMNS_SHOWN_MAX):
        kind, _, what = sent.field(f"means_{i}").partition(":")
        if kind:
            column = sent.fields.get(f"column_{i}", [""])[0]
            found.append(_Means(column, kind, what, sent.field(f"name_{i}")))
    once = Counter((one.kind, one.what) for one in found if one.kind != "as")
    if any(times > 1 for times in once.values()):
        raise FormError("import_twice")
    return found


def _attributes(read: list[_Means]) -> dict[str, Any]:
    names = Counter(one.attribute for one in read)
    if "" in names or any(times > 1 for times in names.values()):
        raise FormError("import_names")
    if any(category_of(one.attribute) or category_of(one.column) for one in read):
        raise FormError("import_special")
    return {one.attribute: {"column": one.column, "type": one.what} for one in read}


def _basis(sent: Sent, words: Words, read: dict[str, list[_Means]]) -> dict[str, Any]:
    """What people agreed to, of all at once or as a column says."""
    purposes: dict[str, Any] = {
        one: {"value": True} for one in PURPOSES if one in sent.fields.get("agreed", [])
    }
    purposes |= {one.what: {"column": one.column} for one in read["consent"]}
    day_ms = words.midnight(sent.field("given_at"))
    given = _column(read["given_at"]) or ({"value": rfc3339(day_ms)} if day_ms else None)
    version = sent.field("text_version")
    text = _column(read["text_version"]) or ({"value": version} if version else None)
    if "measure" not in purposes:
        raise FormError("import_no_consent")
    if given is None or text is None or not sent.field("source"):
        raise FormError("import_no_proof")
    return {
        "purposes": purposes,
        "given_at": given,
        "text_version": text,
        "source": sent.field("source"),
    }


def _column(read: list[_Means]) -> dict[str, str] | None:
    return {"column": read[0].column} if read else None


def _as_of(sent: Sent, words: Words, now_ms: int) -> str:
    """The moment that a file is of: as the browser knows it, or the end of another day.

    The same file of the same moment changes nothing, so the moment should not be now.
    """
    text = sent.field("modified")
    is_number = text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX
    modified_ms = min(int(text) if is_number else now_ms, now_ms)
    day = sent.field("as_of")
    begins_ms = words.midnight(day)
    if begins_ms is None:
        raise FormError("import_no_day")
    if begins_ms < EARLIEST_MS:
        raise FormError("import_before_2000")
    if words.calendar_day(modified_ms).isoformat() == day:
        return rfc3339(modified_ms)
    return rfc3339(min(begins_ms + DAY_MS - 1, now_ms))
