"""Who asks: keys by their digest, scopes, and the workspace that always comes from the key."""

import base64
import binascii
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import Engine, select

from services.api.limits import count
from services.api.problem import Problem
from services.contract.keys import digest_of
from services.contract.tables import api_key

SCOPES: dict[str, str] = {
    "persons:read": "persons, their timelines, phases and explanations",
    "segments:read": "segments, their members, counts and trends",
    "segments:write": "create, edit and delete segments",
    "persons:write": "tell what is known of persons",
    "imports:write": "bring people, events and vacancies in by file",
    "exports:write": "take the members of segments out as a file",
    "jobs:write": "see and end imports and exports",
    "changes:read": "the change feed",
    "content:read": "the catalogue of content",
    "content:write": "put content in the catalogue, and take it out",
    "links:write": "make and list tracked links, campaigns and mailings, with recipients",
    "identities:write": "decide which identities are one person's, and which are not",
    "consent:write": "record what people agreed to, or took back, elsewhere",
    "persons:erase": "erase people, and see what was erased; set how long people are kept",
    "hooks:read": "webhooks of mailers, without their secrets",
    "hooks:write": "make and delete webhooks of mailers",
    "webhooks:read": "webhooks and what was sent to them",
    "webhooks:write": "make, change and delete webhooks, and send to them",
    "workspace:write": "rotate the secret of links, declare what consent server keys stand for",
    "workspace:read": "the workspace and the model in force",
}

CACHED_MAX = 1024
CACHED_MS = 2_000
"""How long a revoked key may still be answered."""

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="kentering", Basic realm="kentering"'}


@dataclass(frozen=True)
class Credential:
    """A key that was found: whose it is and what it may do."""

    key_id: int
    workspace_id: int
    kind: str
    scopes: frozenset[str]


class Keys:
    """Finds credentials, and remembers a bounded number of them for a short while."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock
        self._lock = threading.Lock()
        self._cached: OrderedDict[bytes | int, tuple[int, Credential | None]] = OrderedDict()

    def by_key(self, key: str) -> Credential | None:
        """The credential of a key as its owner holds it."""
        return self._find(digest_of(key))

    def by_id(self, key_id: int) -> Credential | None:
        """The credential of a key that a session was opened with."""
        return self._find(key_id)

    def _find(self, mark: bytes | int) -> Credential | None:
        now_ms = self._clock()
        with self._lock:
            read_ms, found = self._cached.get(mark, (now_ms - CACHED_MS, None))
        if 0 <= now_ms - read_ms < CACHED_MS:
            return found
        found = self._read(mark)
        with self._lock:
            self._cached[mark] = (now_ms, found)
            self._cached.move_to_end(mark)
            while len(self._cached) > CACHED_MAX:
                self._cached.popitem(last=False)
        return found

    def _read(self, mark: bytes | int) -> Credential | None:
        column = api_key.c.id if isinstance(mark, int) else api_key.c.digest
        query = select(
            api_key.c.id, api_key.c.workspace_id, api_key.c.kind, api_key.c.scopes
        ).where(column == mark, api_key.c.revoked_ms.is_(None))
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return Credential(row.id, row.workspace_id, row.kind, frozenset(row.scopes))


def key_in(authorization: str | None) -> str | None:
    """The key in an ``Authorization`` header: a Bearer token, or either half of Basic."""
    if authorization is None:
        return None
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return user or password or None


class Needs:
    """A dependency: the request's credential, which must be an api key with this scope."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    def __call__(self, request: Request) -> Credential:
        """The credential.

        Raises:
            Problem: 401 without a valid key, 403 without the scope, 429 above the key's limit.
        """
        key = key_in(request.headers.get("authorization"))
        keys: Keys = request.app.state.context.keys
        credential = keys.by_key(key) if key is not None else None
        if credential is None:
            text = "Give an api key as a Bearer token, or as the user name of Basic."
            raise Problem(401, "unauthorized", text, _CHALLENGE)
        if credential.kind != "api":
            raise Problem(403, "wrong_key", f"A {credential.kind} key can only send events.")
        if self.scope not in credential.scopes:
            raise Problem(403, "missing_scope", f"This key lacks the scope {self.scope}.")
        count(request.app.state.context.limits, credential.key_id, request)
        return credential
