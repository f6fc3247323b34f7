"""What content is called, as the catalogue tells."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from services.contract.tables import content


def titles_of(
    connection: Connection, workspace_id: int, content_ids: Iterable[str | None]
) -> dict[str, str]:
    """Titles by content id; what is not in the catalogue is left out."""
    wanted = {one for one in content_ids if one}
    row = content.c
    query = select(row.content_id, row.title).where(
        row.workspace_id == workspace_id, row.content_id.in_(wanted)
    )
    return {one.content_id: one.title for one in connection.execute(query)} if wanted else {}
