"""What the model shall reach, beside what it reached."""

from bench.detection.run import Findings
from bench.detection.worlds import OUTSIDE, OWN
from bench.figures import Figure, Target

MEDIAN_SHARE_MAX = {"dense": 75.0, "dense, people alike": 75.0, "unequal people": 60.0}
AHEAD_OF_RAW_MIN = 8.0
BEHIND_TRUTH_MAX = 1.5
CALIBRATION_MAX = 0.03


def targets(findings: Findings) -> list[Figure]:
    """One figure a target, all of the day-one version unless it says otherwise."""
    figures: list[Figure] = []
    for contest in findings.contests:
        world = contest.world
        ours = next(row for row in contest.rows if row.calibration is not None)
        assert ours.calibration is not None
        if world in MEDIAN_SHARE_MAX:
            share, most = 100 * contest.median_ratio.value, MEDIAN_SHARE_MAX[world]
            name = "median delay, as share of tuned decayed points'"
            figures.append(Figure(world, name, share, "%", Target(most)))
        if world in OWN:
            error = ours.calibration.value
            figures.append(Figure(world, "calibration error", error, "", Target(CALIBRATION_MAX)))
        if world == "outside, dense":
            ahead = Target(AHEAD_OF_RAW_MIN, at_least=True)
            name = "mean days ahead of raw points"
            figures.append(Figure(world, name, contest.ahead_of_raw.value, "d", ahead))
        if world in OUTSIDE:
            behind, gain = contest.behind_truth.value, 100 * contest.auc_gain.value
            name = "mean days behind points tuned on the truth"
            figures.append(Figure(world, name, behind, "d", Target(BEHIND_TRUTH_MAX)))
            name = "AUC above theirs, in hundredths"
            figures.append(Figure(world, name, gain, "", Target(0, at_least=True)))
    for record in findings.records:
        name = "AUC above the best faded points', in hundredths"
        least = Target(0, at_least=True)
        measure = f"real people, {record.record}"
        figures += [
            Figure(measure, f"{name}: day-one rates", 100 * record.day_one_gain.value, "", least),
            Figure(measure, f"{name}: fitted", 100 * record.fitted_gain.value, "", least),
        ]
    differ = Figure(
        "through the real scorer", "people scored otherwise", findings.scorer.different, "",
        Target(0),
    )  # fmt: skip
    return [*figures, differ]
