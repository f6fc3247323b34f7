"""What every route may use; made once by the app."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine

from services.api.auth import Keys
from services.api.door import Door
from services.api.in_force import InForce
from services.api.limits import Limits
from services.api.streams import Streams
from services.api.waiting import Waiting
from services.contract.addresses import Addresses
from services.contract.target import Network
from services.model.version import Model
from services.runtime.database import glancing


@dataclass(frozen=True)
class Context:
    """The app's surroundings."""

    engine: Engine
    internal_key: str
    public_url: str
    clock: Callable[[], int]
    keys: Keys
    door: Door
    waiting: Waiting
    in_force: InForce
    limits: Limits
    """Of keys."""
    streams: Streams
    networks: Sequence[Network]
    """Our own, that webhooks may go to."""
    addresses: Addresses
    """Tells those apart who come without a key."""
    visits: Limits
    """Of their addresses."""
    unscored: Callable[[], int | None]
    """When the event that is scored next was received; None: none waits, or nobody can tell."""

    @cached_property
    def glancing(self) -> Engine:
        """The database for reads whose statements each may see a moment of their own."""
        return glancing(self.engine)

    @property
    def model(self) -> Model:
        """The version in force."""
        return self.in_force.model()


def context_of(request: Request) -> Context:
    """The context of the app that got the request."""
    context: Context = request.app.state.context
    return context


async def _here(request: Request) -> Context:
    return context_of(request)  # a coroutine: it takes no thread of its own


Here = Annotated[Context, Depends(_here)]
