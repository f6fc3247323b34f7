"""What the model costs per event and one large person costs anew: ``python -m bench.hot``.

Prints JSON. It measures whichever ``services`` Python finds, compiled or plain.
"""

import gc
import json
import random
import sys
import time

from services.contract.event import Event
from services.model import fold
from services.model.behaviour import judged
from services.model.rulebook import Rulebook
from services.model.rules import RuleTree
from services.model.state import PersonState, decode_state, encode_state
from services.model.timeline import advance
from services.model.version import load
from tests.simulation.world import people

PERSONS = 200
EVENTS_EACH = 50
PART = 5
LARGE = 1_000
TIMES = 5
RULES = (
    {"type": "phase", "any_of": ["think", "do"]},
    {"type": "events", "event": ["vacancy_viewed"], "at_least": 2, "within_days": 14},
    {"type": "attribute", "name": "region", "op": "is", "value": "Noord"},
)


def main() -> None:
    """The least of several times each: what else ran meanwhile only adds to it."""
    rng = random.Random(3)
    lives = [person.events for person in people(rng, PERSONS, EVENTS_EACH, workspace_id=1)]
    (large,) = people(rng, 1, LARGE, workspace_id=1)
    gc.collect()
    gc.disable()  # as it is while the scorer works on a batch
    fold_us = min(_taken_s(lives) for _ in range(TIMES)) / PERSONS / EVENTS_EACH * 1e6
    anew_ms = min(_anew_s(large.events) for _ in range(TIMES)) * 1e3
    found = {"fold_us": fold_us, "anew_ms": anew_ms, "compiled": fold.__file__.endswith(".so")}
    json.dump(found, sys.stdout)


def _rulebook() -> Rulebook:
    rules = (RuleTree.model_validate({"rule": rule}).rule for rule in RULES)
    return Rulebook(tuple((str(i), rule) for i, rule in enumerate(rules)))


def _taken_s(lives: list[tuple[Event, ...]]) -> float:
    """As in the scorer: a few events at a time, from stored state to stored state."""
    model, rulebook = load(), _rulebook()
    begun_s = time.process_time()
    for life in lives:
        stored: bytes | None = None
        for start in range(0, len(life), PART):
            state: PersonState | None = None if stored is None else decode_state(stored)
            state, _ = advance(state, judged(life[start : start + PART]), model, rulebook)
            stored = encode_state(state)
    return time.process_time() - begun_s


def _anew_s(life: tuple[Event, ...]) -> float:
    model, rulebook = load(), _rulebook()
    begun_s = time.process_time()
    advance(None, judged(life), model, rulebook)
    return time.process_time() - begun_s


if __name__ == "__main__":
    main()
