"""Keys: made, rotated, edited and ended; none gives more than it has."""

from httpx import Client

from services.api.app import create_app
from services.api.snapshot import load_snapshot
from services.contract.keys import digest_of
from services.contract.roles import SCOPES
from tests.contract.api.conftest import KEY
from tests.contract.api.world import NOW_MS, World
from tests.servers.process import wait_until


def test_a_key_is_made_rotated_and_ended(client: Client, world: World) -> None:
    headers = {"Idempotency-Key": "once"}
    body = {"name": "Our CRM", "kind": "server"}
    made = client.post("/v1/keys", json=body, headers=headers).json()
    again = client.post("/v1/keys", json=body, headers=headers).json()
    assert again == made | {"key": None}
    other = client.post("/v1/keys", json=body | {"name": "Other"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
    second = client.post(f"/v1/keys/{made['id']}/rotate").json()
    assert second["key"].startswith("ks_")

    def known() -> dict[bytes, int]:
        return {key.digest: key.source_id for key in load_snapshot(world.engine, KEY).keys}

    # Both are good, and one message sent with each is one event.
    assert known()[digest_of(made["key"])] == known()[digest_of(second["key"])]
    assert client.delete(f"/v1/keys/{made['id']}").status_code == 204
    assert digest_of(made["key"]) not in known()
    assert digest_of(second["key"]) in known()
    assert client.get(f"/v1/keys/{made['id']}").status_code == 404
    listed = client.get("/v1/keys").json()["keys"]
    assert [key["name"] for key in listed] == ["write key", "server key", "api key", "Our CRM"]
    assert second["key"] not in str(listed)


def test_a_key_gives_no_more_than_it_has(client: Client, world: World) -> None:
    wanted = ["segments:read", "keys:read", "keys:write", "accounts:write"]
    body = {"name": "Lesser", "kind": "api", "scopes": wanted}
    lesser = client.post("/v1/keys", json=body).json()
    headers = {"Authorization": f"Bearer {lesser['key']}"}
    refused = [
        client.post(
            "/v1/keys",
            json={"name": "More", "kind": "api", "scopes": ["persons:read"]},
            headers=headers,
        ),
        client.post("/v1/accounts", json={"email": "a@b.nl", "role": "owner"}, headers=headers),
        client.patch(
            f"/v1/keys/{lesser['id']}",
            json={"scopes": sorted(SCOPES)},
            headers=headers | {"If-Match": "*"},
        ),
    ]
    assert {(one.status_code, one.json()["code"]) for one in refused} == {
        (403, "beyond_own_scopes")
    }
    mine = next(key for key in client.get("/v1/keys").json()["keys"] if key["kind"] == "api")
    rotated = client.post(f"/v1/keys/{mine['id']}/rotate", headers=headers)
    assert rotated.status_code == 403
    assert client.get("/v1/audit", headers=headers).status_code == 403
    for odd in ({"kind": "api"}, {"kind": "write", "scopes": ["keys:read"]}):
        assert client.post("/v1/keys", json={"name": "x"} | odd).status_code == 400


def test_an_edit_names_what_it_saw(client: Client) -> None:
    body = {"name": "Power BI", "kind": "api", "scopes": ["segments:read"]}
    made = client.post("/v1/keys", json=body)
    path, tag = f"/v1/keys/{made.json()['id']}", made.headers["etag"]
    assert client.get(path).headers["etag"] == tag
    missing = client.patch(path, json={"name": "A"})
    assert (missing.status_code, missing.json()["code"]) == (428, "if_match_missing")
    changed = client.patch(path, json={"name": "A"}, headers={"If-Match": tag})
    assert changed.json()["name"] == "A"
    late = client.patch(path, json={"name": "B"}, headers={"If-Match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
    assert late.headers["etag"] == changed.headers["etag"] != tag
    assert client.get(path).json()["name"] == "A"


def test_it_is_kept_when_a_key_was_used(client: Client, world: World) -> None:
    body = {"name": "Reader", "kind": "api", "scopes": ["segments:read"]}
    made = client.post("/v1/keys", json=body).json()
    assert made["used_at"] is None
    app = create_app(world.engine, KEY, "http://x.test", lambda: NOW_MS)
    app.state.context.keys.by_key(made["key"])
    path = f"/v1/keys/{made['id']}"
    # It is written beside the request, which does not wait for it.
    wait_until(lambda: client.get(path).json()["used_at"] is not None, "when it was used")
