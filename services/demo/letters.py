"""Mails with real tracked links and pixels, and what a reader's browser does with them."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx

from services.demo.acts import Act
from services.demo.calls import AGREED, Call, page
from services.demo.catalogue import Item, Mailing
from services.demo.doors import Doors, post
from services.demo.people import Technician

# A library's own name would be taken for a machine's, and rightly so; browsers send a language.
_BROWSER = {
    "User-Agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Mobile Safari/537.36",
    "Accept-Language": "nl",
}


class Letter(NamedTuple):
    """One mail to one reader."""

    person: int
    pixel_url: str
    links: dict[str, str]
    """By content id."""


async def make_letters(
    client: httpx.AsyncClient,
    doors: Doors,
    mailing: Mailing,
    readers: Mapping[int, Technician],
    site_url: str,
) -> list[Letter]:
    """A letter for every reader that the product knows and that agreed to be measured."""
    by_user = {reader.user_id: person for person, reader in readers.items()}
    letters: dict[str, Letter] = {}
    for item in mailing.items:
        link = link_of(mailing, item, site_url, list(by_user))
        answer = await post(client, "/v1/links", doors.api_key, link)
        for recipient in answer["recipients"]:
            if recipient["pixel"] is None:
                continue
            user_id = recipient["value"]
            fresh = Letter(by_user[user_id], recipient["pixel"], {})
            letters.setdefault(user_id, fresh).links[item.content_id] = recipient["url"]
    return list(letters.values())


def link_of(mailing: Mailing, item: Item, site_url: str, user_ids: list[str]) -> Call:
    """The body of ``POST /v1/links`` for one item of a mailing."""
    return {
        "target": site_url + item.path,
        "campaign_id": mailing.mailing_id,
        "content_id": item.content_id,
        "content_type": item.content_type,
        "channel": mailing.channel,
        "recipients": [{"namespace": "user_id", "value": user_id} for user_id in user_ids],
    }


async def open_letter(client: httpx.AsyncClient, letter: Letter) -> None:
    """The reader's mail program fetches the pixel."""
    await client.get(letter.pixel_url, headers=_BROWSER)


async def click(
    client: httpx.AsyncClient, letter: Letter, content_id: str, anonymous_id: str
) -> Call:
    """The reader follows a link; the call that the script on the page behind it then makes."""
    answer = await client.get(letter.links[content_id], headers=_BROWSER)
    query = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
    landed = {name: query[name][0] for name in ("kt_click", "kt_person") if name in query}
    call = page(Act(0, letter.person, "page", content_id), anonymous_id)
    return call | {"context": AGREED | landed}
