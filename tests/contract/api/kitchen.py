"""A recipe run as a user runs it, and a server of somebody else that records what it gets."""

import io
import json
import os
import runpy
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from httpx import Client

from services.contract.event import Agreement, Consent, Identity
from services.contract.phases import DAY_MS
from tests.contract.api.world import NOW_MS, World

RECIPES = Path(__file__).parents[3] / "docs" / "recipes"
Got = list[tuple[str, str, dict[str, str], bytes]]


class Receiver:
    """Records each request, and answers with what a path was told to."""

    def __init__(self) -> None:
        self.got: Got = []
        self.answers: dict[str, Any] = {}
        self.refusals: dict[str, int] = {}
        """By path, the status of the answers."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        path = scope["path"] + (f"?{query}" if query else "")
        self.got.append((scope["method"], path, headers, body))
        answer = json.dumps(self.answers.get(scope["path"], {})).encode()
        status = self.refusals.get(scope["path"], 200)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    def calls(self) -> list[tuple[str, str, Any]]:
        found = [(m, p, json.loads(b) if b[:1] == b"{" else b.decode()) for m, p, _, b in self.got]
        self.got.clear()
        return found


class Kitchen:
    def __init__(self, client: Client, world: World, folder: Path, other_url: str) -> None:
        self.client, self.world, self.folder = client, world, folder
        self._told = {
            "KENTERING_URL": str(client.base_url),
            "KENTERING_API_KEY": world.made.api_key,
            "MAILER_URL": other_url,
            "MAILER_KEY": "secret",
            "ATS_URL": other_url,
            "ATS_USER": "user",
            "ATS_KEY": "secret",
        }

    def run(self, name: str, *arguments: str, told: str = "", **more: str) -> str:
        """What a recipe prints, run as its file; in this process, for one of its own takes long."""
        printed = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
            for key, value in {**self._told, **more}.items():
                patch.setenv(key, value)
            patch.setattr(sys, "argv", [name, *arguments])
            patch.setattr(sys, "stdin", io.StringIO(told))
            patch.syspath_prepend(str(RECIPES))
            patch.chdir(self.folder)
            runpy.run_path(str(RECIPES / name), run_name="__main__")
        return printed.getvalue()

    def call(self, name: str, *arguments: str) -> str:
        """The same in a process of its own."""
        done = subprocess.run(
            [sys.executable, str(RECIPES / name), *arguments],
            env={**os.environ, **self._told},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def person(self, name: str, **told: Any) -> None:
        consent = Consent(measure=True, profile=True, contact=True)
        given = Agreement(given_ms=NOW_MS - 6 * DAY_MS, purposes={"share": True})
        more: dict[str, Any] = {"consent": consent, "agreement": given, "server_only": True}
        who = (
            Identity("user_id", name),
            Identity("email", f"{name}@example.org"),
            Identity("carerix", f"C-{name}"),
        )
        self.world.score(
            [
                self.world.event(6, "identified", name, identities=who, properties=told, **more),
                self.world.event(5, "page", name, consent=consent),
            ]
        )
        self.world.build()

    def leaves(self, name: str) -> None:
        no = Agreement(given_ms=NOW_MS - DAY_MS, purposes={"contact_mail": False})
        word = self.world.event(1, "consent_changed", name, consent=Consent(), agreement=no)
        self.world.score([word])
