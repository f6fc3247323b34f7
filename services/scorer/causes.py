"""Which events began what was drawn without folding, see ``services/model/hindsight.py``."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from services.contract import tables
from services.model.hindsight import Drawn
from services.model.state import PersonState
from services.runtime.bulk import pairs


class Causes:
    """Which events pieces begin with: the last of all at that moment, whatever rules ask about."""

    def __init__(
        self,
        db: Connection,
        workspace_id: int,
        seen: Mapping[int, PersonState],
        drawn: Mapping[int, Drawn],
    ) -> None:
        self._seen = seen
        asked = [
            (person, at_ms)
            for person, one in drawn.items()
            for at_ms in _moments(one)
            if at_ms < seen[person].at_ms
        ]
        self._last = _last_events(db, workspace_id, asked)

    def agree(self, person: int, drawn: Drawn) -> bool:
        """Whether it is as drawn."""
        then = drawn.last_then
        return then is None or self._at(person, then[0]) == then[1]

    def told(self, person: int, drawn: Drawn) -> Drawn:
        """The same, each piece with what began it."""
        pieces = [one._replace(event_id=self._at(person, one.from_ms)) for one in drawn.pieces]
        return drawn._replace(pieces=pieces)

    def _at(self, person: int, at_ms: int) -> bytes | None:
        state = self._seen[person]
        return state.at_id if at_ms == state.at_ms else self._last.get((person, at_ms))


def _moments(drawn: Drawn) -> set[int]:
    begins = {one.from_ms for one in drawn.pieces}
    return begins if drawn.last_then is None else begins | {drawn.last_then[0]}


def _last_events(
    db: Connection, workspace_id: int, moments: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], bytes]:
    """By (person, occurred_ms), the last event then; moments at which nothing happened are left."""
    if not moments:
        return {}
    link, event = tables.identity_link.c, tables.event.c
    asked, person, at_ms = pairs(db, moments)
    # Outer joins keep the order in which they stand here. SQLite, left to choose, goes through all
    # events of the workspace and looks for each among the moments.
    query = (
        select(person, at_ms, event.event_id)
        .select_from(asked)
        .outerjoin(
            tables.identity_link,
            (link.workspace_id == workspace_id)
            & (link.person_id == person)
            & link.known_to_ms.is_(None),
        )
        .outerjoin(
            tables.event,
            (event.workspace_id == link.workspace_id)
            & (event.identity_id == link.identity_id)
            & (event.occurred_ms == at_ms)
            & (link.valid_from_ms.is_(None) | (event.occurred_ms >= link.valid_from_ms))
            & (link.valid_to_ms.is_(None) | (event.occurred_ms < link.valid_to_ms)),
        )
    )
    found: dict[tuple[int, int], bytes] = {}
    for one, at, event_id in db.execute(query):
        if event_id is not None:
            found[one, at] = max(found.get((one, at), b""), bytes(event_id))
    return found
