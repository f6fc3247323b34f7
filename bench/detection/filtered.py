"""The product's own fold over simulated people: the log-odds of being active, as a track."""

import math
from itertools import groupby

import numpy as np

from bench.detection.tracks import Looks, Track
from services.contract.event import Event
from services.model.filter import log_odds
from services.model.fold import fold_onto
from services.model.path import Path
from services.model.version import Model


def fold_everybody(events: list[list[Event]], looks: Looks, model: Model) -> Track:
    """The track of log-odds of *active*."""
    asked = {
        person: [t for _, t in times]
        for person, times in groupby(
            zip(looks.person.tolist(), looks.t_ms.tolist(), strict=True), key=lambda look: look[0]
        )
    }
    person: list[int] = []
    t_ms: list[int] = []
    value: list[float] = []
    seen: list[float] = []
    for index, own in enumerate(events):
        times, values, answers = fold_one(own, asked.get(index, []), model)
        person += [index] * len(times)
        t_ms += times
        value += values
        seen += answers
    return Track(np.array(person), np.array(t_ms), np.array(value), np.array(seen))


def fold_one(
    events: list[Event], asked_ms: list[int], model: Model
) -> tuple[list[int], list[float], list[float]]:
    """(moments, log-odds then, log-odds at ``asked_ms``) of one person.

    The last of several events in one millisecond speaks for all of them.
    """
    times: list[int] = []
    values: list[float] = []
    answers: list[float] = []
    state, path = None, None
    asked = iter([*asked_ms, math.inf])
    next_ms = next(asked)
    for event, following in zip(events, [*events[1:], None], strict=True):
        state = fold_onto(state, event, model, path=path)
        assert state.score is not None
        until_ms = following.occurred_ms if following else None
        times.append(event.occurred_ms)
        values.append(log_odds(state.score.p)[0])
        path = None
        if until_ms == event.occurred_ms:
            continue
        path = Path(state, model, until_ms)
        while next_ms < (math.inf if until_ms is None else until_ms):
            answers.append(log_odds(path.probabilities_at(int(next_ms)))[0])
            next_ms = next(asked)
        if until_ms is not None:
            times.append(until_ms)
            values.append(log_odds(path.probabilities_at(until_ms))[0])
    return times, values, answers
