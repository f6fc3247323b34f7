"""Prints what the model makes of people, as it is stored: the same wherever it is computed.

``python -m tests.contract.compiled.bits``; the last line is where the model was taken from.
"""

import hashlib
import json
import random

from services.model import fold
from services.model.behaviour import judged
from services.model.rulebook import Rulebook
from services.model.rules import RuleTree
from services.model.state import copy_state, encode_state
from services.model.timeline import advance, go_on
from services.model.version import load
from tests.golden.model.regenerate import FILES, events_of, expected_of
from tests.simulation.world import people

PERSONS = 60
EVENTS_EACH = 40
READY = {"type": "phase", "any_of": ["think", "do"]}
NORTH = {"type": "attribute", "name": "region", "op": "is", "value": "Noord"}
RULES = {
    "ready": READY,
    **{
        f"open-{i}": {"type": "probability", "of": "openness", "at_least": 0.1 + i / 20}
        for i in range(6)
    },
    "looked": {"type": "events", "event": ["vacancy_viewed"], "at_least": 2, "within_days": 14},
    "north": NORTH,
    "ready-north": {"type": "all", "rules": [READY, {"type": "not", "rule": NORTH}]},
}


def main() -> None:
    """All journeys that are written down, and simulated people in parts of every size."""
    rng = random.Random(7)
    model = load()
    rules = ((key, RuleTree.model_validate({"rule": rule}).rule) for key, rule in RULES.items())
    rulebook = Rulebook(tuple(rules))
    journeys = [json.loads(file.read_text()) for file in FILES]
    for file, journey in zip(FILES, journeys, strict=True):
        print(file.stem, _digest(repr(expected_of(journey)).encode()))
    lives = [events_of(journey) for journey in journeys]
    lives += [person.events for person in people(rng, PERSONS, EVENTS_EACH, workspace_id=1)]
    for number, life in enumerate(lives):
        events, state, told = judged(life), None, []
        while events:
            part = rng.randrange(1, 9)
            now, events = events[:part], events[part:]
            until_ms = events[0].occurred_ms if events else None
            if state is not None:
                ahead = go_on(copy_state(state), now, model, rulebook)
                told.append(repr((ahead.intervals, ahead.since_ms)).encode())
            state, pieces = advance(state, now, model, rulebook, until_ms)
            told += [repr(pieces).encode(), encode_state(state)]
        print(number, _digest(b"".join(told)))
    print(fold.__file__)


def _digest(stored: bytes) -> str:
    return hashlib.sha256(stored).hexdigest()[:16]


if __name__ == "__main__":
    main()
