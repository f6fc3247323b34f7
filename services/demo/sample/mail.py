"""A mail with tracked links and pixel, as a mailer would send it to one reader."""

from collections.abc import Iterable
from typing import Any

from services.demo.calls import AGREED
from services.demo.catalogue import EMPLOYER, ITEMS, mailing
from services.demo.doors import Doors, RefusedError, post
from services.demo.letters import make_letters
from services.demo.people import Technician
from services.demo.sample.app import templates

READER = Technician(
    user_id="voorbeeldlezer",
    anonymous_id="",
    activity=1.0,
    joined_ms=0,
    traits={"name": "Voorbeeld L.", "email": "voorbeeldlezer@post.example"},
)
_MAILING = mailing(2)


def render_mail(
    subject: str, pixel_url: str, links: Iterable[tuple[str, str]], unsubscribe_url: str
) -> str:
    """The mail's HTML.

    Args:
        subject: its heading.
        pixel_url: the recipient's open pixel.
        links: (what to call it, the recipient's tracked address).
        unsubscribe_url: where the recipient says that they want no more.
    """
    shown = [{"title": title, "url": url} for title, url in links]
    template = templates.get_template("mail.html")
    return template.render(
        subject=subject,
        employer=EMPLOYER,
        pixel_url=pixel_url,
        links=shown,
        unsubscribe_url=unsubscribe_url,
    )


async def make_sample_mail(doors: Doors, site_url: str) -> str:
    """Introduce the sample reader, send them a mail, and return its HTML.

    Args:
        doors: where, and with which keys.
        site_url: where the links lead, without a slash at the end.

    Raises:
        RefusedError: the product does not know the reader.
    """
    who: dict[str, Any] = {"userId": READER.user_id, "context": AGREED}
    known = who | {"type": "identify", "messageId": "sample-reader", "traits": READER.traits}
    sent = who | {
        "type": "track",
        "messageId": "sample-sent",
        "event": "Email Sent",
        "properties": {"campaign_id": _MAILING.mailing_id},
    }
    async with doors.open() as client:
        answer = await post(client, "/v1/batch", doors.server_key, {"batch": [known, sent]})
        # A link for somebody can be made once they are known, a moment after.
        await client.get(
            "/v1/persons",
            params={"limit": 1, "after": answer["position"]},
            headers={"Authorization": f"Bearer {doors.api_key}"},
        )
        letters = await make_letters(client, doors, _MAILING, {0: READER}, site_url)
        if not letters:
            raise RefusedError("the sample reader is not known yet")
        message = {
            "name": _MAILING.subject,
            "recipients": [{"namespace": "user_id", "value": READER.user_id}],
        }
        registered = await post(client, "/v1/messages", doors.api_key, message)
    links = ((ITEMS[content_id].title, url) for content_id, url in letters[0].links.items())
    unsubscribe_url = registered["recipients"][0]["unsubscribe_url"]
    return render_mail(_MAILING.subject, letters[0].pixel_url, links, unsubscribe_url)
