"""The model compiled, as the image runs it, beside the same in plain Python."""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

from bench.figures import Figure, Target
from tests.servers.compiled import ROOT, compiled_tree, environment_of

ROUNDS = 3
ANEW_MS_MAX = 20
MEASURE = "The model: compiled as in the image, and plain"


def measure(folder: Path) -> list[Figure]:
    """The two take turns; medians are told."""
    del folder
    trees = {"compiled": compiled_tree(), "plain": ROOT}
    turns = [{name: _turn(tree) for name, tree in trees.items()} for _ in range(ROUNDS)]
    for turn in turns:
        assert turn["compiled"]["compiled"]
        assert not turn["plain"]["compiled"]
    limit = Target(ANEW_MS_MAX)
    figures = []
    for what, unit, name in (
        ("fold_us", "µs", "fold, per event"),
        ("anew_ms", "ms", "a person of 1,000 events anew"),
    ):
        of = {tree: median(turn[tree][what] for turn in turns) for tree in trees}
        share = median(turn["compiled"][what] / turn["plain"][what] * 100 for turn in turns)
        target = limit if what == "anew_ms" else None
        figures += [
            Figure(MEASURE, f"{name}, compiled", of["compiled"], unit, target),
            Figure(MEASURE, f"{name}, plain", of["plain"], unit),
            Figure(MEASURE, f"{name}: compiled of plain", share, "%"),
        ]
    return figures


def _turn(tree: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.hot"]
    told = subprocess.check_output(command, cwd=ROOT, env=environment_of(tree))
    found: dict[str, float] = json.loads(told)
    return found
