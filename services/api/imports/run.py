"""Works on an import: reads its file twice, first to count, then to tell it row by row.

What was told and not yet written down is told again by whoever goes on: equal rows have equal
message ids, so nothing counts twice.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec
from pydantic import TypeAdapter
from sqlalchemy import Connection, select

from services.api.door import TOLD_BYTES_MAX, Door
from services.api.door import Told as TrackerTold
from services.api.imports.asked import PeopleImport, RowsImport, VacanciesImport, columns_of
from services.api.imports.calls import Told, read_row
from services.api.imports.doubts import before_consent, error_of, warning_of
from services.api.imports.known import agreed_of
from services.api.imports.refusals import notices_of, numbered, strangers_among
from services.api.imports.settle import settle
from services.api.imports.table import FileRow, csv_rows, ndjson_rows
from services.api.imports.vacancies import import_vacancies
from services.api.jobs.files import read_pieces
from services.api.jobs.hold import NOTICES, Hold, RowError, is_error
from services.api.jobs.store import ERRORS_KEPT_MAX
from services.api.problem import Problem
from services.api.snapshot import INTERNAL_SOURCE_ID
from services.api.wire import rfc3339
from services.contract.event import event_id_of
from services.contract.tables import event
from services.contract.tables.unguessed import unguessed

BATCH_ROWS = 500
KEEP_EVERY_ROWS = 1_000
PAUSE_S_MAX = 10.0

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
        settled: returns when what was told is folded, or after some patience.
    """

    def __init__(
        self, door: Door, *, settled: Callable[[Hold, list[bytes]], None] = settle
    ) -> None:
        self._door, self._settled = door, settled

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
        self._settled(hold, batch.last_ids)
        # What an earlier turn heard of strangers is not known any more: then all are heard again.
        if _may_refuse(asked) if told_before else batch.of_strangers:
            rows = _rows(hold, asked, columns_of(asked))
            batch.hear_again(rows if told_before else numbered(rows, batch.of_strangers))
            self._settled(hold, batch.last_ids)
        hold.end("done")


def _may_refuse(asked: RowsImport) -> bool:
    return isinstance(asked, PeopleImport) and not asked.dry_run


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
        self.of_strangers = array("I")
        """The rows, in their order, of who said no and was not known, or not yet."""

    def add(self, row: FileRow) -> None:
        self.rows.append(row)

    def flush(self) -> None:
        """Tell the rows, and write down what became of them."""
        if not self.rows:
            return
        errors, calls = self._read()
        workspace_id = self._hold.row.workspace_id
        strangers: list[Told] = []
        with self._hold.engine.connect() as db:
            if isinstance(self._asked, PeopleImport):
                strangers = strangers_among(db, workspace_id, calls)
                calls = [one for one in calls if one not in strangers]
            else:
                calls = self._agreed(db, calls, errors)
            ids = {_event_id(workspace_id, one): one for one in calls}
            there = _there(db, workspace_id, ids)
        if self._asked.dry_run:
            errors += notices_of(strangers)
        else:
            self.of_strangers.extend(sorted(one.number for one in strangers))
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

    def hear_again(self, rows: Iterator[FileRow]) -> None:
        """Tell the no of whom the file itself made known; of others nothing is kept.

        It is written down at its end: whoever goes on after us hears them all again.
        """
        errors: list[RowError] = []
        workspace_id, now_ms = self._hold.row.workspace_id, self._hold.clock()
        heard = unheard = 0
        while some := list(islice(rows, BATCH_ROWS)):
            read = (read_row(self._asked, row, now_ms)[0] for row in some)
            said = [one for one in read if one is not None and one.refuses]
            with self._hold.engine.connect() as db:
                strangers = strangers_among(db, workspace_id, said)
                ids = {_event_id(workspace_id, one): one for one in said if one not in strangers}
                there = _there(db, workspace_id, ids)
            new = {event_id: one for event_id, one in ids.items() if event_id not in there}
            refused: list[RowError] = []
            self._tell(new, errors, refused)
            unheard += len(strangers)
            errors += [*notices_of(strangers), *refused]
            self._hold.errors += len(refused)
            heard += len(new) - len(refused)
            del errors[ERRORS_KEPT_MAX:]
            self._hold.keep()
        for name, number in (("refusals", heard), ("not_followed_no_consent", unheard)):
            if number:
                self._hold.count(name, number)
        self._hold.save(errors)

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

    def _agreed(self, db: Connection, calls: list[Told], errors: list[RowError]) -> list[Told]:
        """Those that happened when their person had agreed, with what they agreed to."""
        known = agreed_of(
            db, self._hold.row.workspace_id, (who for one in calls for who in one.who)
        )
        kept = []
        for one in calls:
            agreed = next((known[who] for who in one.who if who in known), None)
            error = before_consent(one, agreed)
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


def _event_id(workspace_id: int, one: Told) -> bytes:
    return event_id_of(workspace_id, INTERNAL_SOURCE_ID, one.call["messageId"])


def _there(db: Connection, workspace_id: int, ids: Iterable[bytes]) -> set[bytes]:
    """The events among these that are in the record already."""
    query = select(event.c.event_id).where(
        event.c.workspace_id == unguessed(workspace_id), event.c.event_id.in_(ids)
    )
    return {bytes(found) for found in db.execute(query).scalars().all()}
