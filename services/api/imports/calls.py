"""From a row to the call that tells it. Its message id comes from what the row says."""

import hashlib
from typing import Any, NamedTuple

import msgspec

from services.api.imports.asked import (
    EventsImport,
    PeopleImport,
    RowsImport,
    SendsImport,
    Source,
)
from services.api.imports.table import FileRow
from services.api.imports.values import (
    CellError,
    column_in,
    identity_in,
    moment_of,
    text_of,
    typed,
    yes_or_no,
)
from services.api.people import spelled
from services.api.wire import rfc3339
from services.contract.event import Identity, primary

_encode = msgspec.json.Encoder(order="deterministic").encode
TEXT_LENGTH_MAX = 200


class Told(NamedTuple):
    """A row as the tracker is told of it."""

    number: int
    who: tuple[Identity, ...]
    at_ms: int
    """When it happened."""
    call: dict[str, Any]
    """Of the Segment spec; of ``events`` and ``sends`` without consent, which is known."""
    profile: bool
    """Whether the person may be scored, where the row says so."""

    @property
    def surest(self) -> Identity:
        """The identity that the event is stored under."""
        return primary(self.who)


def told(asked: RowsImport, row: FileRow, now_ms: int) -> Told:
    """The call that tells a row.

    Args:
        asked: which column means what.
        row: of the file.
        now_ms: nothing happened, and nobody agreed, later than this.

    Raises:
        CellError: the row cannot be told as it is.
    """
    who = _who(asked, row)
    match asked:
        case PeopleImport():
            return _person(asked, row, who)
        case EventsImport():
            return _event(asked, row, who, now_ms)
        case SendsImport():
            at_ms = moment_of(asked.at, row, asked.dialect, now_ms)
            mailing = _needed(asked.mailing, row)
            said = {"campaign_id": mailing, "channel": asked.channel}
            return _track("Email Sent", said, row, who, at_ms)


def _who(asked: RowsImport, row: FileRow) -> tuple[Identity, ...]:
    found = [
        spelled(namespace, value)
        for namespace, column in asked.identities.items()
        if (value := identity_in(column, row))
    ]
    if not found:
        columns = " or ".join(repr(column) for column in asked.identities.values())
        raise CellError(None, "no_identity", f"Nobody is named: fill {columns}.")
    for one in found:
        if one.namespace == "email" and not _is_address(one.value):
            wrong = "This is no mail address: write it as anna@example.org."
            raise CellError(asked.identities["email"], "not_an_address", wrong)
    return tuple(dict.fromkeys(found))


def _is_address(text: str) -> bool:
    name, at, host = text.rpartition("@")
    return bool(at and name) and "." in host and " " not in text


def _person(asked: PeopleImport, row: FileRow, who: tuple[Identity, ...]) -> Told:
    basis = asked.consent
    purposes = {
        purpose: value
        for purpose, source in sorted(basis.purposes.items())
        if (value := yes_or_no(source, row)) is not None
    }
    if not purposes.get("measure"):
        wrong = "Without consent to be measured nobody is followed: the row is left out."
        raise CellError(column_in(basis.purposes["measure"]), "no_consent", wrong)
    given_ms = moment_of(basis.given_at, row, asked.dialect, asked.as_of)
    traits = {
        name: value
        for name, cell in asked.attributes.items()
        if (value := typed(cell, row, asked.dialect)) is not None
    }
    consent = {
        "categoryPreferences": purposes,
        "givenAt": rfc3339(given_ms),
        "textVersion": _needed(basis.text_version, row),
    }
    call = {
        "type": "identify",
        "timestamp": rfc3339(asked.as_of),
        "traits": traits,
        "context": {"externalIds": _listed(who), "consent": consent},
    }
    return Told(row.number, who, asked.as_of, _named(call), bool(purposes.get("profile")))


def _event(asked: EventsImport, row: FileRow, who: tuple[Identity, ...], now_ms: int) -> Told:
    at_ms = moment_of(asked.at, row, asked.dialect, now_ms)
    name = _needed(asked.type, row)
    said = {
        field: value
        for field, cell in asked.properties.items()
        if (value := typed(cell, row, asked.dialect)) is not None
    }
    own = "" if asked.id is None else identity_in(asked.id, row)
    return _track(name, said, row, who, at_ms, own)


def _track(
    name: str,
    said: dict[str, Any],
    row: FileRow,
    who: tuple[Identity, ...],
    at_ms: int,
    own_id: str = "",
) -> Told:
    call = {
        "type": "track",
        "event": name,
        "timestamp": rfc3339(at_ms),
        "properties": said,
        "context": {"externalIds": _listed(who)},
    }
    return Told(row.number, who, at_ms, _named(call, own_id), profile=False)


def _needed(source: Source, row: FileRow) -> str:
    text = text_of(source, row)
    if not text:
        raise CellError(column_in(source), "empty", "Something is needed here.")
    if len(text) > TEXT_LENGTH_MAX:
        wrong = f"At most {TEXT_LENGTH_MAX} characters are taken here."
        raise CellError(column_in(source), "too_long", wrong)
    return text


def _listed(who: tuple[Identity, ...]) -> list[dict[str, str]]:
    return [{"type": one.namespace, "id": one.value, "collection": "users"} for one in who]


def _named(call: dict[str, Any], own_id: str = "") -> dict[str, Any]:
    """The call with a message id that equal rows share, and no others."""
    text = _encode([own_id, call["context"]["externalIds"]] if own_id else call)
    return {"messageId": f"import:{hashlib.sha256(text).hexdigest()}", **call}
