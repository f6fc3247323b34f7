"""Who changed what, from what to what: told, and never changed itself."""

import pytest
from httpx import Client
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from services.contract.tables import audit
from services.runtime.database import writing
from tests.contract.api.world import World


def test_the_audit_tells_who_what_before_and_after(client: Client, world: World) -> None:
    rule = {"type": "phase", "any_of": ["do"]}
    client.put("/v1/segments/doers", json={"name": "Doers", "rule": rule})
    client.put("/v1/segments/doers", json={"name": "Doers now", "rule": rule})
    client.delete("/v1/segments/doers")
    hook = client.post("/v1/hooks", json={"esp": "sendgrid"}).json()["id"]
    client.delete(f"/v1/hooks/{hook}")
    client.post("/v1/link-secrets")
    client.put("/v1/workspace/retention", json={"months": 12})
    item = {"content_type": "story", "title": "A night"}
    for _ in range(2):  # the second time nothing becomes different
        client.put("/v1/content/night", json=item)
    client.put("/v1/content/night", json=item | {"title": "Two nights"})
    client.delete("/v1/content/night")
    client.put(
        "/v1/workspace/asserted-consent",
        json={"text_version": "T1", "source": "form", "since": "2026-01-01T00:00:00Z"},
    )
    rows = client.get("/v1/audit").json()["audit"]
    me = next(key for key in client.get("/v1/keys").json()["keys"] if key["kind"] == "api")
    assert {row["who"]: row["name"] for row in rows} == {
        f"key {me['id']}": "key api key",
        "command line": "command line",
    }
    kept = next(row for row in rows if row["what"] == "retention.set")
    told = {"months": 24, "applicant_days": 28}
    assert (kept["before"], kept["after"]) == (told, told | {"months": 12})
    mine = [row["what"] for row in reversed(rows) if row["who"] != "command line"]
    assert mine == [
        "segment.made",
        "segment.edited",
        "segment.deleted",
        "hook.made",
        "hook.deleted",
        "link_secret.rotated",
        "retention.set",
        "content.put",
        "content.edited",
        "content.removed",
        "asserted_consent.declared",
    ]
    edited = next(row for row in rows if row["what"] == "segment.edited")
    assert (edited["before"]["name"], edited["after"]["name"]) == ("Doers", "Doers now")
    assert (edited["about"], edited["after"]["rule"]) == ("doers", rule)
    pages, cursor = [], None
    while True:
        page = client.get("/v1/audit", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))
        pages += page.json()["audit"]
        cursor = page.json()["next"]
        if cursor is None:
            break
    assert pages == rows
    told = str(rows)
    for secret in (world.made.api_key, world.made.write_key, world.made.server_key):
        assert secret not in told


@pytest.mark.parametrize("change", [update(audit).values(who="nobody"), delete(audit)])
def test_the_audit_is_only_added_to(world: World, change: object) -> None:
    with pytest.raises(DBAPIError), writing(world.engine).begin() as connection:
        connection.execute(change)  # type: ignore[call-overload]
