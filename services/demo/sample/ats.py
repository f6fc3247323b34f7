"""What the employer's own system tells of an application: a browser may not."""

import uuid
from urllib.parse import parse_qs

from services.demo.catalogue import Item
from services.demo.doors import Doors, post

_FIELDS_MAX = 10


async def tell_application(doors: Doors, item: Item, form: bytes) -> None:
    """Tell that somebody applied, as far as they agreed to be followed.

    Args:
        doors: where to, and the server key.
        item: the vacancy.
        form: as the browser posted it: ``email``, and ``agreed`` where the visitor had agreed.

    Raises:
        RefusedError: it was refused.
        ValueError: the form has more fields than ours.
    """
    said = parse_qs(form.decode(errors="replace"), max_num_fields=_FIELDS_MAX)
    agreed = said.get("agreed") == ["yes"]
    call = {
        "messageId": str(uuid.uuid4()),
        "event": "applied",
        "properties": {"content_id": item.content_id, "content_type": item.content_type},
        "context": {
            # Of contact the form says nothing: that was answered apart.
            "consent": {"categoryPreferences": {"measure": agreed, "profile": agreed}},
            "traits": {"email": said.get("email", [""])[0]},
        },
    }
    async with doors.open() as client:
        await post(client, "/v1/track", doors.server_key, call)
