"""Works on an import: reads its file twice, first to count, then to tell it row by row.

What was told and not yet written down is told again by whoever goes on: equal rows have equal
message ids, so nothing counts twice.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from pydantic import TypeAdapter
from sqlalchemy import Connection, select

from services.api.door import TOLD_BYTES_MAX, Door
from services.api.door import Told as TrackerTold
from services.api.imports.asked import PeopleImport, RowsImport, VacanciesImport, columns_of
from services.api.imports.calls import Told, read_row
from services.api.imports.doubts import error_of, warning_of
from services.api.imports.known import Agreed, agreed_of, persons_named
from services.api.imports.table import FileRow, csv_rows, ndjson_rows
from services.api.imports.vacancies import import_vacancies
from services.api.jobs.files import read_pieces
from services.api.jobs.hold import NOTICES, Hold, RowError, is_error
from services.api.problem import Problem
from services.api.snapshot import INTERNAL_SOURCE_ID
from services.api.wire import rfc3339
from services.contract.event import event_id_of
from services.contract.tables import event

BATCH_ROWS = 500
KEEP_EVERY_ROWS = 1_000
PAUSE_S_MAX = 10.0
SETTLE_S_MAX = 1_800.0
"""So long a job waits at its end for what it told to be folded."""
STILL_S_MAX = 30.0
"""So long, where nothing more is folded."""
_SETTLE_STEP_S = 0.2

_encode = msgspec.json.Encoder().encode
_asked = TypeAdapter[RowsImport | VacanciesImport](RowsImport | VacanciesImport)


def stored(asked: RowsImport | VacanciesImport) -> dict[str, Any]:
    """An import as the job keeps it: JSON that reads back as the same."""
    dumped: dict[str, Any] = _asked.dump_python(asked, mode="json")
    if isinstance(asked, PeopleImport):
        dumped["as_of"] = rfc3339(asked.as_of)
    return dumped


class Importing:
    """Works on imports.

    Args:
        door: takes what the rows say.
        settles: whether a job ends only when what it told is folded.
    """

    def __init__(self, door: Door, *, settles: bool = True) -> None:
        self._door, self._settles = door, settles

    def __call__(self, hold: Hold) -> None:
        """Work on one to its end; see :class:`~services.api.jobs.work.Worker`."""
        asked = _asked.validate_python(hold.row.asked)
        if isinstance(asked, VacanciesImport):
            import_vacancies(hold, asked)
            return
        if hold.row.total is None:
            hold.save(total=_count(hold, asked))
        batch = _Batch(hold, asked, self._door)
        told_before = hold.done
        for number, row in enumerate(_rows(hold, asked, columns_of(asked)), 1):
            if number <= told_before:
                if number % KEEP_EVERY_ROWS == 0:
                    hold.keep()
                continue
            batch.add(row)
            if len(batch.rows) >= BATCH_ROWS:
                batch.flush()
        batch.flush()
        if self._settles:
            _settle(hold, batch.last_ids)
        hold.end("done")


def _rows(hold: Hold, asked: RowsImport, columns: set[str]) -> Iterator[FileRow]:
    pieces = read_pieces(hold.engine, hold.row)
    if asked.format == "ndjson":
        return ndjson_rows(pieces)
    return csv_rows(pieces, asked.dialect, columns)


def _count(hold: Hold, asked: RowsImport) -> int:
    number = 0
    for number, _ in enumerate(_rows(hold, asked, set()), 1):
        if number % KEEP_EVERY_ROWS == 0:
            hold.keep()
    return number


class _Batch:
    """Rows that are told together."""

    def __init__(self, hold: Hold, asked: RowsImport, door: Door) -> None:
        self._hold, self._asked, self._door = hold, asked, door
        self.rows: list[FileRow] = []
        position = hold.row.position
        self.last_ids: list[bytes] = [] if position is None else [bytes.fromhex(position)]
        """Of the events that were told last, by an earlier turn if need be."""

    def add(self, row: FileRow) -> None:
        self.rows.append(row)

    def flush(self) -> None:
        """Tell the rows, and write down what became of them."""
        if not self.rows:
            return
        errors, calls = self._read()
        workspace_id = self._hold.row.workspace_id
        with self._hold.engine.connect() as db:
            if isinstance(self._asked, PeopleImport):
                calls = self._of_known(db, calls, errors)
            else:
                calls = self._agreed(db, calls, errors)
            ids = {_event_id(workspace_id, one): one for one in calls}
            there = _there(db, workspace_id, ids)
        new = {event_id: one for event_id, one in ids.items() if event_id not in there}
        self._hold.count("repeated", len(calls) - len(new))
        refused: list[RowError] = []
        more = {} if self._asked.dry_run else self._tell(new, errors, refused)
        if self._asked.dry_run:
            self._hold.count("would_be_told", len(new))
        errors += refused
        self._count(calls, errors, {error.row for error in refused})
        self._hold.errors += len({error.row for error in errors if is_error(error.code)})
        self._hold.done += len(self.rows)
        self._hold.save(sorted(errors, key=lambda error: error.row), **more)
        self.rows.clear()

    def _read(self) -> tuple[list[RowError], list[Told]]:
        errors: list[RowError] = []
        calls: dict[str, Told] = {}
        now_ms = self._hold.clock()
        for row in self.rows:
            one, wrong = read_row(self._asked, row, now_ms)
            errors += wrong
            if one is not None and calls.setdefault(one.call["messageId"], one) is not one:
                self._hold.count("repeated")
        return errors, list(calls.values())

    def _of_known(self, db: Connection, calls: list[Told], errors: list[RowError]) -> list[Told]:
        """All but the no of somebody who is not known: of them nothing is kept."""
        refusing = [who for one in calls if one.refuses for who in one.who]
        known = set(persons_named(db, self._hold.row.workspace_id, refusing))
        known.update(who for one in calls if not one.refuses for who in one.who)
        kept = [one for one in calls if not one.refuses or not known.isdisjoint(one.who)]
        for number in {one.number for one in calls} - {one.number for one in kept}:
            text = "This person says no, and is not known: nothing is kept of them."
            errors.append(RowError(number, None, "no_consent", text))
        return kept

    def _agreed(self, db: Connection, calls: list[Told], errors: list[RowError]) -> list[Told]:
        """Those that happened when their person had agreed, with what they agreed to."""
        known = agreed_of(
            db, self._hold.row.workspace_id, (who for one in calls for who in one.who)
        )
        kept = []
        for one in calls:
            agreed = next((known[who] for who in one.who if who in known), None)
            error = _before_consent(one, agreed)
            if error is not None or agreed is None:
                errors.extend([error] if error else [])
                continue
            profile = agreed.profile_ms is not None and agreed.profile_ms <= one.at_ms
            said = {"measure": True, **({"profile": True} if profile else {})}
            context = {**one.call["context"], "consent": {"categoryPreferences": said}}
            kept.append(one._replace(call={**one.call, "context": context}, profile=profile))
        return kept

    def _tell(
        self, calls: dict[bytes, Told], errors: list[RowError], refused: list[RowError]
    ) -> dict[str, Any]:
        """Tell them, in so many parts as their size asks for."""
        more: dict[str, Any] = {}
        stored: list[bytes] = []
        for part in _parts(calls):
            answer = self._told(part.values())
            for event_id, one in part.items():
                result = answer.results[one.call["messageId"]]
                if result["status"] == "stored":
                    self._hold.count("told")
                    stored.append(event_id)
                    doubts = result.get("warnings", ())
                    errors.extend(warning_of(one.number, doubt) for doubt in doubts)
                else:
                    refused.append(error_of(one.number, result["reason"]))
            if answer.position is not None:
                more = {"position": answer.position}
        self.last_ids = stored or self.last_ids
        return more

    def _told(self, calls: Iterable[Told]) -> TrackerTold:
        """What the tracker says to them, however long it is away."""
        pause_s = 0.5
        while True:
            try:
                return self._door.tell(self._hold.row.workspace_id, [one.call for one in calls])
            except Problem:
                self._hold.keep()
                self._hold.stop.wait(pause_s)
                pause_s = min(2 * pause_s, PAUSE_S_MAX)

    def _count(self, calls: list[Told], errors: list[RowError], refused: set[int]) -> None:
        """Who is not followed, and why; of people also how many can be scored."""
        for error in errors:
            if error.code in NOTICES:
                self._hold.count(f"not_followed_{error.code}")
        if not isinstance(self._asked, PeopleImport):
            return
        for one in calls:
            if one.number in refused:
                continue
            if one.refuses:
                self._hold.count("refusals")
            else:
                self._hold.count("can_be_scored" if one.profile else "no_consent_to_profile")


def _parts(calls: dict[bytes, Told]) -> Iterator[dict[bytes, Told]]:
    """As many at a time as one request may carry."""
    part: dict[bytes, Told] = {}
    size = 0
    for event_id, one in calls.items():
        bytes_ = len(_encode(one.call))
        if part and size + bytes_ > TOLD_BYTES_MAX:
            yield part
            part, size = {}, 0
        part[event_id] = one
        size += bytes_
    if part:
        yield part


def _before_consent(one: Told, agreed: Agreed | None) -> RowError | None:
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


def _event_id(workspace_id: int, one: Told) -> bytes:
    return event_id_of(workspace_id, INTERNAL_SOURCE_ID, one.call["messageId"])


def _there(db: Connection, workspace_id: int, ids: Iterable[bytes]) -> set[bytes]:
    """The events among these that are in the record already."""
    query = select(event.c.event_id).where(
        event.c.workspace_id == workspace_id, event.c.event_id.in_(ids)
    )
    return {bytes(found) for found in db.execute(query).scalars().all()}


def _settle(hold: Hold, ids: list[bytes]) -> None:
    """Wait until the last events are folded; those before them were, for logs keep their order."""
    if not ids:
        return
    missing, waited_s, still_s = len(ids), 0.0, 0.0
    query = select(event.c.event_id).where(
        event.c.workspace_id == hold.row.workspace_id, event.c.event_id.in_(ids)
    )
    while missing and waited_s < SETTLE_S_MAX and still_s < STILL_S_MAX:
        with hold.engine.connect() as db:
            now_missing = len(ids) - len(db.execute(query).all())
        still_s = 0.0 if now_missing < missing else still_s + _SETTLE_STEP_S
        if now_missing == len(ids):
            still_s = 0.0  # their turn has not come yet
        missing = now_missing
        waited_s += _SETTLE_STEP_S
        hold.keep()
        hold.stop.wait(_SETTLE_STEP_S if missing else 0)
