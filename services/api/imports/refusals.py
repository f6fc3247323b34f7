"""The no of people in a file: an answer of who is known, and of nobody else is anything kept.

Who says yes in one row may say no in a later one, when what the first row told is not folded yet:
so whose no comes of a stranger is looked at once more when all of the file is.
"""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection

from services.api.imports.calls import Told
from services.api.imports.known import persons_named
from services.api.imports.table import FileRow
from services.api.jobs.hold import RowError

_NOT_KNOWN = "This person says no, and is not known: nothing is kept of them."


def strangers_among(db: Connection, workspace_id: int, calls: Sequence[Told]) -> list[Told]:
    """The nos of people who are not known, neither from before nor by a yes among these."""
    refusing = [who for one in calls if one.refuses for who in one.who]
    known = set(persons_named(db, workspace_id, refusing))
    known.update(who for one in calls if not one.refuses for who in one.who)
    return [one for one in calls if one.refuses and known.isdisjoint(one.who)]


def notices_of(strangers: Iterable[Told]) -> list[RowError]:
    """What is said of their rows."""
    return [RowError(one.number, None, "no_consent", _NOT_KNOWN) for one in strangers]


def numbered(rows: Iterator[FileRow], numbers: Iterable[int]) -> Iterator[FileRow]:
    """Those rows that have these numbers, both in their order."""
    wanted = iter(numbers)
    number = next(wanted, None)
    for row in rows:
        if row.number == number:
            yield row
            number = next(wanted, None)
