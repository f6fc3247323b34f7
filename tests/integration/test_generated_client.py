"""A client that is generated from the OpenAPI in the repository goes the whole journey."""

import hashlib
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from tests.integration.product import PATIENCE_S, Product, run_up
from tests.servers.process import wait_until
from tests.servers.receiver import Receiver, run_receiver

ROOT = Path(__file__).parents[2]
NAME = "kentering_client"
# Nothing tidies the code, which nobody reads.
CONFIG = f"post_hooks: []\npackage_name_override: {NAME}\nliteral_enums: true\n"
CONSENT = {"consent": {"categoryPreferences": {"measure": True, "profile": True}}}


def _generated() -> Path:
    """The folder with the package, made once for each description."""
    openapi = ROOT / "docs" / "openapi.json"
    mark = hashlib.blake2b(openapi.read_bytes() + CONFIG.encode(), digest_size=8).hexdigest()
    folder = ROOT / ".servers" / f"client-{mark}"
    if folder.exists():
        return folder
    making = folder.with_name(f"{folder.name}.{os.getpid()}")
    making.mkdir(parents=True)
    (making / "config.yml").write_text(CONFIG)
    done = subprocess.run(
        [Path(sys.executable).with_name("openapi-python-client"), "generate", "--meta", "none",
         "--path", openapi, "--output-path", making / NAME, "--config", making / "config.yml"],
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    # Pictures and text it leaves out; but no operation, and nothing of what they speak of.
    assert "will not be generated" not in told, told
    assert "Unable to process" not in told, told
    try:
        making.rename(folder)
    except OSError:  # another process was quicker
        assert folder.exists()
    return folder


@pytest.fixture(scope="module")
def package() -> Iterator[ModuleType]:
    folder = str(_generated())
    sys.path.insert(0, folder)
    yield importlib.import_module(NAME)
    sys.path.remove(folder)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with run_receiver() as receiver:
        yield receiver


class Api:
    """The generated client's operations and models, by their names."""

    def __init__(self, package: ModuleType, product: Product, key: str) -> None:
        self._client = package.AuthenticatedClient(
            base_url=product.api_url,
            token=key,
            raise_on_unexpected_status=True,
            timeout=httpx.Timeout(30),
            verify_ssl=False,
        )
        self.models = importlib.import_module(f"{NAME}.models")

    def __call__(self, tag: str, operation: str, **asked: Any) -> Any:
        """What an operation answers, as the client reads it; a problem fails the test."""
        module = importlib.import_module(f"{NAME}.api.{tag}.{operation}")
        answer = module.sync_detailed(client=self._client, **asked)
        assert answer.status_code < 300, answer.content
        return answer.parsed

    def fetch(self, url: str) -> str:
        """What lies at an address that an answer gave."""
        return str(self._client.get_httpx_client().get(url).raise_for_status().text)

    def body(self, model: str, value: Any) -> Any:
        """A body, from JSON."""
        return getattr(self.models, model).from_dict(value)


def test_a_generated_client_goes_the_whole_journey(
    package: ModuleType, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KENTERING_WEBHOOK_NETWORKS", "127.0.0.0/8")
    with run_up(tmp_path) as product:
        _journey(package, product, receiver)


def _journey(package: ModuleType, product: Product, receiver: Receiver) -> None:
    api = Api(package, product, product.api_key)
    key = api("access", "post_key", body=api.models.KeyCreate(name="Our CRM", kind="server"))
    assert key.created_by == "key api key"
    readers = _segment(api)
    hook = api("webhooks", "post_webhook", body=api.body("WebhookCreate", {"url": receiver.url}))
    item = {"content_type": "story", "title": "A night", "url": "https://example.org/night"}
    api("content", "put_content", content_id="night", body=api.body("ContentEdit", item))
    asked = {"name": "Readers", "segment": "readers", "content_id": "night"}
    trigger = api("triggers", "post_trigger", body=api.body("TriggerCreate", asked))

    person = _events(package, product, api, key.key)
    assert person.phase is not None
    members = _members(api, person.id)
    assert members[0].because == "event"
    wait_until(lambda: _told(receiver, "trigger.fired"), "the webhook", timeout_s=PATIENCE_S)
    feed = api("changes", "list_changes", types=["segment", "trigger"])
    assert [(one.type_, one.person) for one in feed.changes] == [
        ("segment", person.id),
        ("trigger", person.id),
    ]
    assert (feed.changes[1].trigger, feed.changes[1].content) == (trigger.id, "night")
    for got in receiver.accepted:
        headers = {name.lower(): value for name, value in got.headers.items()}
        assert Webhook(hook.secret).verify(got.body, headers) == got.message
    assert _told(receiver, "segment.entered")[0]["person"] == person.id
    assert person.id in _export(api)
    assert api("segments", "get_segment", key="readers").rule == readers.rule
    api("consent", "delete_person", person_id=person.id)
    wait_until(lambda: _told(receiver, "person.erased"), "the farewell", timeout_s=PATIENCE_S)


def _segment(api: Api) -> Any:
    """A segment by a rule of several levels, made of the client's own classes."""
    models = api.models
    phases = models.PhaseIs(type_="phase", any_of=["see", "think", "do"])
    read = models.Events(type_="events", event=["read"], at_least=2, within_days=30)
    staff = models.IdentityKnown(type_="identity", namespace="staff_id")
    rule = models.AllOf(
        type_="all",
        rules=[
            phases,
            models.AnyOf(type_="any", rules=[read, models.Not(type_="not", rule=phases)]),
            models.Not(type_="not", rule=models.AnyOf(type_="any", rules=[staff])),
        ],
    )
    made = models.SegmentCreate(key="readers", name="Readers", rule=rule)
    segment = api("segments", "post_segment", body=made)
    assert _shape(segment.rule) == _shape(rule)
    assert segment.rule.rules[2].rule.rules[0].namespace == "staff_id"
    preview = api("segments", "post_preview", body=models.PreviewAsk(rule=rule))
    assert preview.enter == 0
    wait_until(
        lambda: api("segments", "get_segment", key="readers").status == "live",
        "the segment to be filled",
        timeout_s=PATIENCE_S,
    )
    return segment


def _shape(rule: Any) -> list[Any]:
    """The types in a rule, which came back with its defaults filled in."""
    parts = getattr(rule, "rules", [])
    return [rule.type_, *map(_shape, [rule.rule] if hasattr(rule, "rule") else parts)]


def _events(package: ModuleType, product: Product, api: Api, key: str) -> Any:
    """Somebody reads twice, told with the new key; the person."""
    sender = Api(package, product, key)
    calls = [
        {"type": "identify", "messageId": "1", "userId": "anna", "traits": {"region": "Noord"}},
        *({"type": "track", "messageId": i, "userId": "anna", "event": "read"} for i in "23"),
    ]
    body = sender.body("CollectBatchBody", {"batch": [one | {"context": CONSENT} for one in calls]})
    # The tracker hears of new keys within a second or so.
    wait_until(lambda: _taken(sender, body), "the new key", timeout_s=PATIENCE_S)
    position = sender("collecting", "collect_batch", body=body).position
    return api("persons", "lookup_person", namespace="user_id", value="anna", after=position)


def _taken(sender: Api, body: Any) -> bool:
    try:
        sender("collecting", "collect_batch", body=body)
    except AssertionError:
        return False
    return True


def _members(api: Api, person: str) -> list[Any]:
    found: list[Any] = []

    def there() -> bool:
        found[:] = api("segments", "list_members", key="readers").members
        return [one.person for one in found] == [person]

    wait_until(there, "the member", timeout_s=PATIENCE_S)
    return found


def _told(receiver: Receiver, kind: str) -> list[Any]:
    return [got.message["data"] for got in receiver.accepted if got.message["type"] == kind]


def _export(api: Api) -> str:
    """What an export's file holds."""
    asked = api.body("ExportIn", {"use": "insight", "format": "ndjson"})
    job = api("jobs", "post_export", key="readers", body=asked)
    wait_until(
        lambda: api("jobs", "get_job", job_id=job.id).status == "done",
        "the export",
        timeout_s=PATIENCE_S,
    )
    return api.fetch(api("jobs", "get_job", job_id=job.id).file.url)
