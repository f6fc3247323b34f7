"""``kentering thresholds``: where the two signals go on, for chosen rates of false alarms."""

import json
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from services.cli.database import data_option, database
from services.cli.spells import Bar, at_work, open_version, read_spells, read_version
from services.cli.version_file import write_version
from services.model.fitting.history import Histories, Rhythm
from services.model.fitting.thresholds import (
    FALSE_PER_YEAR,
    Threshold,
    derive,
    observed_per_year,
    with_thresholds,
)
from services.model.parameters import Parameters

WEEKLY = Rhythm(mails_per_day=1 / 7, issues_per_day=0.0)


@click.command("thresholds")
@click.option(
    "--model",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A model version's file; without it, the one in force.",
)
@click.option(
    "--workspace",
    metavar="WORKSPACE",
    help="As ws_…: its rhythm of mail, and its own crossings beside the simulated ones. "
    "Without it, one mail a week.",
)
@click.option(
    "--people",
    default=10_000,
    show_default=True,
    type=click.IntRange(100, 100_000),
    help="How many are simulated, for two years.",
)
@click.option("--seed", default=1, show_default=True, help="Of the simulation.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the version with these thresholds here.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@data_option
def command(
    model: Path | None,
    workspace: str | None,
    people: int,
    seed: int,
    out: Path | None,
    data: Path | None,
    *,
    as_json: bool,
) -> None:
    """Simulate people from a model version, and set its signals by their false alarms.

    The smallest thresholds at which *active* gives 0.10 and *turning* 0.30 false alarms per
    person-year of people who are not.
    """
    observed = None
    with at_work() as (pool, bar):
        version, spells = _people(model, workspace, data, seed, pool, bar)
        rhythm = spells.rhythm if spells else WEEKLY
        found = derive(version, rhythm, people, seed, bar.each("simulated people", pool))
        if spells:
            each = bar.each("own people", pool)
            observed = observed_per_year(spells, version, found, each)
    made = {
        "command": "thresholds",
        "of": version.version,
        "people": people,
        "seed": seed,
        "rhythm": rhythm._asdict(),
        "workspace": workspace,
        "thresholds": [asdict(one) for one in found],
        "observed_per_year": observed,
    }
    if out:
        write_version(out, with_thresholds(version, found), made)
    if as_json:
        print(json.dumps(made))
    else:
        _show(version, found, observed)


def _people(
    model: Path | None,
    workspace: str | None,
    data: Path | None,
    seed: int,
    pool: Executor,
    bar: Bar,
) -> tuple[Parameters, Histories | None]:
    """The version, and the workspace's people; no database is asked for what nobody wants of it."""
    if model and not workspace:
        return read_version(model), None
    with database(data) as engine:
        version = open_version(model, engine)
        if not workspace:
            return version, None
        return version, read_spells(engine, workspace, version, seed, pool, bar).histories


def _show(version: Parameters, found: list[Threshold], observed: list[float] | None) -> None:
    table = Table(
        title=f"Thresholds of {version.version}",
        caption="False, wanted and all: alarms per person-year. False and expected are simulated.",
    )
    for heading in (
        "signal",
        "now",
        "found",
        "false",
        "wanted",
        "all, expected",
        "all, observed",
    ):
        table.add_column(heading, justify="left" if heading == "signal" else "right")
    for i, one in enumerate(found):
        now = getattr(version.signals, one.signal).enter
        table.add_row(
            one.signal,
            f"{now:.4f}",
            f"{one.enter:.4f}",
            f"{one.false_per_year:.3f}",
            f"{FALSE_PER_YEAR[one.signal]:.2f}",
            f"{one.expected_per_year:.3f}",
            f"{observed[i]:.3f}" if observed else "—",
        )
    Console().print(table)
