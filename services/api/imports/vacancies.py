"""Works on a feed of vacancies: the catalogue then has what the feed has."""

from typing import Any

from sqlalchemy import Connection, select, update

from services.api.content_store import Outcome, outcome_of, rows_of, store_item
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
    hold.done, hold.counts, hold.errors = 0, {}, len(errors)
    # An earlier turn that wrote the total down wrote the errors with it.
    hold.save(errors if hold.row.total is None else (), total=len(found))
    vacancies = {one.content_id: one for one in found if isinstance(one, Vacancy)}
    hold.count("repeated", len(found) - len(errors) - len(vacancies))
    waiting = list(vacancies.values())
    for i in range(0, len(waiting), _AT_ONCE):
        with writing(hold.engine).begin() as db:
            for vacancy in waiting[i : i + _AT_ONCE]:
                hold.count(_take(db, hold, asked, vacancy))
        hold.done += len(waiting[i : i + _AT_ONCE])
        hold.save()
    # A vacancy that could not be read may be one that is still open.
    if not errors:
        hold.count("closed", _close_others(hold, asked, vacancies.keys()))
    hold.done = len(found)
    hold.end("done")


def _take(db: Connection, hold: Hold, asked: VacanciesImport, vacancy: Vacancy) -> str:
    workspace_id = hold.row.workspace_id
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
        return _WOULD_BE[outcome_of(row, values)]
    try:
        return store_item(db, workspace_id, vacancy.content_id, values, hold.clock())
    except Problem as full:
        raise RefusedError(full.detail) from None


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
