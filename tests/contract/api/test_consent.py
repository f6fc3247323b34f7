"""Answers about consent by REST: through the real tracker's door into the ledger, and back."""

from services.api.snapshot import load_snapshot
from services.api.withdrawals import load_withdrawals
from services.contract.event import Agreement, Consent, Identity
from services.contract.withdrawal import mark_of
from tests.contract.api.conftest import KEY
from tests.contract.api.world import NOW_MS, World

DAY_AGO = "2026-11-17T00:00:00.000Z"
MAIL = Identity("email", "anna@example.org")


def test_given_and_withdrawn_elsewhere(world: World, api) -> None:
    client, arrive = api
    both = (Identity("user_id", "anna"), MAIL)
    proof = Agreement(text_version="v1", given_ms=NOW_MS - 9 * 86_400_000)
    yes = world.event(9, "identified", "anna", identities=both, agreement=proof, server_only=True)
    anna = world.person("anna", [yes, world.event(8, "page", "anna")])
    told = client.get(f"/v1/persons/{anna}/consent").json()
    assert {p: e["granted"] for p, e in told["now"].items()} == {"measure": True, "profile": True}
    assert told["now"]["measure"]["text_version"] == "v1"
    assert told["now"]["measure"]["answered"]

    no = {"purposes": {"measure": False, "share": False}, "given_at": DAY_AGO}
    taken = client.post(
        "/v1/consent", json={**no, "namespace": "email", "value": "Anna@example.org"}
    )
    assert taken.status_code == 202, taken.text
    assert (
        client.post(
            "/v1/consent", json={**no, "namespace": "email", "value": "anna@example.org"}
        ).json()
        == taken.json()
    ), "said again it is the same"
    (word, *_) = arrive()
    assert (word.type, word.identities, word.properties) == ("consent_changed", (MAIL,), {})
    told = client.get(f"/v1/persons/{anna}/consent", params={"after": taken.json()["position"]})
    now = told.json()["now"]
    assert {p: e["granted"] for p, e in now.items()} == {
        "measure": False, "profile": False, "share": False,
    }  # fmt: skip
    assert now["measure"]["said_at"] == DAY_AGO
    assert now["measure"]["source"] == "product"
    assert len(told.json()["history"]) == 5
    person = client.get(f"/v1/persons/{anna}").json()
    assert person["phase"] is None
    events = client.get(f"/v1/persons/{anna}/timeline").json()["events"]
    assert [event["type"] for event in events] == ["consent_changed"]
    secret = load_snapshot(world.engine, KEY).link_secrets[0].secret
    page = load_withdrawals(world.engine, 0)
    assert {one.mark for one in page.withdrawals} == {mark_of(who, secret) for who in both}
    assert load_withdrawals(world.engine, page.reached).withdrawals == ()

    back = {
        "purposes": {"measure": True, "profile": True},
        "given_at": "2026-11-18T00:00:00Z",
        "asked_where": "by telephone",
    }
    assert client.post(f"/v1/persons/{anna}/consent", json=back).status_code == 202
    arrive()
    now = client.get(f"/v1/persons/{anna}/consent").json()["now"]
    assert (now["measure"]["granted"], now["measure"]["asked_where"]) == (True, "by telephone")
    assert now["share"]["asked_where"] is None
    lifted = load_withdrawals(world.engine, page.reached).withdrawals
    assert {(one.measure_ms, one.profile_ms) for one in lifted} == {(None, None)}


def test_a_no_for_a_person_is_also_that_of_an_address_that_only_a_page_told(world, api) -> None:
    client, arrive = api
    told = world.event(9, "identified", "anna", identities=(Identity("user_id", "anna"), MAIL))
    anna = world.person("anna", [told, world.event(8, "page", "anna", identities=(MAIL,))])
    no = {"purposes": {"measure": False, "share": True}, "given_at": DAY_AGO}
    assert client.post(f"/v1/persons/{anna}/consent", json=no).status_code == 202
    words = arrive()
    assert {word.identities for word in words} == {(MAIL,), (Identity("user_id", "anna"),)}
    assert [word.agreement.purposes for word in words if word.identities == (MAIL,)] == [{}]
    events = client.get(f"/v1/persons/{anna}/timeline").json()["events"]
    assert {event["type"] for event in events} == {"consent_changed"}


def test_nobody_known_may_refuse_beforehand(world: World, api) -> None:
    client, arrive = api
    no = {"namespace": "user_id", "value": "late", "purposes": {"measure": False}}
    assert client.post("/v1/consent", json={**no, "given_at": DAY_AGO}).status_code == 202
    arrive()
    late = world.person("late", [world.event(0.5, "applied", "late")])
    assert client.get(f"/v1/persons/{late}/timeline").json()["events"][0]["type"] == (
        "consent_changed"
    )


def test_what_cannot_be_recorded_is_refused(world: World, api) -> None:
    client, _ = api
    who = {"namespace": "user_id", "value": "a"}
    for body in (
        {**who, "purposes": {}, "given_at": DAY_AGO},
        {**who, "purposes": {"sell": True}, "given_at": DAY_AGO},
        {**who, "purposes": {"measure": False}},
        {**who, "purposes": {"measure": False}, "given_at": "2099-01-01T00:00:00Z"},
        {
            "namespace": "email",
            "value": "none",
            "purposes": {"measure": False},
            "given_at": DAY_AGO,
        },
    ):
        assert client.post("/v1/consent", json=body).status_code == 400, body
    assert client.post("/v1/persons/p_x/consent", json={}).status_code == 400
    assert world.made


def test_consent_that_a_browser_says_for_somebody_else_withdraws_nothing(world: World) -> None:
    forged = world.event(
        1, "page", "anna", consent=Consent(True, False), agreement=Agreement(given_ms=NOW_MS - 9)
    )
    world.score([world.event(3, "page", "anna"), forged])
    assert load_withdrawals(world.engine, 0).withdrawals == ()


def test_a_declaration_needs_its_text_source_and_time_and_goes_to_the_trackers(world, api) -> None:
    client, _ = api
    path = "/v1/workspace/asserted-consent"
    whole = {"text_version": "statement 3", "source": "the ATS", "since": DAY_AGO}
    for missing in whole:
        part = {name: value for name, value in whole.items() if name != missing}
        assert client.put(path, json=part).status_code == 400
    assert client.put(path, json={**whole, "since": "2099-01-01T00:00:00Z"}).status_code == 400
    assert client.put(path, json=whole).json() == whole
    assert client.get("/v1/workspace").json()["asserted_consent"] == whole
    keys = {key.kind: key.asserted_consent for key in load_snapshot(world.engine, KEY).keys}
    assert keys == {"write": None, "server": "statement 3", "internal": None}
    assert client.delete(path).json() == dict.fromkeys(whole)
    assert {key.asserted_consent for key in load_snapshot(world.engine, KEY).keys} == {None}
