"""How every read about one person begins: wait for a write, connect, find the person."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query
from sqlalchemy import Connection, Row

from services.api.context import Context, Here
from services.api.needs import PersonsReader
from services.api.people import find_person, person_of_identity
from services.api.wire import After, AsOf, KnownAt, PersonPath
from services.contract.event import Identity


@dataclass(frozen=True)
class Asked:
    """Which person, at which moment, as known when."""

    here: Context
    workspace_id: int
    who: str | Identity
    """Their public id, or what they are known by."""
    at_ms: int
    """The moment asked about; now where none was."""
    as_of_ms: int | None
    known_at_ms: int | None
    _after: str | None

    @contextmanager
    def opened(self) -> Iterator[tuple[Connection, Row[Any]]]:
        """The database, and the row of the person.

        Raises:
            Problem: 404, there is none in this workspace; 503, too many wait already.
            MovedError: the person was merged into another.
        """
        self.here.waiting.until_folded(self.workspace_id, self._after)
        with self.here.glancing.connect() as connection:
            yield connection, self._row(connection)

    def _row(self, connection: Connection) -> Row[Any]:
        if isinstance(self.who, Identity):
            return person_of_identity(
                connection, self.workspace_id, self.who.namespace, self.who.value
            )
        return find_person(connection, self.workspace_id, self.who, self.known_at_ms)


# Coroutines, though they wait for nothing: so they run at once and not in a thread of their own.
async def _asked(
    here: Here,
    credential: PersonsReader,
    person_id: PersonPath,
    known_at: KnownAt = None,
    after: After = None,
) -> Asked:
    now_ms = here.clock()
    return Asked(here, credential.workspace_id, person_id, now_ms, None, known_at, after)


async def _asked_at(
    here: Here,
    credential: PersonsReader,
    person_id: PersonPath,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    after: After = None,
) -> Asked:
    at_ms = here.clock() if as_of is None else as_of
    return Asked(here, credential.workspace_id, person_id, at_ms, as_of, known_at, after)


async def _asked_by_identity(
    here: Here,
    credential: PersonsReader,
    namespace: Annotated[str, Query(min_length=1, max_length=100, examples=["email"])],
    value: Annotated[str, Query(min_length=1, max_length=500, examples=["anna@example.org"])],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    after: After = None,
) -> Asked:
    at_ms, who = here.clock() if as_of is None else as_of, Identity(namespace, value)
    return Asked(here, credential.workspace_id, who, at_ms, as_of, known_at, after)


AskedPerson = Annotated[Asked, Depends(_asked)]
"""For reads over all time: with ``known_at`` and ``after``."""
AskedPersonAt = Annotated[Asked, Depends(_asked_at)]
"""For reads of a moment: with ``as_of`` too."""
AskedByIdentity = Annotated[Asked, Depends(_asked_by_identity)]
"""The same, of who is known so."""
