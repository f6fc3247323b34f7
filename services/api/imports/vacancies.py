"""Works on a feed of vacancies: the catalogue then has what the feed has."""

from typing import Any

from sqlalchemy import Connection, Row, select, update

from services.api.content_store import Outcome, hold_item, outcome_of, rows_of, store_item
from services.api.imports.asked import VacanciesImport
from services.api.imports.feed import Vacancy, read_feed
from services.api.jobs.files import read_pieces
from services.api.jobs.hold import Hold, RefusedError, RowError
from services.api.problem import Problem
from services.contract.special_category import category_of_topic
from services.contract.tables import content
from services.runtime.database import writing

_AT_ONCE = 500
_WOULD_BE: dict[Outcome, str] = {
    "new": "would_be_new",
    "changed": "would_change",
    "unchanged": "unchanged",
}


def import_vacancies(hold: Hold, asked: VacanciesImport) -> None:
    """Work on one to its end. What is not in the feed any more is over from now on.

    It is about no person, so it goes into the catalogue and not through the tracker.
    """
    found = read_feed(read_pieces(hold.engine, hold.row), asked)
    errors = [
        RowError(number, one.field, "vacancy", one.text)
        for number, one in enumerate(found, 1)
        if not isinstance(one, Vacancy)
    ]
    vacancies = {
        one.content_id: (number, one)
        for number, one in enumerate(found, 1)
        if isinstance(one, Vacancy)
    }
    hold.begin_errors()
    hold.done, hold.counts, hold.errors = 0, {}, len(errors)
    hold.count("repeated", len(found) - len(errors) - len(vacancies))
    hold.save(errors, total=len(found))
    waiting = list(vacancies.values())
    for i in range(0, len(waiting), _AT_ONCE):
        some = waiting[i : i + _AT_ONCE]
        taken: list[RowError] = []
        with writing(hold.engine).begin() as db:
            for number, vacancy in some:
                owner = _take(db, hold, asked, vacancy)
                if owner is not None:
                    taken.append(_taken(number, vacancy.content_id, owner))
        hold.done += len(some)
        hold.errors += len(taken)
        hold.save(taken)
    # A vacancy that could not be read may be one that is still open.
    if not errors:
        hold.count("closed", _close_others(hold, asked, vacancies.keys()))
    hold.done = len(found)
    hold.end("done")


def _take(db: Connection, hold: Hold, asked: VacanciesImport, vacancy: Vacancy) -> str | None:
    """Take a vacancy into the catalogue, and count it; else whose item it would have replaced."""
    workspace_id, now_ms = hold.row.workspace_id, hold.clock()
    values: dict[str, Any] = {
        "kind": "vacancy",
        "title": vacancy.title,
        "address": vacancy.address,
        "topics": [one for one in vacancy.topics if category_of_topic(one) is None],
        "closes_ms": vacancy.closes_ms,
        "feed": asked.feed,
    }
    if asked.dry_run:
        row = next(iter(rows_of(db, workspace_id, [vacancy.content_id])), None)
    else:
        row = hold_item(db, workspace_id, vacancy.content_id)
    owner = _owner(row, values, now_ms)
    if owner is not None:
        return owner
    if asked.dry_run:
        hold.count(_WOULD_BE[outcome_of(row, values)])
        return None
    try:
        hold.count(store_item(db, workspace_id, vacancy.content_id, row, values, now_ms))
    except Problem as full:
        raise RefusedError(full.detail) from None
    return None


def _owner(row: Row[Any] | None, values: dict[str, Any], now_ms: int) -> str | None:
    """Whose an item is that a feed leaves as it is; None: it may have it.

    What another feed has no more is closed, and free to be taken over by what is still open: two
    feeds that both have what is past its closing would else take it from each other for ever.
    """
    if row is None or row.feed == values["feed"]:
        return None
    if row.feed is None:
        return "your own, of no feed"
    if not _is_over(row.closes_ms, now_ms):
        return f"of the feed {row.feed!r}, and open"
    return f"of the feed {row.feed!r}" if _is_over(values["closes_ms"], now_ms) else None


def _is_over(closes_ms: int | None, now_ms: int) -> bool:
    return closes_ms is not None and closes_ms <= now_ms


def _taken(number: int, content_id: str, owner: str) -> RowError:
    text = (
        f"The catalogue has an item {content_id!r} that is {owner}. It was left as it is: give "
        "the vacancy another id, or take that item out of the catalogue first."
    )
    return RowError(number, "id", "taken_id", text)


def _close_others(hold: Hold, asked: VacanciesImport, there: Any) -> int:
    now_ms = hold.clock()
    of_feed = (content.c.workspace_id == hold.row.workspace_id) & (content.c.feed == asked.feed)
    is_open = content.c.closes_ms.is_(None) | (content.c.closes_ms > now_ms)
    with writing(hold.engine).begin() as db:
        rows = db.execute(select(content.c.id, content.c.content_id).where(of_feed, is_open))
        gone = [row.id for row in rows if row.content_id not in there]
        for i in range(0, 0 if asked.dry_run else len(gone), _AT_ONCE):
            over = content.c.id.in_(gone[i : i + _AT_ONCE])
            db.execute(
                update(content).where(of_feed, over).values(closes_ms=now_ms, changed_ms=now_ms)
            )
    return len(gone)
