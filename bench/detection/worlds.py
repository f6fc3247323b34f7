"""The worlds, and the seeds: nothing was chosen by looking at the test seeds."""

from bench.detection.outside import Outside
from bench.detection.own_family import OwnFamily

OWN: dict[str, OwnFamily] = {
    "dense": OwnFamily(seen=1.0, shape=2.0),
    "dense, people alike": OwnFamily(seen=1.0, shape=None),
    "sparse": OwnFamily(seen=0.3, shape=2.0),
    "unequal people": OwnFamily(seen=1.0, shape=0.8),
}
"""Worlds that the filter supposes; how unequal people are is its guess in two of them only."""
OUTSIDE: dict[str, Outside] = {
    "outside, dense": Outside(seen=1.0, content_days=269, mail_every_days=7),
    "outside, grid operator": Outside(seen=1.0, content_days=1520, mail_every_days=14),
    "outside, sparse": Outside(seen=0.35, content_days=269, mail_every_days=14),
}
"""Worlds that nobody's model supposes."""
WORLDS: dict[str, OwnFamily | Outside] = {**OWN, **OUTSIDE}

TEST_SEEDS = (2027, 2029)
TUNING_SEED = 7
"""Of the people whose truth others' half-lives are tuned on."""
