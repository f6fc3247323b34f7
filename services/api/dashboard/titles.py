"""What content is called, as the page told that somebody saw, or as the catalogue tells."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select

from services.contract import event as envelope
from services.contract.event import Event
from services.contract.tables import content, event, message
from services.contract.tables.unguessed import unguessed
from services.contract.vault import open_payload

_CALLED = ("title", "subject", "email_subject")
"""Properties that say what a page or a mail was about."""


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


def mailings_of(
    connection: Connection, workspace_id: int, message_ids: Iterable[str | None]
) -> dict[str, str]:
    """Names of mailings that were made here, by the id that their events carry."""
    wanted = {one for one in message_ids if one}
    row = message.c
    query = select(row.public_id, row.name).where(
        row.workspace_id == workspace_id, row.public_id.in_(wanted)
    )
    return {one.public_id: one.name for one in connection.execute(query)} if wanted else {}


def title_of(found: Event, titles: Mapping[str, str]) -> str:
    """What an event was about; empty: nothing is known of that."""
    for name in _CALLED:
        told = found.properties.get(name)
        if isinstance(told, str) and told:
            return told
    if found.content_id:
        return titles.get(found.content_id, found.content_id)
    return titles.get(found.message_id, found.message_id) if found.message_id else ""


def title_known(found: Event, titles: Mapping[str, str]) -> str:
    """The same, and nothing where there is but an id."""
    told = title_of(found, titles)
    return "" if told in {found.content_id, found.message_id} else told


def events_named(
    connection: Connection, workspace_id: int, event_ids: Iterable[bytes | None]
) -> dict[bytes, Event]:
    """Some events, by their ids; those that are known no more are left out."""
    wanted = {bytes(one) for one in event_ids if one is not None}
    row = event.c
    query = select(row.event_id, row.payload).where(
        row.workspace_id == unguessed(workspace_id), row.event_id.in_(wanted)
    )
    rows = connection.execute(query).all() if wanted else []
    return {bytes(one.event_id): envelope.decode(open_payload(one.payload)) for one in rows}
