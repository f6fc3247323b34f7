"""From a row to the call that tells it. Its message id comes from what the row says."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple, ParamSpec, TypeVar

import msgspec

from services.api.imports.asked import (
    Basis,
    Dialect,
    EventsImport,
    PeopleImport,
    RowsImport,
    SendsImport,
    Source,
    TypedCell,
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
from services.api.jobs.hold import RowError
from services.api.people import is_address, spelled
from services.api.wire import rfc3339
from services.contract.consent import Purpose
from services.contract.event import Identity, primary

_encode = msgspec.json.Encoder(order="deterministic").encode
TEXT_LENGTH_MAX = 200
_Asked = ParamSpec("_Asked")
_Found = TypeVar("_Found")


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
    refuses: bool = False
    """Whether the row says that the person is not to be followed."""

    @property
    def surest(self) -> Identity:
        """The identity that the event is stored under."""
        return primary(self.who)


class Reading(NamedTuple):
    """What came of reading a row."""

    told: Told | None
    """None: the row is left out, and ``wrong`` says why."""
    wrong: tuple[RowError, ...]
    """All that was wrong with it, or odd."""


class _Slips:
    """Gathers what is wrong with the cells of a row: one slip does not hide the next."""

    def __init__(self) -> None:
        self.found: list[CellError] = []

    def read(
        self, cell: Callable[_Asked, _Found], *args: _Asked.args, **more: _Asked.kwargs
    ) -> _Found | None:
        """What stands in a cell; None: it cannot be taken as it is."""
        try:
            return cell(*args, **more)
        except CellError as wrong:
            self.found.append(wrong)
            return None


def read_row(asked: RowsImport, row: FileRow, now_ms: int) -> Reading:
    """The call that tells a row, and what is wrong with it.

    Of people a wrong attribute is left out alone. Of what happened a wrong property leaves the row
    out: told without it and then corrected, it would count twice.

    Args:
        asked: which column means what.
        row: of the file.
        now_ms: nothing happened, and nobody agreed, later than this.
    """
    if row.error is not None:
        return Reading(None, (row.error,))
    slips = _Slips()
    match asked:
        case PeopleImport():
            found = _person(asked, row, slips)
        case EventsImport():
            found = _event(asked, row, slips, now_ms)
        case SendsImport():
            found = _send(asked, row, slips, now_ms)
    return Reading(found, tuple(slip.in_row(row.number) for slip in slips.found))


def _who(asked: RowsImport, row: FileRow, slips: _Slips) -> tuple[Identity, ...]:
    found = []
    empty = 0
    for namespace, column in asked.identities.items():
        value = slips.read(identity_in, column, row)
        if not value:
            empty += value == ""
            continue
        one = spelled(namespace, value)
        if one.namespace == "email" and not is_address(one.value):
            wrong = "This is no mail address: write it as anna@example.org."
            slips.found.append(CellError(column, "not_an_address", wrong))
        found.append(one)
    if empty == len(asked.identities):
        columns = " or ".join(repr(column) for column in asked.identities.values())
        slips.found.append(CellError(None, "no_identity", f"Nobody is named: fill {columns}."))
    return tuple(dict.fromkeys(found))


def _person(asked: PeopleImport, row: FileRow, slips: _Slips) -> Told | None:
    basis = asked.consent
    read = {name: slips.read(yes_or_no, at, row) for name, at in sorted(basis.purposes.items())}
    purposes = {name: value for name, value in read.items() if value is not None}
    if not slips.found and not purposes.get("measure"):
        return _not_followed(asked, row, slips, purposes)
    who = _who(asked, row, slips)
    given_ms = slips.read(moment_of, basis.given_at, row, asked.dialect, asked.as_of)
    text_version = slips.read(_needed, basis.text_version, row)
    is_told = not slips.found
    before = len(slips.found)
    traits = _typed(asked.attributes, row, asked.dialect, slips)
    if not is_told or given_ms is None:
        return None
    for slip in slips.found[before:]:
        slip.text += " The rest of the row is taken."
    consent = {
        "categoryPreferences": purposes,
        "givenAt": rfc3339(given_ms),
        "textVersion": text_version,
    }
    call = {
        "type": "identify",
        "timestamp": rfc3339(asked.as_of),
        "traits": traits,
        "context": {"externalIds": _listed(who), "consent": consent},
    }
    told = _with_basis(_named(call), basis)
    return Told(row.number, who, asked.as_of, told, bool(purposes.get("profile")))


def _not_followed(
    asked: PeopleImport, row: FileRow, slips: _Slips, purposes: dict[Purpose, bool]
) -> Told | None:
    """A no with its date is an answer; one without, or nothing said, leaves the row out."""
    basis = asked.consent
    column = column_in(basis.purposes["measure"])
    if "measure" not in purposes:
        wrong = "Nothing is said of consent to be measured: the row is left out."
        slips.found.append(CellError(column, "no_consent", wrong))
        return None
    if not text_of(basis.given_at, row):
        wrong = "A no without its date: the row is left out. With its date it is an answer."
        slips.found.append(CellError(column, "no_consent", wrong))
        return None
    who = _who(asked, row, slips)
    given_ms = slips.read(moment_of, basis.given_at, row, asked.dialect, asked.as_of)
    text_version = slips.read(_short, basis.text_version, row)
    if slips.found or given_ms is None:
        return None
    consent = {
        "categoryPreferences": purposes,
        "givenAt": rfc3339(given_ms),
        "textVersion": text_version or None,
    }
    call = {
        "type": "track",
        "event": "consent_changed",
        "timestamp": rfc3339(given_ms),
        "context": {"externalIds": _listed(who), "consent": consent},
    }
    told = _with_basis(_named(call), basis)
    return Told(row.number, who, given_ms, told, profile=False, refuses=True)


def _with_basis(call: dict[str, Any], basis: Basis) -> dict[str, Any]:
    """With where consent was asked, which makes no other row of one that was told before."""
    call["context"]["consent"]["askedWhere"] = basis.source
    return call


def _event(asked: EventsImport, row: FileRow, slips: _Slips, now_ms: int) -> Told | None:
    who = _who(asked, row, slips)
    at_ms = slips.read(moment_of, asked.at, row, asked.dialect, now_ms)
    name = slips.read(_needed, asked.type, row)
    said = _typed(asked.properties, row, asked.dialect, slips)
    own = "" if asked.id is None else slips.read(identity_in, asked.id, row)
    if slips.found or at_ms is None or name is None:
        return None
    return _track(name, said, row, who, at_ms, own or "")


def _send(asked: SendsImport, row: FileRow, slips: _Slips, now_ms: int) -> Told | None:
    who = _who(asked, row, slips)
    at_ms = slips.read(moment_of, asked.at, row, asked.dialect, now_ms)
    mailing = slips.read(_needed, asked.mailing, row)
    if slips.found or at_ms is None:
        return None
    said = {"campaign_id": mailing, "channel": asked.channel}
    return _track("Email Sent", said, row, who, at_ms)


def _typed(
    cells: dict[str, TypedCell], row: FileRow, dialect: Dialect, slips: _Slips
) -> dict[str, Any]:
    """What stands in these cells, but those that are empty or wrong."""
    read = {name: slips.read(typed, cell, row, dialect) for name, cell in cells.items()}
    return {name: value for name, value in read.items() if value is not None}


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
    text = _short(source, row)
    if not text:
        raise CellError(column_in(source), "empty", "Something is needed here.")
    return text


def _short(source: Source, row: FileRow) -> str:
    text = text_of(source, row)
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
