"""``kentering fit``: a model version from a workspace's own events."""

from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np

from services.cli.database import data_option, database
from services.cli.fit_report import show_comparison, show_echo
from services.cli.spells import Bar, Found, at_work, open_version, read_spells
from services.cli.version_file import write_version
from services.model.fitting.compare import Comparison, compare
from services.model.fitting.em import ECHO_ROUNDS_MAX, ROUNDS_MAX, fit, fit_echo
from services.model.fitting.history import Histories
from services.model.fitting.judge import watch
from services.model.fitting.maximise import Prior
from services.model.fitting.pack import batches
from services.model.fitting.scores import outcome_codes
from services.model.fitting.thresholds import derive, with_thresholds
from services.model.parameters import Parameters

HELD_OUT = 0.25
"""The share of people that a fit is judged on."""
PERSON_DAYS_MIN = 2_000
PRIOR_DAYS = 50_000
PRIOR_DAYS_WITHOUT_LABELS = 200_000
LABELS_MIN = 30
"""With fewer applications and hires the prior is worth its most."""
PEOPLE_SIMULATED = 4_000


@click.command("fit")
@click.option("--workspace", metavar="WORKSPACE", required=True, help="Whose events, as ws_….")
@click.option(
    "--echo",
    "echo_only",
    is_flag=True,
    help="Only how many visits a visit calls forth; needs no applications or hires.",
)
@click.option(
    "--base",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The version to start from and compare with; without it, the one in force.",
)
@click.option(
    "--prior-days",
    type=click.IntRange(20_000, 200_000),
    help="Person-days per state that the base is worth. Without it 50,000, and 200,000 "
    "where there are fewer than 30 applications and hires.",
)
@click.option("--seed", default=1, show_default=True, help="Of who is held out, and simulations.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the new version here, if it is not worse.",
)
@data_option
def command(
    workspace: str,
    base: Path | None,
    prior_days: int | None,
    seed: int,
    out: Path | None,
    data: Path | None,
    *,
    echo_only: bool,
) -> None:
    """Estimate a model version's numbers from a workspace's own events, offline.

    Compares it on held-out people with the version that it starts from, and with decayed points;
    what is worse is not written. See docs/model-fitting.md.
    """
    with database(data) as engine, at_work() as (pool, bar):
        version = open_version(base, engine)
        found = read_spells(engine, workspace, version, seed, pool, bar)
        _enough(found)
        made = _made(workspace, version, found, seed)
        if echo_only:
            fitted, comparison = _fit_echo(version, found.histories, pool, bar), None
        else:
            fitted, comparison = _fit(version, found.histories, prior_days, seed, pool, bar, made)
        if out:
            each = bar.each("thresholds", pool)
            thresholds = derive(fitted, found.histories.rhythm, PEOPLE_SIMULATED, seed, each)
            fitted = with_thresholds(fitted, thresholds)
    if comparison:
        show_comparison(version, fitted, comparison)
        if comparison.worse:
            raise click.ClickException(_refusal(comparison))
    else:
        show_echo(version, fitted, found.histories)
    if out:
        write_version(out, fitted, made)


def _fit(
    version: Parameters,
    histories: Histories,
    prior_days: int | None,
    seed: int,
    pool: Executor,
    bar: Bar,
    made: dict[str, Any],
) -> tuple[Parameters, Comparison]:
    fitted_on, held_out = split(histories, seed)
    labels = int(np.isin(fitted_on.codes, outcome_codes(version)).sum())
    worth = prior_days or (PRIOR_DAYS if labels >= LABELS_MIN else PRIOR_DAYS_WITHOUT_LABELS)
    prior = Prior(version, worth, histories.rhythm)
    told = bar.rounds("fitting", ROUNDS_MAX)
    fitted = fit(prior, batches(fitted_on, version), pool.map, told)
    told(ROUNDS_MAX)
    comparison = compare(
        version,
        fitted,
        watch(held_out, version),
        watch(fitted_on, version),
        bar.each("judging", pool),
        seed,
    )
    made |= {"prior_days": worth, "labels": labels, "comparison": asdict(comparison)}
    return fitted, comparison


def _fit_echo(version: Parameters, histories: Histories, pool: Executor, bar: Bar) -> Parameters:
    told = bar.rounds("fitting", ECHO_ROUNDS_MAX)
    prior = Prior(version, 0, histories.rhythm)
    fitted = fit_echo(prior, batches(histories, version), pool.map, told)
    told(ECHO_ROUNDS_MAX)
    return fitted


def split(histories: Histories, seed: int) -> tuple[Histories, Histories]:
    """(those to fit on, those held out), by person."""
    people, which = np.unique(histories.person, return_inverse=True)
    out = (np.random.default_rng(seed).random(len(people)) < HELD_OUT)[which]
    return histories.only(~out), histories.only(out)


def _enough(found: Found) -> None:
    days = float(found.histories.spell_days.sum())
    if days < PERSON_DAYS_MIN:
        raise click.ClickException(
            f"too little to fit on: {days:,.0f} person-days of at least {PERSON_DAYS_MIN:,}"
        )


def _made(workspace: str, version: Parameters, found: Found, seed: int) -> dict[str, Any]:
    """How a version comes about."""
    histories = found.histories
    return {
        "command": "fit",
        "of": version.version,
        "workspace": workspace,
        "seed": seed,
        "until_ms": found.until_ms,
        "people": found.people,
        "people_read": len(np.unique(histories.person)),
        "person_days": round(float(histories.spell_days.sum())),
        "steps": len(histories.days),
        "rhythm": histories.rhythm._asdict(),
    }


def _refusal(comparison: Comparison) -> str:
    reasons = "\n".join(f"  - {reason}" for reason in comparison.worse)
    return f"the fitted version is worse and is not written:\n{reasons}"
