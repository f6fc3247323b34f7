"""People who take back what they agreed to, and what is stored then."""

from sqlalchemy import select

from services.contract import tables
from services.contract.event import Consent, Event
from services.model.state import PersonState, decode_state
from tests.contract.scorer.scene import Scene

NO = Consent(measure=False, profile=False)
NO_PROFILE = Consent(measure=True, profile=False)


def word(scene: Scene, who, day: float, consent: Consent | None = None, **more) -> Event:
    """An answer, by a server; a yes unless it is said otherwise."""
    more.setdefault("server_only", True)
    if consent is not None:
        more["consent"] = consent
    return scene.day("consent_changed", who, day=day, **more)


def named(scene: Scene) -> list[tuple[str, int]]:
    """Type and moment of every event that is still somebody's."""
    query = select(tables.event.c.type, tables.event.c.occurred_ms).where(
        tables.event.c.identity_id.is_not(None)
    )
    return sorted((kind, at) for kind, at in scene.rows(query))


def counted(scene: Scene) -> int:
    """How many events are nobody's any more."""
    return sum(count for (count,) in scene.rows(select(tables.aggregate.c["count"])))


def marks(scene: Scene) -> dict[bytes, tuple[int | None, int | None]]:
    """What trackers are told: since when measuring and profiling are withdrawn, by mark."""
    row = tables.withdrawal.c
    query = select(row.mark, row.measure_ms, row.profile_ms)
    return {bytes(mark): (m, p) for mark, m, p in scene.rows(query)}


def state_of(scene: Scene) -> PersonState:
    """Of the first person there is."""
    states = scene.rows(select(tables.person_state.c.state))
    return decode_state(bytes(states[0][0]))
