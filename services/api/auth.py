"""Who asks: keys by their digest, scopes, and the workspace that always comes from the key."""

import base64
import binascii
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import OperationalError
from starlette.concurrency import run_in_threadpool

from services.api.limits import count
from services.api.problem import Problem
from services.contract.keys import digest_of
from services.contract.tables import api_key
from services.runtime.database import writing

CACHED_MAX = 1024
CACHED_MS = 2_000
"""How long a revoked key may still be answered."""
USED_EVERY_MS = 60_000
"""How exactly it is kept when a key was last used."""

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="kentering", Basic realm="kentering"'}


@dataclass(frozen=True)
class Credential:
    """A key that was found: whose it is and what it may do."""

    key_id: int
    workspace_id: int
    kind: str
    scopes: frozenset[str]
    who: str
    """What the audit calls it."""
    name: str
    """What people call it: the key's name, or somebody's mail address."""


class Keys:
    """Finds credentials, and remembers a bounded number of them for a short while."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock
        self._lock = threading.Lock()
        self._cached: OrderedDict[bytes, tuple[int, Credential | None]] = OrderedDict()
        self._used: dict[int, int] = {}
        self._saved_ms = 0

    def at_hand(self, key: str) -> tuple[bool, Credential | None]:
        """Whether it is known without asking anybody what a key is, and then what."""
        mark, now_ms = digest_of(key), self._clock()
        with self._lock:
            read_ms, found = self._cached.get(mark, (now_ms - CACHED_MS, None))
        return 0 <= now_ms - read_ms < CACHED_MS, found

    def by_key(self, key: str) -> Credential | None:
        """The credential of a key as its owner holds it."""
        is_known, found = self.at_hand(key)
        if is_known:
            return found
        mark, now_ms = digest_of(key), self._clock()
        found = self._read(mark)
        with self._lock:
            self._cached[mark] = (now_ms, found)
            self._cached.move_to_end(mark)
            while len(self._cached) > CACHED_MAX:
                self._cached.popitem(last=False)
        if found is not None:
            self._note_use(found.key_id, now_ms)
        return found

    def forget(self) -> None:
        """Read every key anew: one was ended or changed by this process."""
        with self._lock:
            self._cached.clear()

    def save_used(self) -> None:
        """Write down when keys were used last; what cannot be written now waits."""
        with self._lock:
            used, self._used = self._used, {}
        try:
            with writing(self._engine).begin() as connection:
                for key_id, used_ms in sorted(used.items()):
                    row = update(api_key).where(api_key.c.id == key_id)
                    connection.execute(row.values(used_ms=used_ms))
        except OperationalError:
            with self._lock:
                self._used = used | self._used

    def _note_use(self, key_id: int, now_ms: int) -> None:
        """At most once a minute all uses are written, and no request waits for it."""
        with self._lock:
            self._used[key_id] = now_ms
            if 0 <= now_ms - self._saved_ms < USED_EVERY_MS:
                return
            self._saved_ms = now_ms
        threading.Thread(target=self.save_used, daemon=True, name="keys used").start()

    def _read(self, digest: bytes) -> Credential | None:
        key = api_key.c
        shown = (key.id, key.public_id, key.workspace_id, key.kind, key.scopes, key.name)
        query = select(*shown).where(key.digest == digest, key.revoked_ms.is_(None))
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return Credential(
            row.id,
            row.workspace_id,
            row.kind,
            frozenset(row.scopes),
            who=f"key {row.public_id}",
            name=f"key {row.name}",
        )


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

    # A coroutine: a thread is taken only where the database has to be asked, every few seconds.
    async def __call__(self, request: Request) -> Credential:
        """The credential.

        Raises:
            Problem: 401 without a valid key, 403 without the scope, 429 above the key's limit.
        """
        key = key_in(request.headers.get("authorization"))
        keys: Keys = request.app.state.context.keys
        is_known, credential = (True, None) if key is None else keys.at_hand(key)
        if key is not None and not is_known:
            credential = await run_in_threadpool(keys.by_key, key)
        if credential is None:
            text = "Give an api key as a Bearer token, or as the user name of Basic."
            if key is not None:
                text = "This key is unknown, or was ended."
            raise Problem(401, "unauthorized", text, _CHALLENGE)
        if credential.kind != "api":
            raise Problem(403, "wrong_key", f"A {credential.kind} key can only send events.")
        if self.scope not in credential.scopes:
            raise Problem(403, "missing_scope", f"This key lacks the scope {self.scope}.")
        count(request.app.state.context.limits, credential.key_id, request)
        return credential
