"""The links from identities to persons: written as history, none is ever deleted."""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from services.contract import tables
from services.contract.tables.unguessed import unguessed
from services.model.identity import Slice
from services.runtime.bulk import Row, among, insert_rows, rows_of, update_rows
from services.scorer.owners import Piece


class Moved(NamedTuple):
    """What became of one identity's links."""

    persons: set[int]
    """Who lost or gained by it."""
    before: set[int]
    """Whose it was, at some time or other."""
    after: set[int]
    """Whose it is, likewise."""


def write_links(
    db: Connection, workspace_id: int, wanted: Mapping[int, list[Slice]], now_ms: int
) -> dict[int, Moved]:
    """Bring the links up to date; what became of each identity whose links changed."""
    held = _held(db, workspace_id, wanted)
    closed: list[int] = []
    made: list[Row] = []
    moved: dict[int, Moved] = {}
    for identity, pieces in wanted.items():
        now = {(piece.from_ms, piece.to_ms, piece.owner): piece for piece in pieces}
        before = held[identity]
        if now.keys() == before.keys():
            continue
        persons = {person for _, _, person in now.keys() ^ before.keys()}
        owners = {person for _, _, person in before}, {piece.owner for piece in pieces}
        moved[identity] = Moved(persons, *owners)
        closed += [row_id for piece, row_id in before.items() if piece not in now]
        made += [
            (
                workspace_id,
                identity,
                piece.owner,
                piece.from_ms,
                piece.to_ms,
                piece.event_id,
                now_ms,
            )
            for key, piece in now.items()
            if key not in before
        ]
    if closed:
        db.execute(
            update(tables.identity_link)
            .where(among(db, tables.identity_link.c.id, closed))
            .values(known_to_ms=now_ms)
        )
    insert_rows(db, tables.identity_link, _COLUMNS, made)
    return moved


_COLUMNS = (
    "workspace_id",
    "identity_id",
    "person_id",
    "valid_from_ms",
    "valid_to_ms",
    "event_id",
    "known_from_ms",
)


def _held(
    db: Connection, workspace_id: int, identities: Mapping[int, object]
) -> dict[int, dict[Piece, int]]:
    link = tables.identity_link.c
    query = select(
        link.id, link.identity_id, link.valid_from_ms, link.valid_to_ms, link.person_id
    ).where(
        link.workspace_id == unguessed(workspace_id),
        among(db, link.identity_id, identities),
        link.known_to_ms.is_(None),
    )
    held: dict[int, dict[Piece, int]] = defaultdict(dict)
    for row_id, identity, from_ms, to_ms, person in db.execute(query):
        held[identity][from_ms, to_ms, person] = row_id
    return held


def write_owners(db: Connection, wanted: Mapping[int, list[Slice]]) -> None:
    """``identity.person_id`` is the latest owner; ``shared`` says that there were others."""
    rows = [(pieces[-1].owner, len(pieces) > 1, i) for i, pieces in sorted(wanted.items())]
    update_rows(db, tables.identity, "id", ("person_id", "shared"), rows)


def redirect(
    db: Connection,
    workspace_id: int,
    merged: Mapping[int, int],
    redirected: Mapping[int, int | None],
) -> None:
    """Let persons that are no more lead to who they are, and bring back those that are again."""
    row = tables.person.c
    before = select(row.id, row.merged_into).where(
        row.workspace_id == unguessed(workspace_id), among(db, row.merged_into, merged)
    )
    leads_to: dict[int, int | None] = {}
    if merged:
        leads_to |= {person: merged[into] for person, into in rows_of(db, before)}
    leads_to |= {**merged, **redirected}
    rows = [(into, person) for person, into in sorted(leads_to.items())]
    update_rows(db, tables.person, "id", ("merged_into",), rows)
