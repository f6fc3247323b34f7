"""Works on an export: members page by page, each with what was held of them, into a file."""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from services.api.exports.allowed import allowed
from services.api.exports.asked import ExportJob
from services.api.exports.formats import Column
from services.api.exports.write import Rows, write_rows
from services.api.in_force import InForce
from services.api.jobs.files import FILE_BYTES_MAX, Pieces
from services.api.jobs.hold import Hold, RefusedError
from services.api.jobs.store import FILE_KEPT_MS
from services.api.link_secrets import signer_of
from services.api.people_in import Asked, PeoplePage, people_in
from services.api.record import history_of
from services.api.standing import Standing, standing_of
from services.contract.event import Identity, primary
from services.model.engagement import present
from services.model.fold import fold_onto
from services.model.path import Path
from services.model.state import PersonState
from services.model.version import Model
from services.runtime.database import reading

PAGE_PEOPLE = 500

_FIRST = (
    Column("person", "text"),
    Column("since", "moment"),
    Column("until", "moment"),
    Column("phase", "text"),
    Column("latency", "number"),
    Column("openness", "number"),
    Column("engagement", "number"),
    Column("user_id", "text"),
    Column("email", "text"),
    Column("other_ids", "text"),
)


class Exporting:
    """Works on exports.

    Args:
        in_force: the model version that makes the numbers.
    """

    def __init__(self, in_force: InForce) -> None:
        self._in_force = in_force

    def __call__(self, hold: Hold) -> None:
        """Work on one to its end; what an earlier turn made of it is made anew."""
        asked = msgspec.convert(hold.row.asked, ExportJob)
        hold.begin_file()
        hold.done, hold.counts = 0, {"written": 0, "left_out_no_consent": 0}
        pieces = Pieces(hold.piece)
        columns = [*_FIRST, *(Column(f"attribute.{name}", "text") for name in asked.attributes)]
        pages = _Pages(hold, asked, self._in_force.model(), pieces)
        write_rows(asked.format, columns, pages.rows(), pieces)
        pieces.close()
        until_ms = hold.clock() + FILE_KEPT_MS
        hold.end("done", total=hold.done, file_bytes=pieces.size, file_until_ms=until_ms)


class _Pages:
    def __init__(self, hold: Hold, asked: ExportJob, model: Model, pieces: Pieces) -> None:
        self._hold, self._asked, self._model, self._pieces = hold, asked, model, pieces

    def rows(self) -> Iterator[Rows]:
        after_id: int | None = 0
        while after_id is not None:
            if self._pieces.size > FILE_BYTES_MAX:
                raise RefusedError(f"The file has more than {FILE_BYTES_MAX} bytes: narrow it.")
            with reading(self._hold.engine).connect() as db:
                page, rows = self._page(db, after_id)
            after_id = page.next_id
            self._hold.done += len(page.rows)
            self._hold.count("written", len(rows))
            self._hold.count("left_out_no_consent", len(page.rows) - len(rows))
            self._hold.save()
            yield rows

    def _page(self, db: Connection, after_id: int) -> tuple[PeoplePage, Rows]:
        asked, workspace_id = self._asked, self._hold.row.workspace_id
        known_at_ms = None if asked.is_ahead else asked.known_at_ms
        whose = Asked("segment", str(asked.version_id), asked.as_of_ms, known_at_ms)
        page = people_in(db, workspace_id, whose, after_id, PAGE_PEOPLE)
        ids = [row.person_id for row in page.rows]
        known = standing_of(db, workspace_id, ids, asked.as_of_ms, known_at_ms)
        signer = signer_of(db, workspace_id, self._hold.clock())
        may = allowed(db, signer, asked.use, known.states, known.identities)
        return page, [self._row(db, row, known) for row in page.rows if row.person_id in may]

    def _row(self, db: Connection, row: Row[Any], known: Standing) -> list[Any]:
        asked, person_id = self._asked, row.person_id
        state = self._state(db, person_id, known.states[person_id])
        chances = engagement = None
        if state is not None:
            path = Path(state, self._model)
            chances = path.states_at(asked.as_of_ms) if path.scored else None
            engagement = present(state.engagement, asked.as_of_ms, self._model).get("", 0.0)
        phase = known.phases.get(person_id)
        attributes = state.attributes if state is not None else {}
        return [
            row.public_id,
            row.valid_from_ms,
            row.valid_to_ms,
            None if phase is None else phase.key,
            chances[0] if chances else None,
            chances[1] + chances[2] if chances else None,
            engagement,
            *_named(known.identities[person_id]),
            *(_text(attributes.get(name)) for name in asked.attributes),
        ]

    def _state(self, db: Connection, person_id: int, stored: PersonState) -> PersonState | None:
        """As of the moment asked about: the stored one, unless something happened since."""
        asked = self._asked
        if asked.as_of_ms >= stored.at_ms and not asked.is_past_belief:
            return stored
        known_at_ms = asked.known_at_ms if asked.is_past_belief else None
        state: PersonState | None = None
        workspace_id = self._hold.row.workspace_id
        for event in history_of(db, workspace_id, person_id, asked.as_of_ms, known_at_ms):
            state = fold_onto(state, event, self._model)
        return state


def _named(identities: list[Identity]) -> list[str | None]:
    """User id, mail address, and the ids of other systems as JSON; cookies and tokens stay here."""
    by: dict[str, list[Identity]] = {}
    for one in identities:
        by.setdefault(one.namespace, []).append(one)
    user, mail = (
        primary(tuple(by[name])).value if name in by else None for name in ("user_id", "email")
    )
    own = {"user_id", "email", "anonymous_id", "person_token"}
    others = {name: sorted(one.value for one in by[name]) for name in sorted(by.keys() - own)}
    return [user, mail, msgspec.json.encode(others).decode() if others else None]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
