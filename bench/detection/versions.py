"""The model versions that take part: day one, and day one with the echo fitted without labels."""

import msgspec

from bench.detection.worlds import WORLDS
from services.contract.phases import DAY_MS
from services.model.fitting.em import fit_echo
from services.model.fitting.maximise import Prior
from services.model.fitting.pack import batches
from services.model.fitting.scribe import Scribe
from services.model.parameters import Parameters
from services.model.version import load

ECHO_FITTED = "day-one, echo fitted"


def with_echo_fitted(world: str, seed: int, people: range) -> Parameters:
    """What ``kentering fit --echo`` makes of people's events in a world; no truth is looked at."""
    base = load("day-one")
    scribe = Scribe(base)
    for person, events in enumerate(WORLDS[world].world(seed, people).events):
        scribe.follow(person, events, events[-1].occurred_ms + DAY_MS)
    histories = scribe.histories()
    prior = Prior(base.parameters, 0, histories.rhythm)
    fitted = fit_echo(prior, batches(histories, base.parameters), map)
    return msgspec.structs.replace(fitted, version=ECHO_FITTED)
