"""The findings as Markdown: the same in a terminal and in ``docs/detection.md``."""

from collections.abc import Iterator

from bench.detection.contest import Contest, Row
from bench.detection.measures import Interval
from bench.detection.ranking import Ranked
from bench.detection.run import Findings
from bench.detection.targets import targets
from bench.detection.telling import Arm
from bench.detection.through_scorer import Agreement
from bench.figures import as_markdown


def as_tables(findings: Findings) -> str:
    """All of it."""
    parts = ["\n".join(f"- {name}: {value}" for name, value in findings.facts.items())]
    parts += ["### Targets\n\n" + as_markdown(targets(findings))]
    parts += ["\n".join(_contest(contest)) for contest in findings.contests]
    parts += ["\n".join(_arms(findings.arms))]
    if findings.records:
        parts += ["\n".join(_records(findings.records))]
    parts += [_scorer(findings.scorer)]
    return "\n\n".join(parts)


def _scorer(found: Agreement) -> str:
    return (
        "### Through the real scorer\n\n"
        f"{found.records:,} records of {found.people} people, out of order and some twice, "
        f"scored into SQLite: of {found.different} people it says otherwise than the fold."
    )


def _contest(contest: Contest) -> Iterator[str]:
    yield f"### World: {contest.world} (simulated)\n"
    yield (
        f"{contest.people:,} people, {contest.events:,} events, {contest.spells:,} active spells; "
        f"{contest.active:.1%} active.\n"
    )
    yield "| | median days | mean days | caught | AUC | missed at 1 % | calibration error |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    yield from (_row(row) for row in contest.rows)
    yield ""
    ratio = f"median {_between(contest.median_ratio, 2)} × that of tuned decayed points; "
    yield (
        f"Day-one version: {ratio if _is_reached(contest) else ''}"
        f"{_between(contest.ahead_of_raw, 1)} days ahead of raw points; "
        f"{_between(contest.behind_truth, 1)} days behind points tuned on the truth; AUC "
        f"{_between(contest.auc_gain, 3)} above theirs. At its own threshold it gives "
        f"{contest.false_as_shipped:.2f} false alarms a year. What it says and what is so: "
        + ", ".join(f"{one.said:.2f} → {one.was:.2f}" for one in contest.bins)
        + "."
    )


def _is_reached(contest: Contest) -> bool:
    """Whether the day-one version notices half of the spells at all."""
    return any(row.calibration and row.median_days is not None for row in contest.rows)


def _row(row: Row) -> str:
    error = "" if row.calibration is None else _between(row.calibration, 3)
    cells = (
        row.name,
        "never" if row.median_days is None else f"{row.median_days:.1f}",
        _between(row.mean_days, 1),
        f"{row.caught:.2f}",
        _between(row.auc, 3),
        f"{row.missed:.3f}",
        error,
    )
    return f"| {' | '.join(cells)} |"


def _arms(arms: list[Arm]) -> Iterator[str]:
    yield "### Content that tells (simulated)\n"
    yield "| | mails a week | mean days | caught | AUC | bits a mail |"
    yield "|---|---:|---:|---:|---:|---:|"
    for arm in arms:
        yield (
            f"| {arm.name} | {arm.mails_per_week:.2f} | {_between(arm.mean_days, 1)} | "
            f"{arm.caught:.2f} | {_between(arm.auc, 3)} | {arm.bits:.4f} |"
        )


def _records(records: list[Ranked]) -> Iterator[str]:
    yield "### Real people: who comes in the time ahead\n"
    yield "| | people | best half-life | points | day-one rates | above | fitted | above |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for one in records:
        yield (
            f"| {one.record} | {one.people:,} | {one.half_life} days | {one.points.value:.4f} | "
            f"{one.day_one.value:.4f} | {_between(one.day_one_gain, 4)} | "
            f"{one.fitted.value:.4f} | {_between(one.fitted_gain, 4)} |"
        )


def _between(one: Interval, digits: int) -> str:
    return f"{one.value:.{digits}f} ({one.low:.{digits}f} to {one.high:.{digits}f})"
