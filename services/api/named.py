"""What people call those who changed something: a key's name, somebody's mail address."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from services.contract.tables import account, api_key


def names_of(connection: Connection, workspace_id: int, whos: Iterable[str]) -> dict[str, str]:
    """By what the audit calls them; whose account was ended keeps its id.

    Args:
        connection: the database.
        workspace_id: whose.
        whos: as ``Credential.who`` says it.
    """
    found = {who: who for who in whos}
    ids = {who.partition(" ")[2]: who for who in found}
    if not ids:
        return found
    keys = select(api_key.c.public_id, api_key.c.name).where(
        api_key.c.workspace_id == workspace_id, api_key.c.public_id.in_(list(ids))
    )
    found |= {ids[public_id]: f"key {name}" for public_id, name in connection.execute(keys)}
    accounts = select(account.c.public_id, account.c.email).where(
        account.c.workspace_id == workspace_id, account.c.public_id.in_(list(ids))
    )
    return found | {ids[public_id]: email for public_id, email in connection.execute(accounts)}
