"""The demonstration's catalogue, as the product keeps it: so that people are offered something."""

import httpx

from services.demo.calls import Call
from services.demo.catalogue import ITEMS, Item
from services.demo.doors import Doors, put


async def put_content(client: httpx.AsyncClient, doors: Doors, site_url: str) -> None:
    """Put all items into the product's catalogue; playing again changes nothing.

    Args:
        client: of :meth:`services.demo.doors.Doors.open`.
        doors: where, and with which keys.
        site_url: where the sample site is, without a slash at the end.

    Raises:
        RefusedError: the product took an item for bad.
    """
    for item in ITEMS.values():
        await put(client, f"/v1/content/{item.content_id}", doors.api_key, _edit(item, site_url))


def _edit(item: Item, site_url: str) -> Call:
    return {
        "content_type": item.content_type,
        "title": item.title,
        "url": site_url + item.path,
        "topics": item.topics,
        "phase": item.phase,
    }
