"""Who counts what there is before adding to it."""

from sqlalchemy import Connection, update

from services.contract.tables import workspace


def one_at_a_time(connection: Connection, workspace_id: int) -> None:
    """Let nobody else who asks the same of the workspace go on before this transaction ends."""
    own = workspace.c.id == workspace_id
    connection.execute(update(workspace).where(own).values(id=workspace_id))
