"""Simulated people made ready to be judged, in chunks that several processes can make."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.detection.filtered import fold_everybody
from bench.detection.life import Truth
from bench.detection.points import TELLING_WEIGHTS, WEIGHTS, Tally, tally
from bench.detection.tracks import Looks, Track, looks_of
from bench.detection.worlds import WORLDS
from services.model.parameters import Parameters
from services.model.version import build

CHUNK = 100
TALLIES = {
    "as set up": (WEIGHTS, False),
    "as set up, once a visit": (WEIGHTS, True),
    "telling weights": (TELLING_WEIGHTS, False),
    "telling weights, once a visit": (TELLING_WEIGHTS, True),
}


@dataclass(frozen=True)
class Sample:
    """People of one world: the truth, what points are given for, and the filter's tracks."""

    truths: list[Truth]
    looks: Looks
    tallies: dict[str, Tally]
    """By a name of ``TALLIES``."""
    tracks: dict[str, Track]
    """By the name of a model version."""
    events: int


@dataclass(frozen=True)
class Order:
    """People to make: of a world, by a seed, folded by these versions."""

    world: str
    seed: int
    people: range
    versions: tuple[Parameters, ...]


def make(order: Order) -> Sample:
    """Simulate and fold a chunk."""
    world = WORLDS[order.world].world(order.seed, order.people)
    looks = looks_of(world.truths)
    return Sample(
        truths=world.truths,
        looks=looks,
        tallies={
            name: tally(world.events, weights, once_a_visit=once)
            for name, (weights, once) in TALLIES.items()
        },
        tracks={
            version.version: fold_everybody(world.events, looks, build(version))
            for version in order.versions
        },
        events=sum(map(len, world.events)),
    )


def chunks(
    world: str, seed: int, count: int, versions: tuple[Parameters, ...] = ()
) -> Iterator[Order]:
    """The people 0 to ``count`` as orders."""
    for begin in range(0, count, CHUNK):
        yield Order(world, seed, range(begin, min(begin + CHUNK, count)), versions)


def join(samples: Sequence[Sample]) -> Sample:
    """Different people as one sample."""
    counts = [len(sample.truths) for sample in samples]
    offsets = np.cumsum([0, *counts[:-1]]).tolist()
    placed = list(zip(samples, offsets, strict=True))
    return Sample(
        truths=[truth for sample in samples for truth in sample.truths],
        looks=Looks(
            np.concatenate([s.looks.person + offset for s, offset in placed]),
            np.concatenate([s.looks.t_ms for s in samples]),
            np.concatenate([s.looks.state for s in samples]),
        ),
        tallies={
            name: Tally(
                np.concatenate([s.tallies[name].person + offset for s, offset in placed]),
                np.concatenate([s.tallies[name].t_ms for s in samples]),
                np.concatenate([s.tallies[name].weight for s in samples]),
            )
            for name in samples[0].tallies
        },
        tracks={
            name: Track(
                np.concatenate([s.tracks[name].person + offset for s, offset in placed]),
                np.concatenate([s.tracks[name].t_ms for s in samples]),
                np.concatenate([s.tracks[name].value for s in samples]),
                np.concatenate([s.tracks[name].looks for s in samples]),
            )
            for name in samples[0].tracks
        },
        events=sum(sample.events for sample in samples),
    )
