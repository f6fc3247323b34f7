"""What rankings are worth, ties counted half."""

import numpy as np

from services.model.fitting.history import Floats


def ranks(values: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of theirs."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    shared: Floats = (last - (counts - 1) / 2)[which]
    return shared


def auc(values: Floats, truth: np.ndarray) -> float:
    """The chance that a true one has a higher value than a false one; 0.5 where either lacks."""
    true = int(truth.sum())
    false = len(truth) - true
    if not true or not false:
        return 0.5
    above = float(ranks(values)[truth].sum()) - true * (true + 1) / 2
    return above / (true * false)


def auc_among_alike(values: Floats, truth: np.ndarray, alike: Floats) -> float:
    """The same chance for pairs that are alike in something else: in the same tenth of it."""
    above = pairs = 0.0
    for tenth in np.array_split(np.argsort(alike, kind="stable"), 10):
        true = float(truth[tenth].sum())
        weight = true * (len(tenth) - true)
        if weight:
            above += auc(values[tenth], truth[tenth]) * weight
            pairs += weight
    return above / pairs if pairs else 0.5


def rank_correlation(a: Floats, b: Floats) -> float:
    """Spearman's; 0 where either never varies."""
    if len(a) < 2 or a.min() == a.max() or b.min() == b.max():
        return 0.0
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def auc_gain(
    before: Floats, after: Floats, truth: np.ndarray, owner: np.ndarray, seed: int
) -> tuple[float, float]:
    """95 % interval of how much more ``after`` is worth than ``before``, people drawn anew.

    Args:
        before: values of one ranking.
        after: of another, of the same moments.
        truth: what came at each.
        owner: whose each moment is: people are drawn with all their moments.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    people, which = np.unique(owner, return_inverse=True)
    one, other = ranks(before), ranks(after)
    gains = []
    for _ in range(100):
        times = rng.multinomial(len(people), np.full(len(people), 1 / len(people)))[which]
        gains.append(_weighted(other, truth, times) - _weighted(one, truth, times))
    low, high = np.percentile(gains, [2.5, 97.5])
    return float(low), float(high)


def _weighted(rank: Floats, truth: np.ndarray, times: np.ndarray) -> float:
    """The same chance where each moment counts so many times."""
    slots = (rank * 2).astype(np.int64)
    size = int(slots.max()) + 1
    true = np.bincount(slots[truth], times[truth], size)
    false = np.bincount(slots[~truth], times[~truth], size)
    pairs = float(true.sum() * false.sum())
    below = np.cumsum(false) - false / 2
    return float((true * below).sum()) / pairs if pairs else 0.5
