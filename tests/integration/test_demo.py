"""The demonstration, small: played twice it counts once, and then goes on live."""

import asyncio
import contextlib

from services.demo.catalogue import HACKATHON, ITEMS
from services.demo.content import put_content
from services.demo.doors import Doors
from services.demo.history import play_history
from services.demo.live import play_live
from services.demo.sample.mail import READER, make_sample_mail
from services.demo.segments import SEGMENTS, make_segments
from services.demo.world import simulate
from services.runtime.clock import now_ms
from tests.integration.product import PATIENCE_S, Product
from tests.servers.process import wait_until

SEED = 11
PEOPLE = 30
SITE = "https://werkenbij.example.org"


def test_the_demonstration(product: Product) -> None:
    doors = Doors(product.api_url, product.server_key, product.api_key)
    end_ms = now_ms()
    told: list[tuple[int, int]] = []

    async def first_start() -> None:
        async with doors.open() as client:
            await put_content(client, doors, SITE)
            await make_segments(client, doors)
        await play_history(doors, SEED, end_ms, lambda *at: told.append(at), PEOPLE)

    asyncio.run(first_start())
    asyncio.run(first_start())  # as after an interruption
    world = simulate(SEED, PEOPLE, end_ms)
    assert told[-1] == (len(world.acts), len(world.acts))

    acts_of_first = sum(act.person == 0 for act in world.acts)
    person = product.await_events("user_id", world.people[0].user_id, acts_of_first)
    assert person["attributes"] == world.people[0].traits
    assert len(product.timeline(person)) == acts_of_first
    made = {segment["key"] for segment in product.get("/v1/segments")["segments"]}
    assert made == {key for key, _, _ in SEGMENTS}
    catalogue = product.get("/v1/content", limit=100)["content"]
    assert {item["content_id"]: item["title"] for item in catalogue} == {
        item.content_id: item.title for item in ITEMS.values()
    }
    meeting = product.get(f"/v1/content/{HACKATHON.content_id}")
    assert (meeting["url"], meeting["phase"]) == (SITE + HACKATHON.path, HACKATHON.phase)
    assert product.get(f"/v1/persons/{person['id']}/next-content")["next"]
    seen = product.get(f"/v1/persons/{person['id']}/content")["content"]
    assert seen
    assert all(item["title"] for item in seen)

    asyncio.run(_live_until_mail_is_sent(product, doors, end_ms))


async def _live_until_mail_is_sent(product: Product, doors: Doors, end_ms: int) -> None:
    """The first thing that live play does is a mailing to people it can reach."""
    site = f"{product.api_url}/sample"
    playing = asyncio.create_task(
        play_live(
            doors, seed=SEED, history_end_ms=end_ms, clock=now_ms, site_url=site, people=PEOPLE
        )
    )

    def sent() -> bool:
        persons = product.get("/v1/persons", limit=PEOPLE)["persons"]
        return any(i["namespace"] == "person_token" for p in persons for i in p["identities"])

    await asyncio.to_thread(wait_until, sent, "links for readers", timeout_s=PATIENCE_S)
    assert not playing.done()
    playing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await playing


def test_the_sample_mail(product: Product) -> None:
    doors = Doors(product.api_url, product.server_key, product.api_key)
    html = asyncio.run(make_sample_mail(doors, f"{product.api_url}/sample"))
    assert f"{product.tracker_url}/o/" in html
    assert html.count(f"{product.tracker_url}/c/") >= 2
    assert html.count(f"{product.tracker_url}/u/") == 1
    assert any(item.title in html for item in ITEMS.values())
    assert product.find("user_id", READER.user_id) is not None
